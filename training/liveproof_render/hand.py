"""Fingers: round bars of skin that hold a medium or are near a face."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from . import draw, geometry, light
from .face import Face


@dataclasses.dataclass(frozen=True)
class Finger:
    """From ``root`` to ``tip``, content pixels; ``skin`` is linear reflectance."""

    root: tuple[float, float]
    tip: tuple[float, float]
    radius: float
    skin: tuple[float, float, float]


def skin(rng: np.random.Generator) -> tuple[float, float, float]:
    """Light to dark, linear RGB."""
    pale, deep = np.array([0.60, 0.38, 0.29]), np.array([0.10, 0.05, 0.032])
    share = draw.uniform(rng, 0, 1)
    tone = np.exp(np.log(pale) * (1 - share) + np.log(deep) * share) * np.exp(rng.normal(0, 0.08))
    return tuple(float(t) for t in tone)


def row(start, along, inward, count: int, side: float, rng: np.random.Generator) -> tuple[Finger, ...]:
    """``count`` fingers side by side from ``start``, reaching ``inward`` (unit vectors); ``side``: of the face, pixels."""
    radius, tone, out = draw.uniform(rng, 0.035, 0.075) * side, skin(rng), []
    for n in range(count):
        length = draw.log_uniform(rng, 0.02, 0.2) * side
        root = np.asarray(start) + np.asarray(along) * 2.1 * radius * n - np.asarray(inward) * 1.5 * side
        turned = np.asarray(inward) + np.asarray(along) * rng.normal(0, 0.12)
        tip = np.asarray(start) + np.asarray(along) * 2.1 * radius * n + turned * length
        out.append(Finger(tuple(root), tuple(tip), radius, tone))
    return tuple(out)


def near(face: Face, count: int, rng: np.random.Generator) -> tuple[Finger, ...]:
    """Fingers at the side of a face, as of a hand that rests there or waves."""
    sign, (cx, cy) = draw.pick(rng, [-1, 1]), face.centre
    start = (cx + sign * draw.uniform(rng, 0.55, 0.8) * face.width, cy + draw.uniform(rng, -0.3, 0.6) * face.height)
    return row(start, (0.0, 1.0), (-float(sign), 0.0), count, face.side, rng)


def cover(finger: Finger, u: np.ndarray, v: np.ndarray, footprint: float) -> tuple[np.ndarray, np.ndarray]:
    """(coverage 0..1, brightness of a lit cylinder) at content positions (u, v)."""
    (x1, y1), (x2, y2) = finger.root, finger.tip
    dx, dy = x2 - x1, y2 - y1
    along = np.clip(((u - x1) * np.float32(dx) + (v - y1) * np.float32(dy)) / np.float32(dx * dx + dy * dy + 1e-6), 0, 1)
    away = np.hypot(u - x1 - along * np.float32(dx), v - y1 - along * np.float32(dy)) / np.float32(finger.radius)
    coverage = np.clip((1 - away) * np.float32(finger.radius / max(footprint, 1e-3)) + np.float32(0.5), 0, 1)
    # A lit cylinder, darker towards the root, lighter at the nail.
    shade = (np.float32(0.5) + np.float32(0.5) * np.sqrt(np.clip(1 - away * away, 0, 1))) * (np.float32(0.75) + np.float32(0.25) * along)
    return coverage, shade


def lay(radiance: np.ndarray, view: geometry.View, fingers: tuple[Finger, ...], ambient: float) -> np.ndarray:
    """Fingers before everything, lit by the room."""
    for finger in fingers:
        coverage, shade = cover(finger, view.u, view.v, view.footprint)
        lit = shade[..., None] * (np.asarray(finger.skin, np.float32) * np.float32(ambient))
        radiance = radiance + coverage[..., None] * (lit - radiance)
    return radiance


def paint(image: np.ndarray, fingers: tuple[Finger, ...]) -> np.ndarray:
    """The same into a picture, RGB uint8."""
    h, w = image.shape[:2]
    u, v = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    out = light.to_linear(image)
    level = math.sqrt(max(0.02, float(out.mean())))
    for finger in fingers:
        coverage, shade = cover(finger, u, v, 1.0)
        lit = shade[..., None] * (np.asarray(finger.skin, np.float32) * np.float32(1.6 * level))
        out = out + coverage[..., None] * (lit - out)
    return cv2.convertScaleAbs(light.to_srgb(out), alpha=255)
