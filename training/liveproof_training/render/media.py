"""The three media: a living face (nothing in between), a print, a screen.

A medium turns the content (sRGB) into the light that leaves the plane towards the camera
(linear, float32 RGB on the fine grid of the view).
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from . import geometry, light, paper, screen

KINDS = ("none", "print", "replay")


class Medium(Protocol):
    def radiance(self, picture: np.ndarray, view: geometry.View, time: float) -> np.ndarray: ...


@dataclasses.dataclass
class Living:
    """Bona fide: the light of the scene itself."""

    def radiance(self, picture: np.ndarray, view: geometry.View, time: float) -> np.ndarray:
        return geometry.sample_picture(light.to_linear(picture), view)


def sample(kind: str, rng: np.random.Generator, scale: float) -> Medium:
    """``scale``: sensor pixels per content pixel, to which dot and pixel pitches are relative."""
    if kind == "none":
        return Living()
    if kind == "print":
        return paper.Print.sample(rng, scale)
    if kind == "replay":
        return screen.Screen.sample(rng, scale)
    raise ValueError(f"unknown medium {kind!r}, expected one of {KINDS}")
