import pytest
import torch
from torch import nn

from liveproof_training import losses, model


def test_expected_score_by_hand():
    p = torch.tensor([[0.0, 0.5, 0.0, 0.0, 0.5], [1.0, 0, 0, 0, 0], [0, 0, 0, 0, 1.0]])
    # K = 4, atoms 0, 1/4, 1/2, 3/4, 1
    assert model.expected_score(p).tolist() == pytest.approx([0.5 * 0.25 + 0.5, 0.0, 1.0])


def test_atoms_of_k_ten():
    assert model.atoms(10).tolist() == pytest.approx([i / 10 for i in range(11)])


def test_loss_by_hand_and_its_sign():
    rho = torch.tensor([0.2, 0.9], requires_grad=True)
    target = torch.tensor([0.0, 1.0])
    loss = losses.score_mse(rho, target)
    assert float(loss) == pytest.approx((0.04 + 0.01) / 2)
    loss.backward()
    # A descent step must bring rho closer to its target: down for the first, up for the second.
    assert rho.grad[0] > 0 > rho.grad[1]
    assert rho.grad.tolist() == pytest.approx([0.2, -0.1])


def test_network_outputs():
    net = model.LivenessNet(10).eval()
    rho, p = net(torch.randn(3, 3, 224, 224))
    assert rho.shape == (3,) and p.shape == (3, 11)
    assert torch.allclose(p.sum(1), torch.ones(3), atol=1e-5)
    assert ((rho >= 0) & (rho <= 1)).all()


def folded_net():
    """Three layers with identity batch norms, as folding leaves them."""
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU()
    )
    for m in net:
        if isinstance(m, nn.BatchNorm2d):
            m.running_var.fill_(1 - m.eps)
            nn.init.normal_(m.bias)
    return net


def test_batch_norm_reestimation_keeps_the_eval_function():
    net = folded_net().eval()
    images, probe = torch.randn(16, 3, 24, 24) * 3 + 1, torch.randn(4, 3, 24, 24)
    with torch.no_grad():
        before = net(probe)
        model.reestimate_batch_norm(net, images)
        assert torch.allclose(net(probe), before, atol=1e-4)
        # And training mode now starts near that function on the same pictures.
        evaluated, trained = net(images), net.train()(images)
    assert float((evaluated - trained).abs().mean()) < 0.01


def test_without_reestimation_training_mode_is_far_off():
    net = folded_net()
    images = torch.randn(16, 3, 24, 24) * 3 + 1
    with torch.no_grad():
        assert float((net.eval()(images) - net.train()(images)).abs().mean()) > 0.1
