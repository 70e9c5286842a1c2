"""Films a face anew: as it is, as a print or cut-out of it, or replayed on a screen, with one virtual camera.

Medium and camera are drawn once a clip; a hand holds one of them, so the pose drifts smoothly. A print and a cut-out
show one still picture (a photograph does not move), a replay plays.
"""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import cv2
import numpy as np

from liveproof_base import video
from liveproof_base.progress import Progress

from . import camera, devices, draw, geometry, media
from .face import Face
from .ingredients import ALL

STILL = ("print", "cut")


@dataclasses.dataclass(frozen=True)
class Hand:
    """A hand's (or a head's) drift: a few slow sines per degree of freedom."""

    phases: np.ndarray  # [3 freedoms, 3 sines]
    rates: np.ndarray  # Hz
    reach: float  # pixels

    @staticmethod
    def sample(rng: np.random.Generator, reach: float | None = None) -> Hand:
        phases, rates = rng.uniform(0, 2 * math.pi, (3, 3)), rng.uniform(0.15, 1.6, (3, 3))
        drawn = draw.uniform(rng, 1.5, 5.0)
        return Hand(phases, rates, drawn if reach is None else reach)

    def at(self, t: float) -> tuple[float, float, float]:
        return tuple(float(c) for c in np.sin(self.phases + 2 * math.pi * self.rates * t).mean(axis=1) * self.reach)

    def move(self, pose: geometry.Pose, t: float) -> geometry.Pose:
        x, y, turn = self.at(t)
        return dataclasses.replace(pose, shift=(pose.shift[0] + x, pose.shift[1] + y), angle=pose.angle + turn * 0.002)


@dataclasses.dataclass(frozen=True)
class Setting:
    """What one clip is filmed with."""

    camera: camera.Camera
    pose: geometry.Pose
    hand: Hand
    medium: media.Medium
    centre: tuple[float, float]  # of the view, content pixels
    size: tuple[int, int]  # height and width of the clip

    def frame(self, picture: np.ndarray, t: float, rng: np.random.Generator) -> np.ndarray:
        """One picture at sensor resolution, before any video encoder."""
        # The sheet's own bend must not flicker: its field is drawn anew from the same seed for every frame.
        view = geometry.view_of(self.hand.move(self.pose, t), self.centre, self.size, np.random.default_rng(7))
        return self.camera.capture(self.medium.radiance(picture, view, t), rng, t)


def animate(picture: np.ndarray, face: Face, turn: tuple[float, float]) -> np.ndarray:
    """A head that turns a little: the middle of the face moves by ``turn`` pixels, its rim does not."""
    h, w = picture.shape[:2]
    u, v = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    (x, y), size = face.centre, np.float32(face.side)
    near = np.exp(np.float32(-4) * (((u - np.float32(x)) / size) ** 2 + ((v - np.float32(y)) / size) ** 2))
    u -= np.float32(turn[0]) * near
    v -= np.float32(turn[1]) * near
    return cv2.remap(picture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def setting_of_clip(pai: str, clip: video.Clip, face: Face, seed: int, split: str = "test") -> Setting:
    """Everything for a clip, from the split's devices; ``face`` in the clip's first picture."""
    rng, medium_rng = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    scale = draw.uniform(rng, 1.0, 1.2)
    pose = dataclasses.replace(geometry.Pose.sample(rng, scale), bend=0.0)
    device = devices.instrument(pai, devices.key(split, medium_rng))
    return Setting(
        camera=devices.camera(devices.key(split, rng)).shot(rng).still_standing(),
        pose=dataclasses.replace(pose, angle=pose.angle * 0.5),
        hand=Hand.sample(rng),
        medium=media.present(pai, medium_rng, face, device, ALL),
        centre=(clip.width / 2, clip.height / 2),
        size=(clip.height, clip.width),
    )


def film(source: Path, out: Path, pai: str, seed: int, face: Face | None = None, seconds: float = 0, rate: float = 0) -> None:
    """Writes ``out``. ``seconds`` limits the length, ``rate`` thins the pictures (both 0: as the clip)."""
    clip = video.probe(source)
    step = max(1, round(clip.rate / rate)) if rate else 1
    limit = min(clip.frames, round(seconds * clip.rate)) if seconds else clip.frames
    setting = setting_of_clip(pai, clip, face or middle(clip), seed)
    noise, first = np.random.default_rng([seed, 1]), None
    writer, bar = video.Writer(out, clip.width, clip.height, clip.rate / step), Progress(out.name, limit)
    for i, picture in enumerate(video.read(clip, limit)):
        first = picture if first is None else first
        bar.step()
        if i % step == 0:
            writer.write(setting.frame(first if pai in STILL else picture, i / clip.rate, noise))
    writer.close()


def middle(clip: video.Clip) -> Face:
    """Where a face most likely is when nobody looked."""
    x, y, half = clip.width / 2, clip.height / 2, clip.height / 5
    return Face.usual((x - 0.75 * half, y - half, x + 0.75 * half, y + half))


def film_all(folder: Path, out: Path, seed: int, seconds: float, rate: float, locate=None, kinds=("print", "replay", "cut")) -> list[Path]:
    """Attacks on every clip in ``folder``; files there already are kept. ``locate``: picture -> box or None."""
    clips = sorted(p for p in folder.glob("*") if p.suffix in (".mjpeg", ".mkv", ".mp4", ".webm"))
    if not clips:
        raise FileNotFoundError(f"{folder}: no clips")
    written = []
    for number, clip in enumerate(clips):
        face = find(clip, locate)
        for kind, pai in enumerate(kinds):
            target = out / f"{clip.stem}_{pai}.mkv"
            if not target.exists():
                film(clip, target, pai, seed * 1000 + 10 * number + kind, face, seconds, rate)
            written.append(target)
    return written


def find(path: Path, locate) -> Face | None:
    box = locate(next(video.read(video.probe(path), 1))) if locate else None
    return Face.usual(box) if box else None
