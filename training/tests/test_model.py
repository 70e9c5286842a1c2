"""Network, encoders and first weights."""

import os

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional

from liveproof_training import contract
from liveproof_training.method import encoders, initial, losses, model

ENCODERS = sorted(encoders.ENCODERS)
SHARED = os.environ.get("LIVEPROOF_SHARED", "")


def test_expected_score_by_hand():
    p = torch.tensor([[0.0, 0.5, 0.0, 0.0, 0.5], [1.0, 0, 0, 0, 0], [0, 0, 0, 0, 1.0]])
    # K = 4, atoms 0, 1/4, 1/2, 3/4, 1
    assert model.expected_score(p).tolist() == pytest.approx([0.5 * 0.25 + 0.5, 0.0, 1.0])


def test_atoms_of_k_ten():
    assert model.atoms(10).tolist() == pytest.approx([i / 10 for i in range(11)])


def test_loss_by_hand_and_its_sign():
    rho = torch.tensor([0.2, 0.9], requires_grad=True)
    target = torch.tensor([0.0, 1.0])
    loss = losses.score_mse(rho, target).mean()
    assert float(loss) == pytest.approx((0.04 + 0.01) / 2)
    loss.backward()
    # A descent step must bring rho closer to its target: down for the first, up for the second.
    assert rho.grad[0] > 0 > rho.grad[1]
    assert rho.grad.tolist() == pytest.approx([0.2, -0.1])


@pytest.mark.parametrize("encoder", ENCODERS)
def test_network_outputs(encoder):
    net = model.LivenessNet(10, encoder=encoder).eval()
    evidence = net.evidence(torch.randn(2, 3, 64, 64))
    assert evidence.rho.shape == (2,) and evidence.probabilities.shape == (2, 11)
    assert evidence.features.shape == (2, {"resnet18": 512, "mobilenet_v2": 1280}[encoder]) == (2, net.feature_size)
    assert torch.allclose(evidence.probabilities.sum(1), torch.ones(2), atol=1e-5)
    assert ((evidence.rho >= 0) & (evidence.rho <= 1)).all()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_encoders_compute_what_torchvision_computes(encoder):
    reference = getattr(torchvision.models, encoder)(weights=None).eval()
    net = model.LivenessNet(encoder=encoder).eval()
    assert initial._fill(net, reference.state_dict(), "test").missing == ["head.weight", "head.bias"]
    x = torch.randn(2, 3, 64, 64)
    if encoder == "resnet18":
        reference.fc = nn.Identity()
        want = reference(x)
    else:
        want = reference.features(x).mean(dim=(2, 3))
    torch.testing.assert_close(net.features(x), want)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_frozen_stages_do_not_learn_and_keep_their_statistics(encoder):
    net = model.LivenessNet(encoder=encoder)
    sizes = []
    for stage in encoders.STAGES:
        net.freeze(stage)
        sizes.append(sum(p.numel() for p in net.parameters() if not p.requires_grad))
    assert sizes == sorted(set(sizes)) and sizes[0] == 0 and sizes[-1] < sum(p.numel() for p in net.parameters())
    net.train()
    assert not any(m.training for stage in net._frozen() for m in stage.modules()) and net.head.training


def test_frozen_norms_stay_frozen_when_synchronised_ones_take_their_place():
    net = model.LivenessNet()
    net.freeze("layer1")
    net = torch.nn.SyncBatchNorm.convert_sync_batchnorm(net).train()
    assert isinstance(net.encoder.bn1, torch.nn.SyncBatchNorm) and not net.encoder.bn1.training and net.encoder.layer2.training


# MobileNetV2 from TensorFlow


def test_tensorflow_sees_pixels_from_minus_one_to_one_and_pads_right_and_below():
    net = encoders.MobileNetV2().eval()
    net.as_tensorflow()
    pixels = torch.rand(1, 3, 64, 64)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (contract.IMAGENET_MEAN, contract.IMAGENET_STD))
    conv = net.features[0][0]
    want = functional.conv2d(functional.pad(2 * pixels - 1, (0, 1, 0, 1)), conv.weight, stride=2)
    seen = []
    conv.register_forward_hook(lambda m, i, o: seen.append(o))
    net((pixels - mean) / std)
    torch.testing.assert_close(seen[0], want, atol=1e-5, rtol=1e-4)
    assert sum(isinstance(m, encoders.StridedConv) and m.same for m in net.modules()) == 5


def test_the_tensorflow_switch_travels_with_the_weights():
    first, second = (model.LivenessNet(encoder="mobilenet_v2").eval() for _ in range(2))
    first.encoder.as_tensorflow()
    second.load_state_dict(first.state_dict())
    x = torch.randn(1, 3, 64, 64)
    assert second.encoder.tensorflow
    torch.testing.assert_close(first(x), second(x))
    want = first.features(x)
    second.encoder.as_tensorflow(False)
    assert float((second.features(x) - want).abs().max()) > 0.01 * float(want.abs().max())


# What is quicker on a CPU must compute the same


@pytest.mark.parametrize("stride, side", [(1, 4), (1, 2), (2, 8), (2, 6), (1, 7)])
def test_deep_convolution_equals_the_plain_one(stride, side):
    torch.manual_seed(0)
    plain = nn.Conv2d(32, 16, 3, stride, 1, bias=False)
    deep = encoders.DeepConv.like(plain)
    results = []
    for conv in (plain, deep):
        x = torch.randn(2, 32, side, side, generator=torch.Generator().manual_seed(1)).bfloat16().requires_grad_()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = conv(x)
        y.float().square().sum().backward()
        results.append((y.float(), x.grad.float(), conv.weight.grad))
    for want, got in zip(*results):
        torch.testing.assert_close(got, want, atol=0.02 * float(want.abs().max()), rtol=0.02)


def test_relu6_in_bfloat16_passes_gradients_between_its_bounds():
    x = torch.tensor([-1.0, 0.5, 5.5, 6.5]).bfloat16().requires_grad_()
    y = encoders.Relu6()(x)
    y.backward(torch.tensor([2.0, 3, 4, 5]).bfloat16())
    assert y.tolist() == [0, 0.5, 5.5, 6] and x.grad.tolist() == [0, 3, 4, 0]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_step_in_bfloat16_runs(encoder):
    net = model.LivenessNet(encoder=encoder).to(memory_format=torch.channels_last).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rho, probabilities = net(torch.randn(2, 3, 64, 64))
    rho.sum().backward()
    assert rho.dtype == probabilities.dtype == torch.float32
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())


# First weights


def test_random_and_files_are_recorded(tmp_path):
    net = model.LivenessNet()
    first = model.load_initial(net, "random", str(tmp_path))
    assert first.description == "random" and "encoder.conv1.weight" in first.missing and not first.folded
    state = {k: v for k, v in torchvision.models.resnet18().state_dict().items() if not k.startswith("layer4")}
    torch.save(state, tmp_path / "trunk.pth")
    second = model.load_initial(net, str(tmp_path / "trunk.pth"), str(tmp_path))
    assert second.description.startswith("trunk.pth sha256 ") and torch.equal(net.encoder.conv1.weight, state["conv1.weight"])
    assert "encoder.layer4.0.conv1.weight" in second.missing and "encoder.layer3.0.conv1.weight" not in second.missing


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save(torchvision.models.mobilenet_v2().state_dict(), tmp_path / "other.pth")
    with pytest.raises(ValueError, match="is it a ResNet18"):
        model.load_initial(model.LivenessNet(), str(tmp_path / "other.pth"), str(tmp_path))
    with pytest.raises(FileNotFoundError, match="init: .*none.pth is no file"):
        model.load_initial(model.LivenessNet(), str(tmp_path / "none.pth"), str(tmp_path))


@pytest.fixture
def offline(monkeypatch):
    def refused(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refused)
    for name in ("torchvision._internally_replaced_utils", "torchvision.models._api"):
        monkeypatch.setattr(f"{name}.load_state_dict_from_url", refused, raising=False)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_without_a_network_torchvisions_weights_are_asked_for_by_name(encoder, offline, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"neither at .*checkpoints.*no route to host.*--init FILE"):
        model.load_initial(model.LivenessNet(encoder=encoder), "torchvision", str(tmp_path))


def test_shared_weights_without_a_folder_are_asked_for_by_name():
    with pytest.raises(FileNotFoundError, match="no shared weights, LIVEPROOF_SHARED is not set and no --shared FOLDER"):
        model.load_initial(model.LivenessNet(), "shared", "")


def test_auto_takes_the_first_there_is(offline, tmp_path, capsys):
    assert model.load_initial(model.LivenessNet(), "auto", str(tmp_path)).description == "random"
    assert "WARNING" in capsys.readouterr().out
    (tmp_path / "weights").mkdir()
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "weights" / "resnet18_trunk_l3.pth")
    assert model.load_initial(model.LivenessNet(), "auto", str(tmp_path)).description.startswith("resnet18_trunk_l3.pth")


def test_a_1001st_class_means_tensorflow(tmp_path):
    for classes in (1000, 1001):
        torch.save(torchvision.models.mobilenet_v2(num_classes=classes).state_dict(), tmp_path / "w.pth")
        net = model.LivenessNet(encoder="mobilenet_v2")
        model.load_initial(net, str(tmp_path / "w.pth"), str(tmp_path))
        assert net.encoder.tensorflow == (classes == 1001)


def fold(net: nn.Module) -> None:
    """Identity batch norms with a bias, as folding leaves them."""
    torch.manual_seed(0)
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_var.fill_(1 - m.eps)
            nn.init.normal_(m.bias, std=0.3)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_batch_norm_reestimation_keeps_the_eval_function(encoder):
    net = model.LivenessNet(encoder=encoder).eval()
    fold(net)
    images, probe = torch.randn(8, 3, 64, 64) * 2 + 0.5, torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        before = net.features(probe)
        assert float((net.features(images) - net.train().features(images)).abs().mean()) > 0.1 * float(before.abs().mean()), "far off"
        fold(net)  # the training pass above moved the running statistics
        for m in net.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.running_mean.zero_()
        model.reestimate_batch_norm(net, images)
        torch.testing.assert_close(net.features(probe), before, atol=1e-3 * float(before.abs().max()), rtol=1e-3)
        # And training mode now starts near that function on the same pictures.
        evaluated, trained = net.features(images), net.train().features(images)
    assert float((evaluated - trained).abs().mean()) < 0.02 * float(evaluated.abs().mean())


@pytest.mark.skipif(not SHARED, reason="LIVEPROOF_SHARED is not set: no shared weights")
@pytest.mark.parametrize("encoder, missing", [("resnet18", "layer4"), ("mobilenet_v2", "head")])
def test_shared_weights(encoder, missing):
    net = model.LivenessNet(encoder=encoder)
    first = model.load_initial(net, "shared", SHARED)
    assert first.folded and all(n.startswith((f"encoder.{missing}", "head")) for n in first.missing)
    assert getattr(net.encoder, "tensorflow", True)
