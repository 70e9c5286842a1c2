"""The balance of light: PyTorch, the exported front and what a face in another light gives."""

import numpy as np
import onnx
import pytest
import torch

from liveproof_training import contract
from liveproof_training.export import front, onnxfiles, onnxgraph, restore
from liveproof_training.loading import data
from liveproof_training.method import balance, model

CPU = torch.device("cpu")


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


def test_a_black_picture_stays_black():
    assert balanced(np.zeros((1, 224, 224, 3), np.uint8)).max() == 0


def test_noise_is_for_training_only():
    x = data.normalise(torch.from_numpy(picture().transpose(0, 3, 1, 2).copy()), CPU)
    layer = balance.Balance()
    assert not torch.equal(layer.train()(x), layer(x))
    assert torch.equal(layer.eval()(x), layer(x))


def test_the_exported_front_gives_the_same_bytes():
    images = np.concatenate([picture(1), picture(2) // 3, np.full((1, 224, 224, 3), 255, np.uint8), np.zeros((1, 224, 224, 3), np.uint8)])
    identity = onnx.helper.make_node("Cast", [contract.INPUT_NAME], ["told"], to=onnx.TensorProto.FLOAT)
    faces = onnx.helper.make_tensor_value_info(contract.INPUT_NAME, onnx.TensorProto.UINT8, ["N", 224, 224, 3])
    told = onnx.helper.make_tensor_value_info("told", onnx.TensorProto.FLOAT, ["N", 224, 224, 3])
    made = onnx.helper.make_model(
        onnx.helper.make_graph([identity], "front", [faces], [told]), opset_imports=[onnx.helper.make_opsetid("", contract.OPSET)]
    )
    made.ir_version = contract.IR_VERSION
    front.prepend(made)
    onnx.checker.check_model(made)
    (found,) = onnxgraph.session(made).run(None, {contract.INPUT_NAME: images})
    assert np.abs(found - front.balanced(images)).max() <= 1  # a half may round to either side


def test_a_balanced_network_scores_alike_in_pytorch_and_as_a_file(tmp_path):
    torch.manual_seed(0)
    net = model.LivenessNet(encoder="mobilenet_v2", balance="face").eval()
    onnxfiles.export_fp32(net, tmp_path / "net.onnx")
    assert not net.training
    images = np.concatenate([picture(n) for n in range(3)])
    with torch.no_grad():
        want, _ = net(data.normalise(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()), CPU))
    found = onnxgraph.session(tmp_path / "net.onnx").run([contract.RHO_NAME], {contract.INPUT_NAME: images})[0]
    assert found == pytest.approx(want.numpy(), abs=2e-3)
    again = onnxgraph.session(tmp_path / "net.onnx").run([contract.RHO_NAME], {contract.INPUT_NAME: images // 2})[0]
    assert again == pytest.approx(found, abs=5e-3)


def test_a_file_that_balances_is_read_back_as_a_network_that_does(tmp_path):
    net = model.LivenessNet(encoder="mobilenet_v2", balance="face")
    onnxfiles.export_fp32(net, tmp_path / "net.onnx")
    file = onnx.load(tmp_path / "net.onnx")
    onnx.helper.set_model_props(file, {"liveproof.encoder": "mobilenet_v2", "liveproof.k": "10"})
    onnx.save(file, tmp_path / "net.onnx")
    assert restore.restore(tmp_path / "net.onnx")[0].balances
