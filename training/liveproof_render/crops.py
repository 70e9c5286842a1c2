"""One face crop: portrait -> content -> medium -> camera -> codec -> detector's box -> 256 x 256.

Every draw comes from one generator in a fixed order, and the medium draws from a second one
(spawned from the seed), so that with the same seed the content, the pose and the camera
of a bona fide crop and of an attack are identical; ``tests/test_render.py`` holds that.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from liveproof_base.crop import face_crop

from . import camera, content, devices, draw, geometry, media
from .face import Face
from .ingredients import ALL, Ingredients


@dataclasses.dataclass(frozen=True)
class Shot:
    """All that is drawn without knowing the class."""

    style: content.ContentStyle
    camera: camera.Camera
    pose: geometry.Pose
    face: float  # height of the face on the sensor, pixels
    jitter: tuple[float, float, float]  # the detector's error: centre x, y and log size, shares of the box

    @staticmethod
    def sample(rng: np.random.Generator, device: camera.CameraDevice, parts: Ingredients = ALL) -> Shot:
        style = content.ContentStyle.sample(rng, parts)
        cam = device.shot(rng, parts)
        face = draw.log_uniform(rng, 80, 280)
        pose = geometry.Pose.sample(rng, scale=1.0)
        jitter = (float(rng.normal(0, 0.035)), float(rng.normal(0, 0.035)), float(rng.normal(0, 0.06)))
        return Shot(style, cam, pose, face, jitter)


def render(image: np.ndarray, face: Face, pai: str, seed, split: str = "train", parts: Ingredients = ALL) -> np.ndarray:
    """A 256 x 256 RGB crop of the portrait's face as ``pai`` ("none", "print", "replay", "cut") before a camera.

    ``seed`` is an int or a sequence of ints; the same seed gives the same bytes. Camera, printer and display
    are of the split's own: see :func:`device_keys`.
    """
    rng, medium_rng, noise_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
    keys = device_keys(pai, seed, split)
    shot = Shot.sample(rng, devices.camera(keys[0]), parts)
    picture = content.degrade(content.cut(image, face), shot.style)
    scale = shot.face / picture.face.height
    view, seen_box = _frame(picture, dataclasses.replace(shot.pose, scale=scale), shot.face, noise_rng)
    medium = media.present(pai, medium_rng, picture.face, devices.instrument(pai, keys[1]), parts)
    frame = shot.camera.capture(medium.radiance(picture.image, view, 0.0), noise_rng)
    delivered = shot.camera.deliver(frame)
    ratio = delivered.shape[0] / frame.shape[0]
    return face_crop(delivered, _jittered([ratio * c for c in seen_box], shot.jitter))


def device_keys(pai: str, seed, split: str) -> tuple[str, str]:
    """(camera, printer or display or "") that :func:`render` takes; the camera does not depend on the class."""
    camera_rng, instrument_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(5)[3:])
    return devices.key(split, camera_rng), "" if pai == "none" else devices.key(split, instrument_rng)


def _frame(picture: content.Content, pose: geometry.Pose, face: float, rng):
    """The part of the sensor around the face, and the face's box in it (sensor pixels)."""
    x1, y1, x2, y2 = picture.face.box
    side = int(round(1.55 * max(face, face * (x2 - x1) / (y2 - y1)))) // 2 * 2
    view = geometry.view_of(pose, picture.face.centre, (side, side), rng)
    half_w, half_h = pose.scale * (x2 - x1) / 2, pose.scale * (y2 - y1) / 2
    cx, cy = side / 2 + pose.shift[0], side / 2 + pose.shift[1]
    return view, (cx - half_w, cy - half_h, cx + half_w, cy + half_h)


def _jittered(box, jitter) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box
    w, h = x2 - x1, y2 - y1
    cx, cy = (x1 + x2) / 2 + jitter[0] * w, (y1 + y2) / 2 + jitter[1] * h
    half = float(np.exp(np.clip(jitter[2], -0.12, 0.12))) / 2
    return cx - half * w, cy - half * h, cx + half * w, cy + half * h
