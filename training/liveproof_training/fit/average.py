"""A running mean of the weights: what is scored and kept of a run whose steps are noisy."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Average:
    """Exponential moving average of all weights and batch norms' statistics; young averages forget faster."""

    def __init__(self, net: nn.Module, decay: float):
        self.net, self.decay, self.updates = copy.deepcopy(net).eval().requires_grad_(False), decay, 0

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 10))
        for mean, now in zip(self.net.state_dict().values(), net.state_dict().values()):
            if mean.is_floating_point():
                mean.lerp_(now.detach(), 1 - decay)
            else:
                mean.copy_(now)
