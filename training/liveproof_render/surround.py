"""Where a medium ends: edge of the sheet or bezel of the display, the room behind, fingers that hold it."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from . import draw, geometry, hand, light
from .face import Face

FAR = 1e6  # content pixels: an edge nobody sees


@dataclasses.dataclass(frozen=True)
class Surround:
    window: tuple[float, float, float, float]  # what the medium shows, content pixels
    corner: float  # radius of its corners
    rim: tuple[float, float]  # bezel or white margin at the sides and at top and bottom, content pixels
    rim_shade: tuple[float, float, float]  # reflectance
    rim_fibre: float  # texture of the rim: paper has some, a bezel none
    ambient: float  # light of the room, linear
    fingers: tuple[hand.Finger, ...]
    seed: int

    @staticmethod
    def sample(rng: np.random.Generator, face: Face, rim, rim_shade, corner: float = 0.0, rim_fibre: float = 0.0) -> Surround:
        """``rim`` and ``corner`` in content pixels."""
        window = _window(rng, face)
        count = int(rng.integers(1, 5)) if draw.chance(rng, 0.25) else 0
        return Surround(
            window=window,
            corner=corner,
            rim=rim,
            rim_shade=rim_shade,
            rim_fibre=rim_fibre,
            ambient=draw.log_uniform(rng, 0.08, 0.9),
            fingers=_holding(rng, window, face, count),
            seed=int(rng.integers(2**31)),
        )

    def around(self, inside: np.ndarray, view: geometry.View, edge: np.ndarray | None = None) -> np.ndarray:
        """``inside`` with rim, room and fingers about it. ``edge``: coverage of the medium, if not the window's."""
        if edge is None and not self.seen(view):
            return inside
        rng = np.random.default_rng(self.seed)
        if edge is None:
            edge = box_coverage(view, self.window, self.corner)
        outer = (self.window[0] - self.rim[0], self.window[1] - self.rim[1], self.window[2] + self.rim[0], self.window[3] + self.rim[1])
        body = box_coverage(view, outer, self.corner + min(self.rim)) if max(self.rim) > 0 else edge
        out = room(rng, view, self.ambient)
        out += body[..., None] * (self._rim(rng, view) - out)
        out += edge[..., None] * (inside - out)
        return hand.lay(out, view, self.fingers, 1.4 * self.ambient + 0.1)

    def seen(self, view: geometry.View) -> bool:
        u0, v0, u1, v1 = view.reach()
        w = self.window
        return u0 < w[0] + self.corner or v0 < w[1] + self.corner or u1 > w[2] - self.corner or v1 > w[3] - self.corner

    def _rim(self, rng: np.random.Generator, view: geometry.View) -> np.ndarray:
        shade = 1 + np.float32(0.25) * light.smooth_field(rng, view.shape, 2)
        if self.rim_fibre:
            shade += np.float32(self.rim_fibre) * light.noise_like(rng, view.shape)
        return shade[..., None] * (np.asarray(self.rim_shade, np.float32) * np.float32(self.ambient + 0.03))


def _window(rng: np.random.Generator, face: Face) -> tuple[float, float, float, float]:
    """Each edge near the face, further out or out of sight."""
    x1, y1, x2, y2 = face.box
    away = [draw.log_uniform(rng, 0.04, 1.6) * face.side if draw.chance(rng, 0.3) else FAR for _ in range(4)]
    return x1 - away[0], y1 - away[1], x2 + away[2], y2 + away[3]


def _holding(rng: np.random.Generator, window, face: Face, count: int) -> tuple[hand.Finger, ...]:
    """Fingers over the left, right or lower edge, where there is one."""
    edges = [name for name, at in (("left", window[0]), ("right", window[2]), ("below", window[3])) if abs(at) < FAR / 2]
    if not count or not edges:
        return ()
    name, (cx, cy), s = draw.pick(rng, edges), face.centre, face.side
    if name == "below":
        return hand.row((cx + draw.uniform(rng, -0.6, 0.4) * s, window[3]), (1.0, 0.0), (0.0, -1.0), count, s, rng)
    x, inward = (window[0], 1.0) if name == "left" else (window[2], -1.0)
    return hand.row((x, cy + draw.uniform(rng, -0.5, 0.5) * s), (0.0, 1.0), (inward, 0.0), count, s, rng)


def box_coverage(view: geometry.View, box, corner: float = 0.0) -> np.ndarray:
    """How much of each fine grid point lies in a (rounded) box, 0..1."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    dx = np.abs(view.u - np.float32(x)) - np.float32((box[2] - box[0]) / 2 - corner)
    dy = np.abs(view.v - np.float32(y)) - np.float32((box[3] - box[1]) / 2 - corner)
    if corner:
        outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0) - np.float32(corner)
    else:
        outside = np.maximum(dx, dy)
    return np.clip(np.float32(0.5) - outside / np.float32(view.footprint), 0, 1)


def room(rng: np.random.Generator, view: geometry.View, ambient: float) -> np.ndarray:
    """An invented room, out of focus: a wall, furniture, lamps; linear float32."""
    side = 160
    base = np.exp(rng.normal(0, 0.25, 3)) * ambient * draw.log_uniform(rng, 0.3, 1.5)
    picture = np.ones((side, side, 3), np.float32) * base.astype(np.float32)
    picture *= (1 + np.float32(0.4) * light.smooth_field(rng, (side, side), 2))[..., None]
    for _ in range(int(rng.integers(2, 14))):
        _thing(picture, rng, ambient)
    picture = cv2.GaussianBlur(picture, (0, 0), draw.log_uniform(rng, 0.6, 7))
    return cv2.resize(picture, (view.shape[1], view.shape[0]), interpolation=cv2.INTER_LINEAR)


def _thing(picture: np.ndarray, rng: np.random.Generator, ambient: float) -> None:
    side = picture.shape[0]
    colour = tuple(float(c) for c in ambient * draw.log_uniform(rng, 0.03, 3.0) * np.exp(rng.normal(0, 0.3, 3)))
    centre = (float(rng.uniform(0, side)), float(rng.uniform(0, side)))
    size = tuple(float(s) for s in np.exp(rng.uniform(math.log(4), math.log(100), 2)))
    angle = draw.pick(rng, [0.0, 0.0, 90.0, float(rng.uniform(0, 180))])
    if draw.chance(rng, 0.7):
        corners = cv2.boxPoints((centre, size, angle))
        cv2.fillPoly(picture, [np.round(corners).astype(np.int32)], colour)
    else:
        cv2.ellipse(picture, (centre, size, angle), colour, -1)
