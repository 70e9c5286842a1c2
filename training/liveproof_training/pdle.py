"""Pseudo-discretized label encoding, Eq. 1 and 2 of the paper.

A rectangle of an opposite-class image is pasted into an anchor image. The share of the
picture that shows a real face is the label, on the grid 0, 1/K, ..., 1.

Readings of what the paper leaves open: the box holds the share lambda of the area, lies fully
inside the picture and keeps the picture's aspect; u = K (the whole picture) is allowed unless
``max_level`` says less. Mixing happens at network resolution, after each image's own crop and
flip, so that the area share stays the label.
"""

from __future__ import annotations

import dataclasses
import math

import torch


@dataclasses.dataclass(frozen=True)
class Box:
    """Rows top..bottom and columns left..right, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    def share(self, height: int, width: int) -> float:
        return (self.bottom - self.top) * (self.right - self.left) / (height * width)


def draw_level(k: int, generator: torch.Generator, max_level: int | None = None) -> int:
    """u ~ U{1, ..., K} (Eq. 1)."""
    return int(torch.randint(1, (max_level or k) + 1, (), generator=generator))


def draw_box(height: int, width: int, share: float, generator: torch.Generator) -> Box:
    """A box of sides sqrt(share) times the picture's, its corner uniform over all places fully inside."""
    h, w = _sides(height, width, share)
    top = int(torch.randint(0, height - h + 1, (), generator=generator))
    left = int(torch.randint(0, width - w + 1, (), generator=generator))
    return Box(top, top + h, left, left + w)


def _sides(height: int, width: int, share: float) -> tuple[int, int]:
    """Whole sides near sqrt(share) of the picture's whose product comes closest to the share."""
    root = math.sqrt(share)
    h = min(height, max(1, round(root * height)))
    w = min(width, max(1, round(share * height * width / h)))
    return h, w


def mixed_label(anchor_label: float, lam: float) -> float:
    """Eq. 2: 1 - lambda for a real anchor, lambda for a spoof anchor."""
    return 1.0 - lam if anchor_label == 1.0 else lam


def exchange(anchor: torch.Tensor, other: torch.Tensor, box: Box) -> torch.Tensor:
    """Eq. 2: M x_a + (1 - M) x_b with M = 0 inside the box. Tensors are [C, H, W]."""
    out = anchor.clone()
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    out[:, rows, columns] = other[:, rows, columns]
    return out


def encode(
    anchor: torch.Tensor,
    anchor_label: float,
    other: torch.Tensor,
    k: int,
    generator: torch.Generator,
    max_level: int | None = None,
) -> tuple[torch.Tensor, float]:
    """One mixed image and its label from an anchor and an image of the opposite class."""
    lam = draw_level(k, generator, max_level) / k
    box = draw_box(anchor.shape[-2], anchor.shape[-1], lam, generator)
    return exchange(anchor, other, box), mixed_label(anchor_label, lam)
