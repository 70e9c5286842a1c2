"""Pseudo-discretized label encoding, Eq. 1 and 2 of the paper.

A rectangle of an opposite-class image is pasted into an anchor image. The share of the
picture that shows a real face is the label, on the grid 0, 1/K, ..., 1.

Readings of what the paper leaves open: the box holds the share lambda of the area, lies fully
inside the picture and keeps the picture's aspect; u = K (the whole picture) is allowed unless
``max_level`` says less. Mixing happens at network resolution, after each image's own crop and
flip, so that the area share stays the label. The variants are :class:`Encoding`'s fields.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np

from ..settings import setting

BOXES = ("square-root", "aspect", "clip")
LABELS = ("discrete", "continuous")
MAX_ASPECT = 3.0  # of box "aspect": height over width relative to the picture's, and its inverse


@dataclasses.dataclass(frozen=True)
class Box:
    """Rows top..bottom and columns left..right, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    def share(self, height: int, width: int) -> float:
        return (self.bottom - self.top) * (self.right - self.left) / (height * width)


@dataclasses.dataclass(frozen=True)
class Encoding:
    """How a mixed picture is drawn; the defaults are the paper's as read."""

    k: int = 10
    max_level: int | None = None  # largest u of Eq. 1, None: K
    box: str = "square-root"  # "aspect": random aspect, same area; "clip": CutMix's, clipped at the border, label re-measured
    labels: str = "discrete"  # lambda = u / K; "continuous": lambda ~ U(0, 1)

    def draw(self, height: int, width: int, rng: np.random.Generator) -> tuple[Box, float]:
        """A box and the lambda that stands for it in the label."""
        lam = draw_level(self.k, rng, self.max_level) / self.k if self.labels == "discrete" else 1.0 - rng.random()
        if self.box == "clip":
            box = draw_clipped_box(height, width, lam, rng)
            return box, box.share(height, width)
        aspect = _draw_aspect(lam, rng) if self.box == "aspect" else 1.0
        return draw_box(height, width, lam, rng, aspect), lam


@dataclasses.dataclass
class ExchangeSettings:
    """Patch exchange and label encoding: which pictures are mixed, with which, and how."""

    k: int = setting(10, "K of Eq. 1", low=1)
    label_encoding: str = setting("discrete", "lambda = u/K (Eq. 1), or continuous: lambda ~ U(0, 1)", LABELS)
    mix: str = setting("append", "append one mixed picture per original, replace originals, or none", ("append", "replace", "none"))
    mix_prob: float = setting(0.5, "share of originals replaced with --mix replace", low=0, high=1)
    max_level: int = setting(0, "largest u of Eq. 1, 0: K; K-1 leaves out whole-picture exchange", low=0)
    box: str = setting(
        "square-root",
        "shape of the exchanged box: the picture's; aspect: random aspect ratio, same area; "
        "clip: CutMix's, clipped at the border, label measured again",
        BOXES,
    )
    partner: str = setting("all", "the other picture's source: all of the training set (Sec. 2.2), by --sampling; or the batch", ("all", "batch"))

    def encoding(self) -> Encoding:
        return Encoding(self.k, self.max_level or None, self.box, self.label_encoding)


def draw_level(k: int, rng: np.random.Generator, max_level: int | None = None) -> int:
    """u ~ U{1, ..., K} (Eq. 1)."""
    return int(rng.integers(1, (max_level or k) + 1))


def draw_box(height: int, width: int, share: float, rng: np.random.Generator, aspect: float = 1.0) -> Box:
    """A box of sides sqrt(share) times the picture's, its corner uniform over all places fully inside."""
    h, w = sides(height, width, share, aspect)
    top, left = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
    return Box(top, top + h, left, left + w)


def draw_clipped_box(height: int, width: int, share: float, rng: np.random.Generator) -> Box:
    """CutMix's: the centre uniform over the picture, what reaches beyond the border cut off, so the share shrinks."""
    h, w = sides(height, width, share, 1.0)
    top, left = int(rng.integers(height)) - h // 2, int(rng.integers(width)) - w // 2
    return Box(max(0, top), min(height, top + h), max(0, left), min(width, left + w))


def _draw_aspect(share: float, rng: np.random.Generator) -> float:
    """Log-uniform, as far from 1 as still fits into the picture."""
    limit = math.log(min(MAX_ASPECT, 1 / share))
    return math.exp(rng.uniform(-limit, limit))


@functools.lru_cache(maxsize=4096)
def sides(height: int, width: int, share: float, aspect: float) -> tuple[int, int]:
    """Whole sides near sqrt(share) of the picture's whose product comes close to the share: a twentieth of a per cent is worth a row."""
    whole, ideal = height * width, math.sqrt(share * aspect) * height
    best = (math.inf, height, width)
    for h in range(max(1, round(ideal) - 4), min(height, round(ideal) + 4) + 1):
        w = min(width, max(1, round(share * whole / h)))
        best = min(best, (abs(h * w / whole - share) + 0.0005 * abs(h - ideal), h, w))
    return best[1], best[2]


def mixed_label(anchor_label: float, lam: float) -> float:
    """Eq. 2: 1 - lambda for a real anchor, lambda for a spoof anchor."""
    return 1.0 - lam if anchor_label == 1.0 else lam


def paste(anchor: np.ndarray, other: np.ndarray, box: Box) -> None:
    """Eq. 2 in place: M x_a + (1 - M) x_b with M = 0 inside the box. Pictures are [H, W, ...]."""
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    anchor[rows, columns] = other[rows, columns]
