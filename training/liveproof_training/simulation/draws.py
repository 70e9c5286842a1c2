"""Random parameters of a batch: one number a picture, shaped [N, 1, 1, 1] so that it spreads over pixels."""

from __future__ import annotations

import math

import torch


class Draws:
    """Draws for ``n`` pictures on a device; the same seed gives the same pictures on the same device."""

    def __init__(self, n: int, device: torch.device, generator: torch.Generator | None = None):
        self.n, self.device, self.generator = n, device, generator

    def uniform(self, low: float, high: float) -> torch.Tensor:
        return low + (high - low) * torch.rand(self.n, 1, 1, 1, device=self.device, generator=self.generator)

    def log_uniform(self, low: float, high: float) -> torch.Tensor:
        return torch.exp(self.uniform(math.log(low), math.log(high)))

    def normal(self, deviation: float, channels: int = 1) -> torch.Tensor:
        """N(0, deviation²), [N, channels, 1, 1]."""
        return deviation * torch.randn(self.n, channels, 1, 1, device=self.device, generator=self.generator)

    def chance(self, probability: float) -> torch.Tensor:
        """1.0 in that share of the pictures, else 0.0."""
        return (torch.rand(self.n, 1, 1, 1, device=self.device, generator=self.generator) < probability).float()

    def sometimes(self, probability: float, value: torch.Tensor, otherwise: float = 0.0) -> torch.Tensor:
        """``value`` in that share of the pictures."""
        return torch.where(self.chance(probability) > 0, value, torch.full_like(value, otherwise))

    def white(self, side: int, channels: int = 1) -> torch.Tensor:
        """White noise of deviation 1, [N, channels, side, side]."""
        return torch.randn(self.n, channels, side, side, device=self.device, generator=self.generator)

    def field(self, side: int, cells: int, channels: int = 1) -> torch.Tensor:
        """A smooth random field in about [-1, 1] with ``cells`` bumps along each axis, [N, channels, side, side]."""
        seed = 2 * torch.rand(self.n, channels, cells + 2, cells + 2, device=self.device, generator=self.generator) - 1
        return torch.nn.functional.interpolate(seed, size=(side, side), mode="bicubic", align_corners=True)

    def order(self) -> torch.Tensor:
        """A cyclic shift of the batch: another picture for each, [N] of indices."""
        shift = int(torch.randint(1, max(2, self.n), (1,), device=self.device, generator=self.generator))
        return (torch.arange(self.n, device=self.device) + shift) % self.n
