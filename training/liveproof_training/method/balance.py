"""Exposure and white balance by the face, inside the network: the light of a room, a printer's cast and a skin's tone tell nothing of liveness.

What surrounds the face is made grey: the colour of a wall tells nothing of liveness either, its texture and its edges do.
While training, noise hides what is finer than a byte or two, where cameras and codecs differ more than faces and attacks do.

All of it is arithmetic of whole numbers, which no processor rounds in its own way: bytes in bfloat16 would lose their last bit.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from .. import contract

SHARE = 0.35  # of the picture's side: a square in the middle, all face at the contract's margin
AIM = (150, 120, 105)  # mean of that square afterwards, sRGB bytes: a well exposed face
DARKEST = 8  # bytes; a mean below it counts as this, so that a black picture stays dark
GAIN = 1 << 10  # a gain of 1
FACE = (85 / 224, 108 / 224)  # half axes of the ellipse that keeps its colours, across and down, as shares of the picture's side
RIM = 0.15  # of the ellipse's radius, over which the colours fade
WHOLE = 1 << 8  # all of a colour, and the sum of LUMA
LUMA = (54, 183, 19)  # BT.709
GRAIN = (0.25, 3.0)  # sRGB bytes; deviation of the noise while training, log-uniform over pictures


def middle(side: int) -> slice:
    """The square's rows or columns in a picture of ``side`` pixels."""
    half = round(SHARE * side / 2)
    return slice(side // 2 - half, side // 2 + half)


def area(side: int) -> int:
    """Pixels of the square."""
    square = middle(side)
    return (square.stop - square.start) ** 2


def colourful(side: int) -> np.ndarray:
    """int32 [side, side]: how much of its colour each pixel keeps, WHOLE on the face and 0 around it."""
    across, down = (((np.arange(side) - side / 2) / (axis * side)) ** 2 for axis in FACE)
    radius = np.sqrt(down[:, None] + across[None, :])
    return np.round(WHOLE * np.clip((1 - radius) / RIM + 0.5, 0, 1)).astype(np.int32)


class Balance(nn.Module):
    """A gain for each of red, green and blue gives the face's middle the mean AIM, and the surroundings become grey.

    The result is bytes again. ImageNet-normalised [N, 3, S, S] in and out.
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
        pixels = ((x.float() - self.black) / self.byte).round().long()
        side = pixels.shape[-1]
        level = pixels[..., middle(side), middle(side)].sum(dim=(2, 3), keepdim=True).clamp_min(DARKEST * area(side))
        lit = pixels * (self.aim * GAIN * area(side) // level)
        seen = ((self._seen(lit) + GAIN // 2) // GAIN).float()
        if self.training:
            seen = (seen + _grain(len(seen), x.device) * torch.randn_like(seen)).round()
        return seen.clamp(0, 255) * self.byte + self.black

    def _seen(self, lit: torch.Tensor) -> torch.Tensor:
        kept = torch.from_numpy(colourful(lit.shape[-1])).to(lit)
        return (kept * lit + (WHOLE - kept) * self._grey(lit)) // WHOLE

    def _grey(self, lit: torch.Tensor) -> torch.Tensor:
        return (lit * self.luma).sum(dim=1, keepdim=True) // WHOLE


class Views(Balance):
    """Two pictures of each: as :class:`Balance` gives it, and without any colour. [N, 3, S, S] in, [2N, 3, S, S] out, all of the first kind first."""

    views = 2

    def _seen(self, lit: torch.Tensor) -> torch.Tensor:
        return torch.cat([super()._seen(lit), self._grey(lit).expand_as(lit)])


class Crops(nn.Module):
    """In place of a balance, for studies: several crops of a face, one after the other in the channels, as so many pictures.
    [N, 3 C, S, S] in, [C N, 3, S, S] out, all of the first crop first."""

    def __init__(self, count: int):
        super().__init__()
        self.views = count

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat(x.chunk(self.views, dim=1))


KINDS = {"face": Balance, "views": Views}


def _grain(count: int, device: torch.device) -> torch.Tensor:
    low, high = (math.log(v) for v in GRAIN)
    return torch.exp(low + (high - low) * torch.rand(count, 1, 1, 1, device=device))
