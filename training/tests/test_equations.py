"""Eq. 1 to 6 against values worked out by hand."""

import math

import numpy as np
import pytest
import torch

from liveproof_training.method import adversary, losses, model, pdle


@pytest.mark.parametrize("k", [2, 5, 10, 17])
def test_eq1_levels_are_one_to_k_and_equally_likely(k):
    rng = np.random.default_rng(k)
    draws = torch.tensor([pdle.draw_level(k, rng) for _ in range(4000)])
    counts = torch.bincount(draws, minlength=k + 1)
    assert counts[0] == 0 and len(counts) == k + 1
    assert (counts[1:].float() / 4000 - 1 / k).abs().max() < 0.04


@pytest.mark.parametrize("anchor, lam, want", [(1.0, 0.3, 0.7), (0.0, 0.3, 0.3), (1.0, 1.0, 0.0), (0.0, 1.0, 1.0)])
def test_eq2_label(anchor, lam, want):
    assert pdle.mixed_label(anchor, lam) == pytest.approx(want)


@pytest.mark.parametrize("size", [96, 112, 128, 224])
@pytest.mark.parametrize("k", [2, 5, 10, 17])
def test_eq2_label_is_the_share_of_real_pixels(k, size):
    rng = np.random.default_rng(1)
    for u in range(1, k + 1):
        box = pdle.draw_box(size, size, u / k, rng)
        for label in (1.0, 0.0):
            picture, other = np.full((size, size), label), np.full((size, size), 1 - label)
            pdle.paste(picture, other, box)
            assert abs(picture.mean() - pdle.mixed_label(label, u / k)) <= 0.005, (u, k, size)


def test_eq3_atoms():
    torch.testing.assert_close(model.atoms(4), torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0]))


def test_eq4_expected_score():
    p = torch.tensor([[0.5, 0.0, 0.5], [0.1, 0.2, 0.7], [1.0, 0.0, 0.0]])
    torch.testing.assert_close(model.expected_score(p), torch.tensor([0.5, 0.8, 0.0]))


def test_eq5_mean_squared_error_is_minimised_not_maximised():
    loss = losses.score_mse(torch.tensor([0.9, 0.2]), torch.tensor([1.0, 0.5])).mean()
    assert float(loss) == pytest.approx((0.01 + 0.09) / 2)


def test_eq6_weights():
    assert float(losses.total(torch.tensor(0.2), torch.tensor(1.0), 0.5)) == pytest.approx(0.6)
    assert float(losses.total(torch.tensor(0.2), torch.tensor(1.0), 0.9)) == pytest.approx(0.28)
    assert float(losses.total(torch.tensor(0.2), None, 0.5)) == pytest.approx(0.2)


def test_domain_loss_takes_soft_labels_and_leaves_out_rows_of_zeros():
    logits = torch.tensor([[2.0, 0.0], [0.0, 0.0], [5.0, -5.0]])
    shares = torch.tensor([[1.0, 0.0], [0.3, 0.7], [0.0, 0.0]])
    want = (math.log(1 + math.exp(-2)) + math.log(2)) / 2
    assert float(losses.domain_cross_entropy(logits, shares)) == pytest.approx(want, rel=1e-5)
    assert float(losses.domain_cross_entropy(logits, shares * 0)) == 0


def test_bce_by_hand():
    loss = losses.score_bce(torch.tensor([[0.0], [2.0]]), torch.tensor([1.0, 0.0])).mean()
    assert float(loss) == pytest.approx((math.log(2) + math.log(1 + math.exp(2))) / 2, rel=1e-5)


@pytest.mark.parametrize("coefficient", [0.0, 0.3, 1.0])
def test_reversal_turns_the_gradient_round(coefficient):
    torch.manual_seed(0)
    layer, x = torch.nn.Linear(5, 3), torch.randn(4, 5)

    def gradient(reverse):
        features = x.clone().requires_grad_()
        seen = adversary.reverse(features, coefficient) if reverse else features
        layer.zero_grad()
        layer(seen).square().sum().backward()
        return features.grad, layer.weight.grad.clone()

    plain, plain_weight = gradient(False)
    turned, weight = gradient(True)
    torch.testing.assert_close(turned, -coefficient * plain)
    torch.testing.assert_close(weight, plain_weight)  # the discriminator itself learns the right way


@pytest.mark.parametrize("p, want", [(0.0, 0.0), (0.1, 0.46212), (0.5, 0.98661), (1.0, 0.99991)])
def test_ganin_schedule(p, want):
    assert adversary.ganin(p) == pytest.approx(want, abs=1e-5)
    assert adversary.ganin(p) == adversary.ganin(p), "asking does not advance it"


def test_schedule_outside_the_run_is_refused():
    with pytest.raises(ValueError, match="progress"):
        adversary.ganin(1.5)


def test_discriminator_pushes_the_encoder_to_confuse_domains():
    torch.manual_seed(1)
    both = adversary.Adversarial(model.LivenessNet(k=4), domains=3).eval()
    images, shares = torch.randn(6, 3, 64, 64), torch.eye(3).repeat(2, 1)
    gradients = []
    for coefficient in (0.5, -0.5):
        both.zero_grad()
        evidence, logits = both(images, coefficient)
        assert logits.shape == (6, 3) and evidence.rho.shape == (6,)
        losses.domain_cross_entropy(logits, shares).backward()
        gradients.append(both.net.encoder.conv1.weight.grad.clone())
    torch.testing.assert_close(gradients[0], -gradients[1])
    assert gradients[0].abs().sum() > 0


def test_without_domains_there_is_no_discriminator():
    both = adversary.Adversarial(model.LivenessNet(k=4), domains=0).eval()
    assert both(torch.zeros(1, 3, 64, 64))[1] is None
    with pytest.raises(ValueError, match="2 domains"):
        adversary.DomainDiscriminator(512, 1)


def test_sigmoid_head_is_a_two_atom_model():
    net = model.LivenessNet(head="sigmoid").eval()
    evidence = net.evidence(torch.randn(2, 3, 64, 64))
    assert evidence.probabilities.shape == (2, 2)
    torch.testing.assert_close(model.expected_score(evidence.probabilities), evidence.rho)
    with pytest.raises(ValueError, match="head"):
        model.LivenessNet(head="softmax")


def test_group_dro_weighs_the_family_with_the_largest_loss():
    each = torch.tensor([0.2, 0.4, 1.0], requires_grad=True)
    shares = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.0, 1.0, 0.0]])  # nobody is of the third
    start = torch.tensor([0.5, 0.25, 0.25])
    loss, weights = losses.worst_family(each, shares, start, math.log(2))
    first, second = (0.2 + 0.5 * 0.4) / 1.5, (0.5 * 0.4 + 1.0) / 1.5  # losses of the two families, 4/15 and 4/5
    grown = [0.5 * 2**first, 0.25 * 2**second, 0.25]
    want = [g / sum(grown) for g in grown]
    torch.testing.assert_close(weights, torch.tensor(want))
    assert float(loss) == pytest.approx(want[0] * first + want[1] * second)
    loss.backward()
    torch.testing.assert_close(each.grad, torch.tensor([want[0] / 1.5, (want[0] + want[1]) / 3, want[1] / 1.5]))  # the weights are no function of it


def test_group_dro_with_rate_0_is_the_mean_over_families():
    each, shares = torch.tensor([0.1, 0.3, 0.8]), torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    loss, weights = losses.worst_family(each, shares, torch.tensor([0.5, 0.5]), 0.0)
    assert float(loss) == pytest.approx((0.2 + 0.8) / 2) and weights.tolist() == [0.5, 0.5]
