"""Cut-out photo: a print with holes at the eyes (and sometimes the mouth), or cut along the face, with a person behind it."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from . import draw, geometry, light, paper
from .face import Face
from .ingredients import ALL, Ingredients


@dataclasses.dataclass(frozen=True)
class Hole:
    """An ellipse: centre and half axes in content pixels."""

    centre: tuple[float, float]
    axes: tuple[float, float]
    angle: float  # radians

    def coverage(self, view: geometry.View, wider: float = 0.0) -> np.ndarray:
        c, s = np.float32(math.cos(self.angle)), np.float32(math.sin(self.angle))
        u, v = view.u - np.float32(self.centre[0]), view.v - np.float32(self.centre[1])
        a, b = self.axes[0] + wider, self.axes[1] + wider
        away = np.hypot((c * u + s * v) / np.float32(a), (c * v - s * u) / np.float32(b))
        return np.clip((1 - away) * np.float32(min(a, b) / view.footprint) + np.float32(0.5), 0, 1)


@dataclasses.dataclass(frozen=True)
class Cutout:
    sheet: paper.Print
    holes: tuple[Hole, ...]
    outline: Hole | None  # the face cut out along its contour; None: the whole sheet
    shift: tuple[float, float]  # of what shows through the holes, content pixels
    depth: float  # light that reaches what is behind, 0..1
    thick: float  # visible cut edge, content pixels
    parts: Ingredients = ALL

    @staticmethod
    def sample(rng: np.random.Generator, sheet: paper.Print, face: Face, parts: Ingredients = ALL) -> Cutout:
        apart = math.dist(face.points[0], face.points[1]) + 1e-3
        out = Cutout(
            sheet=sheet,
            holes=_holes(rng, face, apart),
            outline=_outline(rng, face) if draw.chance(rng, 0.35) else None,
            shift=(float(rng.normal(0, 0.05)) * apart, float(rng.normal(0, 0.05)) * apart),
            depth=draw.uniform(rng, 0.35, 0.9),
            thick=draw.log_uniform(rng, 0.01, 0.04) * apart,
            parts=parts,
        )
        return out if parts.cut else dataclasses.replace(out, holes=(), outline=None)

    def radiance(self, picture: np.ndarray, view: geometry.View, time: float) -> np.ndarray:
        out = self.sheet.radiance(picture, view, time)
        if not self.holes:
            return out
        moved = dataclasses.replace(view, u=view.u + np.float32(self.shift[0]), v=view.v + np.float32(self.shift[1]))
        behind = geometry.sample_picture(light.to_linear(picture), moved) * np.float32(self.depth)
        for hole in self.holes:
            rim = hole.coverage(view, self.thick)
            out *= (1 - np.float32(0.55) * (rim - hole.coverage(view)))[..., None]  # the cut's own shadow
            out += hole.coverage(view)[..., None] * (behind - out)
        return out

    def edge(self, view: geometry.View) -> np.ndarray | None:
        """Coverage of a sheet that is cut along the face."""
        return None if self.outline is None else self.outline.coverage(view)


def _holes(rng: np.random.Generator, face: Face, apart: float) -> tuple[Hole, ...]:
    left, right, _, mouth_left, mouth_right = face.points
    angle = math.atan2(right[1] - left[1], right[0] - left[0])
    size = (draw.uniform(rng, 0.2, 0.34) * apart, draw.uniform(rng, 0.11, 0.24) * apart)
    holes = [Hole(eye, tuple(s * draw.uniform(rng, 0.9, 1.1) for s in size), angle + float(rng.normal(0, 0.05))) for eye in (left, right)]
    if draw.chance(rng, 0.25):
        middle = ((mouth_left[0] + mouth_right[0]) / 2, (mouth_left[1] + mouth_right[1]) / 2)
        holes.append(Hole(middle, (draw.uniform(rng, 0.3, 0.5) * apart, draw.uniform(rng, 0.1, 0.22) * apart), angle))
    return tuple(holes)


def _outline(rng: np.random.Generator, face: Face) -> Hole:
    wider = draw.uniform(rng, 0.95, 1.35)
    (x, y), angle = face.centre, float(rng.normal(0, 0.06))
    return Hole((x, y - 0.03 * face.height), (wider * 0.56 * face.width, wider * 0.58 * face.height), angle)
