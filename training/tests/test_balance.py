"""The balance of light: PyTorch, the exported front and what a face in another light gives."""

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from liveproof_training import contract
from liveproof_training.export import front, onnxfiles, onnxgraph, restore
from liveproof_training.loading import data
from liveproof_training.method import balance, model

CPU = torch.device("cpu")
WEIGHTS = np.array(balance.LUMA) / balance.WHOLE


def picture(seed: int = 0) -> np.ndarray:
    """uint8 [1, 224, 224, 3], smooth tones from 40 to 160."""
    coarse = np.random.default_rng(seed).uniform(40, 160, (1, 3, 8, 8)).astype(np.float32)
    return torch.nn.functional.interpolate(torch.from_numpy(coarse), size=224, mode="bilinear").byte().permute(0, 2, 3, 1).numpy()


def balanced(images: np.ndarray) -> np.ndarray:
    return front.balanced(images).astype(int)


def test_the_middle_gets_the_mean_that_is_aimed_at():
    square = balance.middle(224)
    assert balanced(picture())[0, square, square].mean(axis=(0, 1)) == pytest.approx(balance.AIM, abs=0.5)


@pytest.mark.parametrize("gains", [(1, 1, 1), (0.5, 0.5, 0.5), (1.4, 1.0, 0.7)])
def test_another_exposure_or_colour_of_the_light_changes_rounding_only(gains):
    seen = picture()
    lit = np.round(seen * np.array(gains)).clip(0, 255).astype(np.uint8)
    assert np.abs(balanced(seen) - balanced(lit)).mean() < 1.5


def test_the_face_keeps_its_colours_and_what_surrounds_it_loses_them():
    seen = balanced(picture())[0]
    spread = seen.max(axis=-1) - seen.min(axis=-1)
    ellipse = balance.colourful(224)
    assert spread[ellipse == 0].max() <= 1 and spread[ellipse == balance.WHOLE].mean() > 20
    assert ellipse[112, 112] == ellipse[112 + 85, 112] == balance.WHOLE and ellipse[112, 112 + 100] == ellipse[5, 5] == 0


def test_grey_surroundings_keep_their_luma():
    seen = picture()
    square = balance.middle(224)
    gain = np.array(balance.AIM) / seen[0, square, square].mean(axis=(0, 1))
    luma = (seen[0] * gain) @ WEIGHTS
    outside = (balance.colourful(224) == 0) & (luma < 254)
    assert np.abs(balanced(seen)[0] @ WEIGHTS - luma)[outside].max() <= 1


def test_a_black_picture_stays_black():
    assert balanced(np.zeros((1, 224, 224, 3), np.uint8)).max() == 0


def test_noise_is_for_training_only():
    x = data.normalise(torch.from_numpy(picture().transpose(0, 3, 1, 2).copy()), CPU)
    layer = balance.Balance()
    assert not torch.equal(layer.train()(x), layer(x))
    assert torch.equal(layer.eval()(x), layer(x))


@pytest.mark.parametrize("kind", list(balance.KINDS.values()))
def test_the_exported_front_gives_the_same_bytes(kind):
    images = np.concatenate([picture(1), picture(2) // 3, np.full((1, 224, 224, 3), 255, np.uint8), np.zeros((1, 224, 224, 3), np.uint8)])
    made = front_alone(kind.views)
    (found,) = onnxgraph.session(made).run([front.BALANCED], {contract.INPUT_NAME: images})
    assert np.abs(found.astype(int) - front.balanced(images, kind)).max() == 0


def front_alone(views: int) -> onnx.ModelProto:
    """The bytes that a head sees; the head itself takes one value of each picture, so that it can be averaged over."""
    weight = numpy_helper.from_array(np.ones((224 * 224 * 3, 1), np.float32), "weight")
    nodes = [
        onnx.helper.make_node("Cast", [contract.INPUT_NAME], ["pixels"], to=onnx.TensorProto.FLOAT),
        onnx.helper.make_node("Flatten", ["pixels"], ["flat"]),
        onnx.helper.make_node("Gemm", ["flat", "weight"], ["told"]),
    ]
    faces = onnx.helper.make_tensor_value_info(contract.INPUT_NAME, onnx.TensorProto.UINT8, ["N", 224, 224, 3])
    told = onnx.helper.make_tensor_value_info("told", onnx.TensorProto.FLOAT, ["M", 1])
    graph = onnx.helper.make_graph(nodes, "front", [faces], [told], [weight])
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", contract.OPSET)])
    made.ir_version = contract.IR_VERSION
    front.complete(made, views)
    made.graph.output.append(onnx.helper.make_tensor_value_info(front.BALANCED, onnx.TensorProto.UINT8, ["M", 224, 224, 3]))
    onnx.checker.check_model(made)
    return made


@pytest.mark.parametrize("kind", list(balance.KINDS))
def test_a_balanced_network_scores_alike_in_pytorch_and_as_a_file(kind, tmp_path):
    torch.manual_seed(0)
    net = model.LivenessNet(encoder="mobilenet_v2", balance=kind).eval()
    onnxfiles.export_fp32(net, tmp_path / "net.onnx")
    assert not net.training
    images = np.concatenate([picture(n) for n in range(3)])
    with torch.no_grad():
        want, _ = net(data.normalise(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()), CPU))
    found = onnxgraph.session(tmp_path / "net.onnx").run([contract.RHO_NAME], {contract.INPUT_NAME: images})[0]
    assert found == pytest.approx(want.numpy(), abs=2e-3)
    again = onnxgraph.session(tmp_path / "net.onnx").run([contract.RHO_NAME], {contract.INPUT_NAME: images // 2})[0]
    assert again == pytest.approx(found, abs=5e-3)


@pytest.mark.parametrize("kind", model.BALANCES)
def test_a_file_that_balances_is_read_back_as_a_network_that_does(kind, tmp_path):
    net = model.LivenessNet(encoder="mobilenet_v2", balance=kind)
    onnxfiles.export_fp32(net, tmp_path / "net.onnx")
    file = onnx.load(tmp_path / "net.onnx")
    onnx.helper.set_model_props(file, {"liveproof.encoder": "mobilenet_v2", "liveproof.k": "10"})
    onnx.save(file, tmp_path / "net.onnx")
    assert restore.restore(tmp_path / "net.onnx")[0].views == net.views
    assert restore.restore(tmp_path / "net.onnx")[0].balances == net.balances


def test_the_second_view_has_no_colour_and_the_same_luma():
    seen, grey = front.balanced(picture(), balance.Views).astype(float)
    assert (grey.max(axis=-1) - grey.min(axis=-1)).max() == 0
    dark = seen.max(axis=-1) < 255
    assert np.abs(seen @ WEIGHTS - grey[..., 0])[dark].max() <= 1


def test_two_views_are_one_picture_with_the_mean_of_their_features():
    torch.manual_seed(0)
    net = model.LivenessNet(balance="views").eval()
    x = data.normalise(torch.from_numpy(np.concatenate([picture(n) for n in range(3)]).transpose(0, 3, 1, 2).copy()), CPU)
    with torch.no_grad():
        seen, grey = (net.encoder(part) for part in net.balance(x).chunk(2))
        found = net.evidence(x)
    assert found.rho.shape == (3,) and found.probabilities.shape == (3, net.k + 1)
    torch.testing.assert_close(found.features, (seen + grey) / 2)
    torch.testing.assert_close(found.logits, (net.head(seen) + net.head(grey)) / 2)
