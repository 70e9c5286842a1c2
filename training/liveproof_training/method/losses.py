"""The losses: Eq. 5 (its minus sign would maximise the error and is read as a plus), its rivals, and Eq. 6."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch.nn import functional

from ..settings import setting
from .model import Evidence


def score_mse(rho: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Eq. 5: mean squared difference between expected liveness score and PDLE label, both [N]."""
    return ((rho.float() - target.float()) ** 2).mean()


def score_bce(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy of a scalar logit [N] or [N, 1]: the baseline that the paper argues against."""
    return functional.binary_cross_entropy_with_logits(logits.float().reshape(-1), target.float())


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
    of: Callable[[Evidence, torch.Tensor], torch.Tensor]  # (what the network gives, targets [N]) -> a number
    head: str = ""  # the only head that it goes with; empty: any


# A new loss is a line here: flag, help, check and training take it from this table.
LOSSES = {
    "mse": ScoreLoss("Eq. 5", lambda evidence, targets: score_mse(evidence.rho, targets)),
    "bce": ScoreLoss("binary cross-entropy", lambda evidence, targets: score_bce(evidence.logits, targets), head="sigmoid"),
}


def _summary(name: str, loss: ScoreLoss) -> str:
    return f"{name}: {loss.summary}" + (f", with --head {loss.head}" if loss.head else "")


@dataclasses.dataclass
class LossSettings:
    """The score's loss, and its weight beside the adversary's."""

    loss: str = setting("mse", "; ".join(_summary(*item) for item in LOSSES.items()), tuple(LOSSES))
    alpha: float = setting(0.5, "weight of the score's loss in Eq. 6; the adversary's is 1 - alpha", low=0, high=1)
