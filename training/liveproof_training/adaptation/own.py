"""The user's files as crops: what the detector finds, cropped as the product does."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from liveproof_base import crop, video
from liveproof_base.detector import RetinaFace
from liveproof_base.progress import Progress

from ..loading import data, pictures
from .listing import Entry

PICTURES = (".jpg", ".jpeg", ".png", ".webp")  # as `liveproof evaluate` has it; all else is a clip
MOST = 6000  # crops, which stay in memory: 1.2 GB
UNREADABLE, NO_FACE = "unreadable", "no face found"


@dataclasses.dataclass
class Own:
    """Crops, and whose they are; arrays over crops."""

    images: np.ndarray  # uint8 [N, 256, 256, 3]
    entries: list[Entry]  # the file of each

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def labels(self) -> np.ndarray:
        return np.array([e.label for e in self.entries], np.int64)

    @property
    def series(self) -> np.ndarray:
        return np.array([e.series for e in self.entries])

    @property
    def sets(self) -> np.ndarray:
        return np.array([e.set for e in self.entries])

    def only(self, keep: np.ndarray) -> Own:
        ids = np.arange(len(self))[keep]
        return Own(self.images[ids], [self.entries[i] for i in ids])

    def files(self) -> list[Entry]:
        """Each once."""
        return list({e.path: e for e in self.entries}.values())

    def sha256(self) -> str:
        """Of all crops with their truth and series: what the model was trained on."""
        digest = hashlib.sha256()
        for image, entry in zip(self.images, self.entries):
            digest.update(f"{entry.attack}\0{entry.series}\0{entry.set}\n".encode())
            digest.update(image.tobytes())
        return digest.hexdigest()

    def crops(self) -> data.Crops:
        """In the form that export reads."""
        names = [e.name for e in self.entries]
        kinds = [e.attack or "none" for e in self.entries]
        return data.Crops(pictures.InMemory(self.images), self.labels, np.full(len(self), -1, np.int64), kinds, names, [])


@dataclasses.dataclass(frozen=True)
class Skipped:
    entry: Entry
    why: str

    def line(self) -> str:
        return f"{self.entry.name}: {self.why}"


def extract(entries: list[Entry], detector: RetinaFace, per_clip: int) -> tuple[Own, list[Skipped]]:
    """Crops of all files, and the files that gave none."""
    if any(not _is_picture(e) for e in entries) and not (shutil.which("ffprobe") and shutil.which("ffmpeg")):
        raise FileNotFoundError("clips are read by FFmpeg: install ffmpeg, so that ffmpeg and ffprobe are found")
    bar, images, owners, skipped = Progress("crops", len(entries)), [], [], []
    for entry in entries:
        try:
            found = [_crop(frame, detector) for frame in _frames(entry, per_clip)]
            found = [image for image in found if image is not None]
            skipped += [] if found else [Skipped(entry, NO_FACE)]
        except (ValueError, KeyError, ZeroDivisionError, cv2.error):  # whatever a broken file makes its reader say
            found = []
            skipped.append(Skipped(entry, UNREADABLE))
        images, owners = images + found, owners + [entry] * len(found)
        if len(images) > MOST:
            raise ValueError(f"more than {MOST} crops: take fewer files or a smaller --per-clip, or train anew with `train`")
        bar.step(note=f"{len(images)} crops, {len(skipped)} files without")
    return Own(np.stack(images) if images else np.zeros((0, *pictures.SHAPE), np.uint8), owners), skipped


def _is_picture(entry: Entry) -> bool:
    return entry.path.suffix.lower() in PICTURES


def _crop(frame: np.ndarray, detector: RetinaFace) -> np.ndarray | None:
    box = detector.largest(frame)
    return None if box is None else crop.face_crop(frame, box)


def _frames(entry: Entry, per_clip: int) -> Iterator[np.ndarray]:
    """RGB pictures, upright: the picture itself, or frames spread evenly over a clip."""
    if _is_picture(entry):
        image = cv2.imread(str(entry.path), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"{entry.path}: not a readable picture")
        yield np.ascontiguousarray(image[..., ::-1])
        return
    clip = video.probe(entry.path)
    wanted = set(np.linspace(0, clip.frames - 1, per_clip).round().astype(int).tolist())
    for number, frame in enumerate(video.read(clip, clip.frames)):
        if number in wanted:
            yield frame


def write_skipped(skipped: list[Skipped], path: Path) -> None:
    path.write_text("".join(f"{s.line()}\n" for s in skipped), encoding="utf-8")
