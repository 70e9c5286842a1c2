"""Rooms behind people: dead leaves, opaque shapes that cover one another, whose statistics of edges are those of real scenes (Lee et al. 2001)."""

from __future__ import annotations

import cv2
import numpy as np

COUNT = 192  # rooms of a bank; each is mirrored, shifted and lit anew where it is used
LEAVES = 70
STRIPED = 0.15  # share of leaves with stripes, as books and blinds have
SEED = 7_000_009


def draw(count: int, side: int) -> np.ndarray:
    """RGB uint8 [count, side, side, 3], always the same."""
    rng = np.random.default_rng(SEED)
    return np.stack([_one(rng, side) for _ in range(count)])


def _one(rng: np.random.Generator, side: int) -> np.ndarray:
    x = np.empty((side, side, 3), np.uint8)
    x[:] = _colour(rng)
    tilt = rng.normal(0, 3)
    for _ in range(LEAVES):
        _paint(rng, x, tilt)
    light = cv2.resize(rng.uniform(0.6, 1.3, (4, 4)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(x * light[..., None] + 0.5, 0, 255).astype(np.uint8)


def _paint(rng: np.random.Generator, x: np.ndarray, tilt: float) -> None:
    """A leaf. Mostly upright rectangles, as doors, shelves and windows are, some ellipses; sizes follow a power law."""
    side = len(x)
    size, aspect = side * _log_uniform(rng, 0.03, 1.0), np.sqrt(_log_uniform(rng, 0.2, 5))
    box = (rng.uniform(-0.15, 1.15, 2) * side, (size * aspect, size / aspect), tilt + (rng.uniform(0, 180) if rng.random() < 0.25 else 0))
    corners, colour = cv2.boxPoints(box), _colour(rng)
    if rng.random() < 0.2:
        cv2.ellipse(x, box, colour, -1, cv2.LINE_AA)
        return
    _fill(x, corners, colour)
    if rng.random() < STRIPED:
        _stripe(rng, x, corners, colour)


def _stripe(rng: np.random.Generator, x: np.ndarray, corners: np.ndarray, colour: tuple) -> None:
    """Every other one of a few strips along the box in another tone."""
    strips, gain = int(_log_uniform(rng, 4, 30)), rng.uniform(0.6, 1.4)
    a, b, c, d = corners
    for i in range(0, strips, 2):
        p, q = i / strips, (i + 1) / strips
        _fill(x, np.array([a + p * (b - a), a + q * (b - a), d + q * (c - d), d + p * (c - d)]), tuple(min(255, gain * v) for v in colour))


def _fill(x: np.ndarray, corners: np.ndarray, colour: tuple) -> None:
    cv2.fillConvexPoly(x, np.round(16 * corners).astype(np.int32), colour, cv2.LINE_AA, 4)


def _colour(rng: np.random.Generator) -> tuple[float, ...]:
    """Mostly greys and muted tones, some vivid; 0 to 255."""
    return tuple(255 * np.clip(rng.uniform(0.05, 1) + _log_uniform(rng, 0.02, 0.3) * rng.uniform(-1, 1, 3), 0, 1))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
