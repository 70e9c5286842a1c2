"""What a camera may have before it: a living face (nothing in between), a print, a cut-out print, a screen.

A medium turns the content (sRGB) into the light that leaves its plane towards the camera
(linear, float32 RGB on the fine grid of the view), with what lies around it.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np

from . import cutout, geometry, light, paper, screen, surround
from .face import Face
from .ingredients import ALL, Ingredients

KINDS = ("none", "print", "replay", "cut")  # presentation attack instrument species; "none": bona fide


class Medium(Protocol):
    def radiance(self, picture: np.ndarray, view: geometry.View, time: float) -> np.ndarray: ...


@dataclasses.dataclass(frozen=True)
class Living:
    """Bona fide: the light of the scene itself."""

    def radiance(self, picture: np.ndarray, view: geometry.View, time: float) -> np.ndarray:
        return geometry.sample_picture(light.to_linear(picture), view)


@dataclasses.dataclass(frozen=True)
class Presented:
    """An instrument in its surroundings."""

    instrument: paper.Print | screen.Screen | cutout.Cutout
    surround: surround.Surround | None

    def radiance(self, picture: np.ndarray, view: geometry.View, time: float) -> np.ndarray:
        inside = self.instrument.radiance(picture, view, time)
        if self.surround is None:
            return inside
        edge = self.instrument.edge(view) if isinstance(self.instrument, cutout.Cutout) else None
        return self.surround.around(inside, view, edge)


def present(kind: str, rng: np.random.Generator, face: Face, device, parts: Ingredients = ALL) -> Medium:
    """``face`` lies in the content; ``device``: the printer or display (None: bona fide)."""
    if kind == "none":
        return Living()
    if kind not in KINDS:
        raise ValueError(f"unknown medium {kind!r}, expected one of {', '.join(KINDS)}")
    shown = device.shot(rng, face.height, parts)
    about = (screen if kind == "replay" else paper).surroundings(rng, shown, face)
    if kind == "cut":
        shown = cutout.Cutout.sample(rng, shown, face, parts)
    return Presented(shown, about if parts.edges else None)
