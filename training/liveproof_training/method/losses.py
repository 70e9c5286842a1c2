"""The losses: Eq. 5 (its minus sign would maximise the error and is read as a plus), its rivals, and Eq. 6."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch.nn import functional

from ..settings import setting
from .model import Evidence


def score_mse(rho: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Eq. 5 before its mean over the batch: squared difference between expected liveness score and PDLE label, all [N]."""
    return (rho.float() - target.float()) ** 2


def score_bce(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy [N] of a scalar logit [N] or [N, 1]: the baseline that the paper argues against."""
    return functional.binary_cross_entropy_with_logits(logits.float().reshape(-1), target.float(), reduction="none")


def worst_family(each: torch.Tensor, shares: torch.Tensor, weights: torch.Tensor, rate: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Group DRO (Sagawa et al. 2020, arXiv:1911.08731, Algorithm 1): (the loss sum_g q_g l_g, the weights q [F] that it was taken with).

    l_g is the mean of ``each`` [N] over family g, whose pictures have its ``shares`` [N, F]; ``weights``: those of the step before.
    q_g grows by exp(``rate`` l_g), then all are divided by their sum, so that the family with the largest loss comes to count most. A
    family without pictures has l_g = 0, as in the authors' code.
    """
    means = (each[:, None] * shares).sum(dim=0) / shares.sum(dim=0).clamp_min(1e-12)
    grown = weights * torch.exp(rate * means.detach())
    grown = grown / grown.sum()
    return (grown * means).sum(), grown


def domain_cross_entropy(logits: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """L_adv: cross-entropy of domain logits [N, D] with soft labels [N, D].

    A mixed picture's label holds the pixel shares of its two domains. Rows of zeros (pictures without
    a domain) are left out; with none left the loss is 0.
    """
    weight = shares.sum(dim=1)
    loss = -(shares * functional.log_softmax(logits.float(), dim=1)).sum(dim=1)
    return loss.sum() / weight.sum().clamp_min(1e-12)


def total(score: torch.Tensor, domain: torch.Tensor | None, alpha: float = 0.5) -> torch.Tensor:
    """Eq. 6: alpha * L_mse + (1 - alpha) * L_adv. Without an adversary the score loss alone."""
    return score if domain is None else alpha * score + (1 - alpha) * domain


@dataclasses.dataclass(frozen=True)
class ScoreLoss:
    """A choice of ``--loss``."""

    summary: str  # for --help
    of: Callable[[Evidence, torch.Tensor], torch.Tensor]  # (what the network gives, targets [N]) -> [N]; its mean is the loss
    head: str = ""  # the only head that it goes with; empty: any


# A new loss is a line here: flag, help, check and training take it from this table.
LOSSES = {
    "mse": ScoreLoss("Eq. 5", lambda evidence, targets: score_mse(evidence.rho, targets)),
    "bce": ScoreLoss("binary cross-entropy", lambda evidence, targets: score_bce(evidence.logits, targets), head="sigmoid"),
}


def _summary(name: str, loss: ScoreLoss) -> str:
    return f"{name}: {loss.summary}" + (f", with --head {loss.head}" if loss.head else "")


FAMILIES = (
    "mean: every picture counts alike; worst: group DRO, the family of attacks (print, cut, replay) with the largest loss counts most; "
    "simulated pairs only"
)


@dataclasses.dataclass
class LossSettings:
    """The score's loss, and its weight beside the adversary's."""

    loss: str = setting("mse", "; ".join(_summary(*item) for item in LOSSES.items()), tuple(LOSSES))
    alpha: float = setting(0.5, "weight of the score's loss in Eq. 6; the adversary's is 1 - alpha", low=0, high=1)
    families: str = setting("mean", FAMILIES, ("mean", "worst"))
    family_rate: float = setting(0.1, "step size of the families' weights with families worst", low=0)
