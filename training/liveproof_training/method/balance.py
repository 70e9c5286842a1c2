"""Exposure and white balance by the face, inside the network: the light of a room, a printer's cast and a skin's tone tell nothing of liveness.

What surrounds the face is made grey: the colour of a wall tells nothing of liveness either, its texture and its edges do.
While training, noise hides what is finer than a byte or two, where cameras and codecs differ more than faces and attacks do.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from .. import contract

SHARE = 0.35  # of the picture's side: a square in the middle, all face at the contract's margin
AIM = (150.0, 120.0, 105.0)  # mean of that square afterwards, sRGB bytes: a well exposed face
FACE = (85 / 224, 108 / 224)  # half axes of the ellipse that keeps its colours, across and down, as shares of the picture's side
RIM = 0.15  # of the ellipse's radius, over which the colours fade
LUMA = (0.2126, 0.7152, 0.0722)  # BT.709
GRAIN = (0.25, 3.0)  # sRGB bytes; deviation of the noise while training, log-uniform over pictures
DARKEST = 8.0  # bytes; a mean below it counts as this, so that a black picture stays dark


def middle(side: int) -> slice:
    """The square's rows or columns in a picture of ``side`` pixels."""
    half = round(SHARE * side / 2)
    return slice(side // 2 - half, side // 2 + half)


def offsets(side: int, axis: float) -> np.ndarray:
    """float32 [side]: squared distance of the rows or columns from the middle, in half axes of FACE."""
    return (((np.arange(side) - side / 2) / (axis * side)) ** 2).astype(np.float32)


def colourful(side: int) -> np.ndarray:
    """float32 [side, side]: the share of its colour that each pixel keeps, 1 on the face and 0 around it."""
    across, down = (offsets(side, axis) for axis in FACE)
    radius = np.sqrt(down[:, None] + across[None, :])
    return np.clip((1 - radius) / RIM + 0.5, 0, 1)


class Balance(nn.Module):
    """A gain for each of red, green and blue gives the face's middle the mean AIM, and the surroundings become grey.

    The result is rounded and cut off as bytes are.

    ImageNet-normalised [N, 3, S, S] in and out.
    """

    views = 1  # pictures out for each that comes in

    def __init__(self):
        super().__init__()
        mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (contract.IMAGENET_MEAN, contract.IMAGENET_STD))
        self._constant("black", -mean / deviation)
        self._constant("byte", 1 / 255 / deviation)
        self._constant("aim", torch.tensor(AIM).view(1, 3, 1, 1))
        self._constant("luma", torch.tensor(LUMA).view(1, 3, 1, 1))

    def _constant(self, name: str, value: torch.Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pixels = (x.float() - self.black) / self.byte
        level = pixels[..., middle(x.shape[-2]), middle(x.shape[-1])].mean(dim=(2, 3), keepdim=True)
        pixels = self._seen(pixels * (self.aim / level.clamp_min(DARKEST)))
        if self.training:
            pixels = pixels + _grain(len(pixels), x.device) * torch.randn_like(pixels)
        return pixels.round().clamp(0, 255) * self.byte + self.black

    def _seen(self, lit: torch.Tensor) -> torch.Tensor:
        grey = self._grey(lit)
        return grey + torch.from_numpy(colourful(lit.shape[-1])).to(lit) * (lit - grey)

    def _grey(self, lit: torch.Tensor) -> torch.Tensor:
        return (lit * self.luma).sum(dim=1, keepdim=True)


class Views(Balance):
    """Two pictures of each: as :class:`Balance` gives it, and without any colour. [N, 3, S, S] in, [2N, 3, S, S] out, all of the first kind first."""

    views = 2

    def _seen(self, lit: torch.Tensor) -> torch.Tensor:
        return torch.cat([super()._seen(lit), self._grey(lit).expand_as(lit)])


KINDS = {"face": Balance, "views": Views}


def _grain(count: int, device: torch.device) -> torch.Tensor:
    low, high = (math.log(v) for v in GRAIN)
    return torch.exp(low + (high - low) * torch.rand(count, 1, 1, 1, device=device))
