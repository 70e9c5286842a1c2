"""Films a real clip anew: as it is, as a print of it, or replayed on a screen, with one virtual camera.

The medium and the camera are drawn once; a hand holds one of them, so the pose drifts smoothly.
``print`` shows one still picture of the clip (a photograph does not move), ``replay`` plays it.
"""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..progress import Progress
from . import camera, draw, geometry, media

ENCODERS = {
    ".mkv": ["-c:v", "libx264", "-preset", "fast", "-crf", "20", "-pix_fmt", "yuv420p"],
    ".mp4": ["-c:v", "libx264", "-preset", "fast", "-crf", "20", "-pix_fmt", "yuv420p"],
    ".webm": ["-c:v", "libvpx", "-b:v", "1500k", "-deadline", "realtime", "-cpu-used", "4"],
}


@dataclasses.dataclass
class Clip:
    path: Path
    width: int
    height: int
    rate: float  # frames per second
    frames: int


def probe(path: Path) -> Clip:
    command = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-of", "json",
               "-show_entries", "stream=width,height,avg_frame_rate,r_frame_rate,nb_read_packets", str(path)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    streams = json.loads(done.stdout or "{}").get("streams")
    if not streams:
        raise ValueError(f"{path}: not a video that FFmpeg reads: {done.stderr.strip()}")
    s = streams[0]
    top, bottom = s["r_frame_rate"].split("/")
    rate = int(top) / max(1, int(bottom))
    if path.suffix == ".mjpeg":
        rate = 30.0  # bare JPEG pictures carry no time
    return Clip(path, s["width"], s["height"], rate, int(s["nb_read_packets"]))


def read(clip: Clip, limit: int) -> Iterator[np.ndarray]:
    """RGB uint8 [height, width, 3], the first ``limit`` pictures, every one once."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(clip.path), "-fps_mode", "passthrough", "-frames:v", str(limit),
               "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]  # fmt: skip
    size = clip.width * clip.height * 3
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        while len(data := process.stdout.read(size)) == size:
            yield np.frombuffer(data, np.uint8).reshape(clip.height, clip.width, 3)
        process.stdout.close()


class Writer:
    """Encodes RGB frames with FFmpeg; the file appears under its name when whole."""

    def __init__(self, path: Path, width: int, height: int, rate: float):
        if path.suffix not in ENCODERS:
            raise ValueError(f"{path}: write one of {', '.join(ENCODERS)}")
        self.path, self.partial = path, path.with_name(f"{path.stem}.partial{path.suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
                   "-s", f"{width}x{height}", "-r", f"{rate:.6f}", "-i", "-", *ENCODERS[path.suffix],
                   "-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", str(self.partial)]  # fmt: skip
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def write(self, frame: np.ndarray) -> None:
        self.process.stdin.write(np.ascontiguousarray(frame).tobytes())

    def close(self) -> None:
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise ValueError(f"{self.path}: FFmpeg could not encode")
        self.partial.replace(self.path)


@dataclasses.dataclass
class Hand:
    """A hand's drift: a few slow sines per degree of freedom."""

    phases: np.ndarray  # [3 freedoms, 3 sines]
    rates: np.ndarray  # Hz
    reach: float  # pixels

    @staticmethod
    def sample(rng: np.random.Generator) -> "Hand":
        return Hand(rng.uniform(0, 2 * math.pi, (3, 3)), rng.uniform(0.15, 1.6, (3, 3)), draw.uniform(rng, 1.5, 5.0))

    def move(self, pose: geometry.Pose, t: float) -> geometry.Pose:
        x, y, turn = np.sin(self.phases + 2 * math.pi * self.rates * t).mean(axis=1) * self.reach
        return dataclasses.replace(
            pose,
            shift=(pose.shift[0] + float(x), pose.shift[1] + float(y)),
            angle=pose.angle + float(turn) * 0.002,
        )


class Filming:
    """Medium, camera, pose and hand of one clip."""

    def __init__(self, attack: str, clip: Clip, seed: int):
        self.rng, medium_rng, self.noise = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3))
        self.camera = dataclasses.replace(camera.Camera.sample(self.rng), enlarge=1.0, motion=0.0)
        scale = draw.uniform(self.rng, 1.0, 1.2)
        self.pose = dataclasses.replace(geometry.Pose.sample(self.rng, scale), bend=0.0)
        self.pose = dataclasses.replace(self.pose, angle=self.pose.angle * 0.5)
        self.hand = Hand.sample(self.rng)
        self.medium = media.sample(attack, medium_rng, scale)
        self.still = attack == "print"
        self.clip, self.picture = clip, None

    def frame(self, picture: np.ndarray, t: float) -> np.ndarray:
        """One picture at sensor resolution, the size of the clip, before any video encoder."""
        if self.picture is None or not self.still:
            self.picture = picture
        size = (self.clip.height, self.clip.width)
        centre = (self.clip.width / 2, self.clip.height / 2)
        view = geometry.look(self.hand.move(self.pose, t), centre, size, self.noise)
        return self.camera.capture(self.medium.radiance(self.picture, view, t), self.noise, t)


def film(source: Path, out: Path, attack: str, seed: int, seconds: float = 0, rate: float = 0) -> None:
    """Writes ``out``. ``seconds`` limits the length, ``rate`` thins the pictures (both 0: as the clip)."""
    clip = probe(source)
    step = max(1, round(clip.rate / rate)) if rate else 1
    limit = min(clip.frames, round(seconds * clip.rate)) if seconds else clip.frames
    filming = Filming(attack, clip, seed)
    writer = Writer(out, clip.width, clip.height, clip.rate / step)
    bar = Progress(out.name, limit)
    for i, picture in enumerate(read(clip, limit)):
        bar.step()
        if i % step == 0:
            writer.write(filming.frame(picture, i / clip.rate))
    writer.close()


def film_all(shared: Path, out: Path, seed: int, seconds: float, rate: float) -> list[Path]:
    """Print and replay versions of every clip of ``shared/media``; files there already are kept."""
    clips = sorted(p for p in (shared / "media").glob("*") if p.suffix in (".mjpeg", ".mkv", ".mp4", ".webm"))
    if not clips:
        raise FileNotFoundError(f"{shared / 'media'}: no clips")
    written = []
    for number, clip in enumerate(clips):
        for attack in ("print", "replay"):
            target = out / f"{clip.stem}_{attack}.mkv"
            if not target.exists():
                film(clip, target, attack, seed * 1000 + 2 * number + (attack == "replay"), seconds, rate)
            written.append(target)
    return written
