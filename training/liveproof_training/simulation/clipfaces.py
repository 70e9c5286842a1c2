"""Faces of filmed people as a folder of portraits, so that a simulated run sees faces that a real camera took."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np

from liveproof_base import video
from liveproof_base.detector import RetinaFace

from ..loading import rendered
from .bank import FACE, SIDE, square

SMALLEST = 45  # pixels of the face; smaller ones are all blur at the bank's scale


def write(out: Path, clips: list[Path], detector: RetinaFace, per_clip: int) -> Path:
    """OUT/faces.csv and pictures of about ``per_clip`` frames of each clip; a clip is a source grid of its own."""
    table = out / "faces.csv"
    if table.exists():
        raise FileExistsError(f"{table}: there are faces already; choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    rows = [row for clip in clips for row in _faces(out, clip, detector, per_clip)]
    if not rows:
        raise ValueError(f"{', '.join(map(str, clips))}: no face of {SMALLEST} pixels or more")
    partial = table.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    partial.rename(table)
    return table


def _faces(out: Path, clip: Path, detector: RetinaFace, per_clip: int):
    info = video.probe(clip)
    step = max(1, info.frames // per_clip)
    for number, frame in enumerate(video.read(info, info.frames)):
        box = detector.largest(frame) if number % step == 0 else None
        if box is None or max(box[2] - box[0], box[3] - box[1]) < SMALLEST:
            continue
        name = f"{clip.stem}_{number:04d}.png"
        cv2.imwrite(str(out / name), square(np.ascontiguousarray(frame), box)[..., ::-1])
        yield {"file": name, "width": SIDE, "height": SIDE, **rendered.usual_places(_centred(box)), "source_grid": clip.stem}


def _centred(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The box in the square."""
    width, height = box[2] - box[0], box[3] - box[1]
    scale = FACE / max(width, height)
    half_x, half_y = scale * width / 2, scale * height / 2
    return SIDE / 2 - half_x, SIDE / 2 - half_y, SIDE / 2 + half_x, SIDE / 2 + half_y
