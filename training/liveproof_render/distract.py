"""What may stand near any face and looks a little like an attack's edge: bars, posters, fingers, spectacles.

Painted into the content, which bona fide people and attacks share, so that a straight edge beside a
face is no proof of a bezel.
"""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from . import draw, hand
from .face import Face


@dataclasses.dataclass(frozen=True)
class Distraction:
    bars: int  # door frames, shelves, edges of pictures on the wall
    posters: int
    fingers: int
    spectacles: bool

    @staticmethod
    def sample(rng: np.random.Generator) -> Distraction:
        return Distraction(
            bars=int(rng.integers(1, 4)) if draw.chance(rng, 0.3) else 0,
            posters=1 if draw.chance(rng, 0.12) else 0,
            fingers=int(rng.integers(1, 4)) if draw.chance(rng, 0.07) else 0,
            spectacles=draw.chance(rng, 0.12),
        )


NONE = Distraction(0, 0, 0, False)


def paint(image: np.ndarray, face: Face, what: Distraction, rng: np.random.Generator) -> np.ndarray:
    """RGB uint8 in and out; things behind the head leave the head free."""
    if what == NONE:
        return image
    behind = image.copy()
    for _ in range(what.posters):
        _poster(behind, face, rng)
    for _ in range(what.bars):
        _bar(behind, face, rng)
    image = _over(image, cv2.GaussianBlur(behind, (0, 0), draw.log_uniform(rng, 0.5, 4)), _head(image.shape, face))
    if what.spectacles:
        image = _spectacles(image, face, rng)
    return hand.paint(image, hand.near(face, what.fingers, rng)) if what.fingers else image


def _head(shape, face: Face) -> np.ndarray:
    """1 where the head and the shoulders are, soft at the rim."""
    mask = np.zeros(shape[:2], np.float32)
    (x, y), w, h = face.centre, face.width, face.height
    cv2.ellipse(mask, ((x, y - 0.06 * h), (1.3 * w, 1.42 * h), 0), 1.0, -1)
    cv2.ellipse(mask, ((x, y + 1.2 * h), (2.6 * w, 1.5 * h), 0), 1.0, -1)
    return cv2.GaussianBlur(mask, (0, 0), max(0.6, 0.02 * h))[..., None]


def _over(front: np.ndarray, behind: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return (front * mask + behind * (1 - mask) + 0.5).astype(np.uint8)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    level = draw.pick(rng, [draw.uniform(rng, 0, 40), draw.uniform(rng, 40, 180), draw.uniform(rng, 180, 255)])
    return tuple(int(np.clip(level + c, 0, 255)) for c in rng.normal(0, 12, 3))


def _bar(image: np.ndarray, face: Face, rng: np.random.Generator) -> None:
    """A straight bar across the picture, left, right or above."""
    side, s = draw.pick(rng, ["left", "right", "above"]), face.side
    near, width = draw.log_uniform(rng, 0.02, 0.5) * s, draw.log_uniform(rng, 0.02, 0.5) * s
    reach, lean = 3 * s, math.tan(math.radians(float(rng.normal(0, 4)))) * 3 * s
    x1, y1, x2, _ = face.box
    if side == "above":
        corners = [
            (-reach, y1 - near - lean),
            (2 * reach, y1 - near + lean),
            (2 * reach, y1 - near - width + lean),
            (-reach, y1 - near - width - lean),
        ]
    else:
        start, sign = (x1 - near, -1) if side == "left" else (x2 + near, 1)
        corners = [(start - lean, -reach), (start + lean, 2 * reach), (start + lean + sign * width, 2 * reach), (start - lean + sign * width, -reach)]
    cv2.fillPoly(image, [np.round(corners).astype(np.int32)], _colour(rng), cv2.LINE_AA)


def _poster(image: np.ndarray, face: Face, rng: np.random.Generator) -> None:
    """A framed picture on the wall: a rectangle with a rim and shapes in it."""
    s, (cx, cy) = face.side, face.centre
    x, y = cx + draw.pick(rng, [-1, 1]) * draw.uniform(rng, 0.5, 1.0) * s, cy + draw.uniform(rng, -0.9, 0.3) * s
    w, h = draw.uniform(rng, 0.3, 1.0) * s, draw.uniform(rng, 0.3, 1.2) * s
    top, bottom = (int(x - w / 2), int(y - h / 2)), (int(x + w / 2), int(y + h / 2))
    cv2.rectangle(image, top, bottom, _colour(rng), -1)
    for _ in range(int(rng.integers(1, 6))):
        centre = (int(x + draw.uniform(rng, -0.4, 0.4) * w), int(y + draw.uniform(rng, -0.4, 0.4) * h))
        cv2.circle(image, centre, max(1, int(draw.uniform(rng, 0.03, 0.2) * w)), _colour(rng), -1, cv2.LINE_AA)
    cv2.rectangle(image, top, bottom, _colour(rng), max(1, int(0.03 * s)), cv2.LINE_AA)


def _spectacles(image: np.ndarray, face: Face, rng: np.random.Generator) -> np.ndarray:
    """A frame around the eyes; sometimes a lamp mirrored in the glass."""
    image, (left, right) = image.copy(), face.points[:2]
    apart = math.dist(left, right)
    size = (max(2, int(0.36 * apart)), max(2, int(draw.uniform(rng, 0.22, 0.34) * apart)))
    colour, thick = _colour(rng), max(1, int(round(draw.uniform(rng, 0.02, 0.07) * apart)))
    angle = math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))
    for eye in (left, right):
        centre = (int(eye[0]), int(eye[1] + 0.04 * apart))
        cv2.ellipse(image, centre, size, angle, 0, 360, colour, thick, cv2.LINE_AA)
        if draw.chance(rng, 0.4):
            glint = (int(centre[0] + rng.uniform(-0.2, 0.2) * apart), int(centre[1] + rng.uniform(-0.15, 0.15) * apart))
            cv2.ellipse(image, glint, (max(1, size[0] // 4), max(1, size[1] // 5)), angle, 0, 360, (245, 248, 255), -1, cv2.LINE_AA)
    inner = [np.array(eye) + np.array([sign * 0.36 * apart, 0.0]) for eye, sign in ((left, 1), (right, -1))]
    cv2.line(image, tuple(inner[0].astype(int)), tuple(inner[1].astype(int)), colour, thick, cv2.LINE_AA)
    return image
