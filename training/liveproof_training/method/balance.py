"""Exposure and white balance by the face, inside the network: the light of a room, a printer's cast and a skin's tone tell nothing of liveness.

While training, noise hides what is finer than a byte or two, where cameras and codecs differ more than faces and attacks do.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from .. import contract

SHARE = 0.35  # of the picture's side: a square in the middle, all face at the contract's margin
AIM = (150.0, 120.0, 105.0)  # mean of that square afterwards, sRGB bytes: a well exposed face
GRAIN = (0.25, 3.0)  # sRGB bytes; deviation of the noise while training, log-uniform over pictures
DARKEST = 8.0  # bytes; a mean below it counts as this, so that a black picture stays dark


def middle(side: int) -> slice:
    """The square's rows or columns in a picture of ``side`` pixels."""
    half = round(SHARE * side / 2)
    return slice(side // 2 - half, side // 2 + half)


class Balance(nn.Module):
    """A gain for each of red, green and blue gives the face's middle the mean AIM; the result is rounded and cut off as bytes are.

    ImageNet-normalised [N, 3, H, W] in and out.
    """

    def __init__(self):
        super().__init__()
        mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (contract.IMAGENET_MEAN, contract.IMAGENET_STD))
        self._constant("black", -mean / deviation)
        self._constant("byte", 1 / 255 / deviation)
        self._constant("aim", torch.tensor(AIM).view(1, 3, 1, 1))

    def _constant(self, name: str, value: torch.Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pixels = (x.float() - self.black) / self.byte
        level = pixels[..., middle(x.shape[-2]), middle(x.shape[-1])].mean(dim=(2, 3), keepdim=True)
        pixels = pixels * (self.aim / level.clamp_min(DARKEST))
        if self.training:
            pixels = pixels + _grain(len(x), x.device) * torch.randn_like(pixels)
        return pixels.round().clamp(0, 255) * self.byte + self.black


def _grain(count: int, device: torch.device) -> torch.Tensor:
    low, high = (math.log(v) for v in GRAIN)
    return torch.exp(low + (high - low) * torch.rand(count, 1, 1, 1, device=device))
