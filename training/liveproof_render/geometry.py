"""Where each point of the sensor looks on the plane of the picture.

Coordinates: sensor pixels (x, y) -> content pixels (u, v). Maps are computed on a sensor grid
that is ``SUPERSAMPLE`` times finer, so that the camera integrates over its pixels afterwards
instead of point-sampling; moire then comes from the sensor's sampling alone.
"""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from . import draw, light

SUPERSAMPLE = 2


@dataclasses.dataclass
class Pose:
    """The picture plane in front of the camera."""

    scale: float  # sensor pixels per content pixel
    angle: float  # radians, in the image plane
    tilt: tuple[float, float]  # relative change of scale across the picture, x and y
    shift: tuple[float, float]  # sensor pixels
    bend: float  # relative displacement by a smooth warp, share of the picture

    @staticmethod
    def sample(rng: np.random.Generator, scale: float) -> Pose:
        return Pose(
            scale=scale,
            angle=math.radians(float(np.clip(rng.normal(0, 5), -15, 15))),
            tilt=(float(rng.normal(0, 0.08)), float(rng.normal(0, 0.08))),
            shift=(draw.uniform(rng, -1, 1), draw.uniform(rng, -1, 1)),
            bend=abs(float(rng.normal(0, 0.006))),
        )


@dataclasses.dataclass
class View:
    u: np.ndarray  # float32 [h*s, w*s], content pixels
    v: np.ndarray
    footprint: float  # content pixels per step of the fine grid
    size: tuple[int, int]  # sensor height, width

    @property
    def shape(self) -> tuple[int, int]:
        return self.u.shape

    def reach(self) -> tuple[float, float, float, float]:
        """Bounds of what is seen, content pixels: u from, v from, u to, v to (from a coarse part of the grid)."""
        u, v = self.u[:: max(1, self.u.shape[0] // 16)], self.v[:: max(1, self.v.shape[0] // 16)]
        return float(u.min()), float(v.min()), float(u.max()), float(v.max())


def homography(pose: Pose, centre: tuple[float, float], size: tuple[int, int]) -> np.ndarray:
    """Sensor pixels -> content pixels; the sensor's centre looks at ``centre``."""
    h, w = size
    c, s = math.cos(pose.angle) / pose.scale, math.sin(pose.angle) / pose.scale
    to_centre = np.array([[1, 0, -w / 2 - pose.shift[0]], [0, 1, -h / 2 - pose.shift[1]], [0, 0, 1]])
    perspective = np.array([[1, 0, 0], [0, 1, 0], [pose.tilt[0] / w, pose.tilt[1] / h, 1]])
    turn = np.array([[c, -s, centre[0]], [s, c, centre[1]], [0, 0, 1]])
    return turn @ perspective @ to_centre


def view_of(pose: Pose, centre, size: tuple[int, int], rng: np.random.Generator) -> View:
    h, w = size
    s = SUPERSAMPLE
    x = ((np.arange(w * s, dtype=np.float32) + 0.5) / s)[None]
    y = ((np.arange(h * s, dtype=np.float32) + 0.5) / s)[:, None]
    m = homography(pose, centre, size).astype(np.float32)
    d = 1 / (m[2, 0] * x + (m[2, 1] * y + m[2, 2]))
    u = (m[0, 0] * x + (m[0, 1] * y + m[0, 2])) * d
    v = (m[1, 0] * x + (m[1, 1] * y + m[1, 2])) * d
    if pose.bend > 0:
        reach = np.float32(pose.bend * min(size) / pose.scale)
        u += reach * light.smooth_field(rng, u.shape, 2)
        v += reach * light.smooth_field(rng, v.shape, 2)
    return View(u, v, 1.0 / (pose.scale * s), size)


def sample_picture(image: np.ndarray, view: View, interpolation: int = cv2.INTER_LINEAR) -> np.ndarray:
    """The picture as seen from each fine grid point; shrunk first where the grid is coarser than it."""
    factor = 1.0
    if view.footprint > 1.2:
        factor = 1.0 / view.footprint
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    # Pixel centres lie at +0.5.
    factor = np.float32(factor)
    u, v = view.u * factor - np.float32(0.5), view.v * factor - np.float32(0.5)
    return cv2.remap(image, u, v, interpolation, borderMode=cv2.BORDER_REFLECT_101)
