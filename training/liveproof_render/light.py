"""Linear light, luminance and smooth random fields. Images are float32 RGB, 1.0 = white."""

from __future__ import annotations

import functools

import cv2
import numpy as np

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)  # BT.709
NOISE_SIDE = 512  # pixels of the repeated noise tiles

_levels = np.arange(256) / 255.0
_DECODE = np.where(_levels <= 0.04045, _levels / 12.92, ((_levels + 0.055) / 1.055) ** 2.4).astype(np.float32)
_ENCODE_STEPS = 4096
_steps = np.arange(_ENCODE_STEPS + 1) / _ENCODE_STEPS
_ENCODE = np.where(_steps <= 0.0031308, _steps * 12.92, 1.055 * _steps ** (1 / 2.4) - 0.055).astype(np.float32)


def to_linear(image: np.ndarray) -> np.ndarray:
    """sRGB uint8 -> linear float32."""
    return _DECODE[image]


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear float32 -> sRGB float32 in [0, 1], clipped (table of 4096 steps)."""
    return _ENCODE[(np.clip(linear, 0, 1) * np.float32(_ENCODE_STEPS)).astype(np.uint16)]


def luminance(image: np.ndarray) -> np.ndarray:
    return cv2.transform(image, LUMA[None])


def smooth_field(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> np.ndarray:
    """A smooth random field in about [-1, 1] with ``cells`` bumps along each axis."""
    seed = rng.uniform(-1, 1, (cells + 2, cells + 2)).astype(np.float32)
    small = cv2.resize(seed, (16 * cells, 16 * cells), interpolation=cv2.INTER_CUBIC)
    return cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def blobs(rng: np.random.Generator, shape: tuple[int, int], count: int, size: float) -> np.ndarray:
    """Soft bright patches (lamps, windows) in [0, 1]; ``size`` is a share of the picture's height."""
    h, w = 128, max(8, round(128 * shape[1] / shape[0]))
    field = np.zeros((h, w), np.float32)
    for _ in range(count):
        centre = (int(rng.uniform(-0.1, 1.1) * w), int(rng.uniform(-0.1, 1.1) * h))
        axes = (max(1, int(size * h * rng.uniform(0.3, 1))), max(1, int(size * h * rng.uniform(0.3, 1))))
        if rng.random() < 0.5:
            cv2.ellipse(field, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
        else:
            corners = cv2.boxPoints((centre, (2.0 * axes[0], 2.0 * axes[1]), float(rng.uniform(0, 90))))
            cv2.fillPoly(field, [corners.astype(np.int32)], 1.0)
    field = cv2.GaussianBlur(field, (0, 0), float(rng.uniform(1, 12)))
    return cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


@functools.cache
def noise_tile(kind: str) -> np.ndarray:
    """A fixed noise tile that wraps, [NOISE_SIDE, NOISE_SIDE, 3] ("colour") or [.., ..] (others), deviation 1.

    ``white``; ``colour``: white in each channel, without low frequencies, as ink-jet dots are; ``fibre``: paper,
    mostly fine; ``mottle``: cloudy, as toner and ink lie on plain paper; ``rows``: lines of a print head.
    Drawing a new tile for each picture would cost more than the rest of the print; an offset does as well.
    """
    rng = np.random.default_rng(sum(kind.encode()))
    shape = (NOISE_SIDE, NOISE_SIDE, 3) if kind == "colour" else (NOISE_SIDE, NOISE_SIDE)
    white = rng.standard_normal(shape, dtype=np.float32)
    if kind == "rows":
        white = np.repeat(white[:, :1], NOISE_SIDE, axis=1)
    tile = {
        "white": lambda x: x,
        "rows": lambda x: x,
        "colour": lambda x: x - _wrapped_blur(x, 2.0),
        "fibre": lambda x: 3 * _wrapped_blur(x, 1.2) + 6 * _wrapped_blur(x, 4),
        "mottle": lambda x: 3 * _wrapped_blur(x, 2.5) + 8 * _wrapped_blur(x, 8),
    }[kind](white)
    return np.ascontiguousarray(tile / tile.std())


def _wrapped_blur(x: np.ndarray, sigma: float) -> np.ndarray:
    pad = int(4 * sigma) + 1
    wide = cv2.copyMakeBorder(x, pad, pad, pad, pad, cv2.BORDER_WRAP)
    return cv2.GaussianBlur(wide, (0, 0), sigma)[pad:-pad, pad:-pad]


def noise_like(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """White noise of deviation 1: random cuts of one long fixed row of normal numbers."""
    row, count = _noise_row(), int(np.prod(shape))
    if count > len(row) // 2:
        return rng.standard_normal(shape, dtype=np.float32)
    start = int(rng.integers(len(row) - count))
    return row[start : start + count].reshape(shape)


@functools.cache
def _noise_row() -> np.ndarray:
    return np.random.default_rng(20).standard_normal(1 << 22, dtype=np.float32)
