"""What stands before the camera: recordings of LIVEPROOF_SHARED, each as MJPEG (Chromium's camera) and as Matroska with the same pictures."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Camera:
    name: str
    mjpeg: Path
    matroska: Path


PEOPLE = {"person_A": "person_A_640x480.mjpeg", "person_B": "person_B_640x480.mjpeg"}
ATTACKS = {"print of A": "hostile/f2_print_A.mp4"}


def missing() -> list[Path]:
    return [p for p in map(_recording, (PEOPLE | ATTACKS).values()) if not p.exists()]


def prepare(names: dict[str, str], into: Path) -> list[Camera]:
    return [_prepare(name, _recording(file), into) for name, file in names.items()]


def _recording(file: str) -> Path:
    return Path(os.environ.get("LIVEPROOF_SHARED") or "$LIVEPROOF_SHARED") / "media" / file


def _prepare(name: str, recording: Path, into: Path) -> Camera:
    """Keeps the pictures of MJPEG as they are, 30 a second; what is coded otherwise becomes MJPEG of high quality.

    The recording runs forth and back: it is shorter than the longest check, and the server takes one that starts again for a replay.
    """
    camera = Camera(name, into / f"{name.replace(' ', '_')}.mjpeg", into / f"{name.replace(' ', '_')}.mkv")
    forth = recording
    if recording.suffix != ".mjpeg":
        forth = into / f"forth_{camera.mjpeg.name}"
        _ffmpeg("-i", recording, "-an", "-r", "30", "-c:v", "mjpeg", "-q:v", "2", forth)
    pictures = _split(forth.read_bytes())
    camera.mjpeg.write_bytes(b"".join(pictures + pictures[-2:0:-1]))
    _ffmpeg("-f", "mjpeg", "-r", "30", "-i", camera.mjpeg, "-c", "copy", camera.matroska)
    return camera


def _split(mjpeg: bytes) -> list[bytes]:
    """A JPEG ends with FF D9, which its entropy-coded data cannot hold."""
    end = b"\xff\xd9"
    return [picture + end for picture in mjpeg.split(end)[:-1]]


def _ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL)
