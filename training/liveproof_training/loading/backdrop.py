"""Class-blind backdrops: a plain wall painted around the head of any crop.

Generated portraits have rich backgrounds, while people before a webcam mostly sit before a plain wall. Without this a network takes
an even field with a sharp rim around the head for the paper of a print or the edge of a cut-out.
"""

from __future__ import annotations

import cv2
import numpy as np


def wall(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """RGB uint8 [H, W, 3] in and out; the middle of the picture stays. Never sees the label."""
    h, w = image.shape[:2]
    keep = _head(rng, h, w)
    if rng.random() < 0.4:  # a wall on one side only, or above
        keep = np.maximum(keep, _elsewhere(rng, h, w))
    keep = cv2.GaussianBlur(keep, (0, 0), float(np.exp(rng.uniform(np.log(0.4), np.log(4)))))[..., None]
    return (image * keep + _plain(rng, h, w) * (1 - keep) + 0.5).astype(np.uint8)


def _head(rng: np.random.Generator, h: int, w: int) -> np.ndarray:
    """1 in a wavy blob about the middle and, mostly, in shoulders below it."""
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    wave = 1 + sum(rng.normal(0, 0.06 / n) * np.cos(n * angles + rng.uniform(0, 6.3)) for n in range(1, 7))
    cx, cy = w * (0.5 + rng.normal(0, 0.04)), h * (0.5 + rng.normal(0, 0.04))
    x = cx + w * rng.uniform(0.33, 0.5) * wave * np.cos(angles)
    y = cy + h * rng.uniform(0.4, 0.6) * wave * np.sin(angles)
    mask = np.zeros((h, w), np.float32)
    cv2.fillPoly(mask, [np.stack([x, y], axis=1).round().astype(np.int32)], 1.0)
    if rng.random() < 0.7:
        cv2.ellipse(mask, ((cx, h * rng.uniform(1.0, 1.2)), (w * rng.uniform(0.7, 1.4), h * rng.uniform(0.3, 0.7)), 0), 1.0, -1)
    return mask


def _elsewhere(rng: np.random.Generator, h: int, w: int) -> np.ndarray:
    """1 on a half of the picture."""
    mask = np.zeros((h, w), np.float32)
    half = (np.s_[:, : w // 2], np.s_[:, w // 2 :], np.s_[h // 2 :])[int(rng.integers(3))]
    mask[half] = 1
    return mask


def _plain(rng: np.random.Generator, h: int, w: int) -> np.ndarray:
    """One colour, mostly light, with a slow change of light and a little noise; float32."""
    colour = np.clip(rng.uniform(70, 245) + rng.normal(0, 10, 3), 0, 255).astype(np.float32)
    light = cv2.resize(1 + rng.uniform(-0.15, 0.15, (2, 2)).astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
    noise = cv2.GaussianBlur(rng.standard_normal((h, w, 3), dtype=np.float32), (0, 0), float(rng.uniform(0.3, 1.5)))
    return np.clip(colour * light[..., None] + float(rng.uniform(0, 6)) * noise, 0, 255)
