"""Domain-adversarial learning (Eq. 6; Ganin & Lempitsky 2015): gradient reversal and the domain discriminator.

The schedule is passed in and nothing counts calls, so that evaluating the discriminator never advances it.
"""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import nn

from ..settings import setting

HIDDEN = 512
DROPOUT = 0.5


@dataclasses.dataclass
class DomainSettings:
    """The adversary over domains."""

    adversary: str = setting("on", "domain discriminator behind a gradient reversal; needs two domains", ("on", "off"))
    grl: str = setting("ganin", "reversal coefficient: 2/(1+exp(-10p))-1 with p from 0 to 1 over the run, or constant 1", ("ganin", "constant"))
    mixed_domain: str = setting("shares", "domain label of a mixed picture: pixel shares, none, or the anchor's", ("shares", "exclude", "anchor"))


class GradientReversal(torch.autograd.Function):
    """Identity forwards; backwards the gradient times ``-coefficient``."""

    @staticmethod
    def forward(ctx, x: torch.Tensor, coefficient: float) -> torch.Tensor:
        ctx.coefficient = coefficient
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        return -ctx.coefficient * gradient, None


def reverse(x: torch.Tensor, coefficient: float) -> torch.Tensor:
    return GradientReversal.apply(x, coefficient)


def ganin(progress: float) -> float:
    """2 / (1 + exp(-10 p)) - 1: from 0 at the start to almost 1; ``progress`` p in [0, 1] is the share of the run done."""
    if not 0 <= progress <= 1:
        raise ValueError(f"progress {progress} is not in [0, 1]")
    return 2 / (1 + math.exp(-10 * progress)) - 1


class DomainDiscriminator(nn.Sequential):
    """Features [N, F] -> domain logits [N, D]; one hidden layer of 512, ReLU, dropout 0.5."""

    def __init__(self, features: int, domains: int):
        if domains < 2:
            raise ValueError(f"a discriminator needs at least 2 domains, got {domains}")
        super().__init__(nn.Linear(features, HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, domains))


class Adversarial(nn.Module):
    """The network with its discriminator in one forward pass, so that data parallel training can wrap both.

    ``domains`` 0: no discriminator, and the domain logits are None.
    """

    def __init__(self, net: nn.Module, domains: int):
        super().__init__()
        self.net = net
        self.discriminator = DomainDiscriminator(net.feature_size, domains) if domains else None

    def forward(self, images: torch.Tensor, coefficient: float = 0.0):
        """(Evidence, domain logits [N, D] or None); ``coefficient`` is the reversal's, see :func:`ganin`."""
        evidence = self.net.evidence(images)
        if self.discriminator is None:
            return evidence, None
        return evidence, self.discriminator(reverse(evidence.features.float(), coefficient))
