"""What light, lens and line do to a crop, one strength each: the conditions that real pictures and clips are judged in."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from . import robustness


def _sweep(name: str, level: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda image: np.ascontiguousarray(robustness.SWEEPS[name].apply(image, level, np.random.default_rng(1)))


def _haze(image: np.ndarray) -> np.ndarray:
    return np.rint(0.7 * image + 0.3 * 200).astype(np.uint8)


def _backlit(image: np.ndarray) -> np.ndarray:
    """The face at two stops less, the surroundings at 1.3 stops more."""
    rows, columns = (np.arange(side) / side - 0.5 for side in image.shape[:2])
    oval = (np.hypot(columns[None, :] / 0.36, rows[:, None] / 0.48) <= 1).astype(np.float32)
    oval = cv2.GaussianBlur(oval, (0, 0), image.shape[0] / 32)[..., None]
    dark, bright = (robustness.exposure(image, stops, None) for stops in (-2, 1.3))
    return np.rint(oval * dark + (1 - oval) * bright).astype(np.uint8)


PLAIN = "as it is"
# What light, lens and line do to a crop of either class.
CONDITIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    PLAIN: lambda image: image,
    "blur, σ 1.2 pixels": _sweep("blur", 1.2),
    "half the size": _sweep("scale", 0.5),
    "JPEG, quality 40": _sweep("jpeg", 40),
    "noise, σ 10": _sweep("noise", 10),
    "warm light, 0.4 octaves": _sweep("colour", 0.4),
    "twice the exposure": _sweep("exposure", 1),
    "0.4 of the exposure": _sweep("exposure", -1.3),
    "haze 0.3": _haze,
    "back light": _backlit,
}


def each(change: Callable[[np.ndarray], np.ndarray], images: np.ndarray) -> np.ndarray:
    """uint8 [N, 256, 256, 3] in and out."""
    return np.stack([change(image) for image in images])
