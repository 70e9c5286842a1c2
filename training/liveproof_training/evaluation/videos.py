"""Scores of frames -> one score a video: the mean of its frames'. A video of the protocol without any crop scores 0, never vanishes."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np

from liveproof_base import whole

from .. import metrics


@dataclasses.dataclass(frozen=True)
class Video:
    dataset: str
    video: str  # identity within the dataset
    role: str
    label: int  # 1 bona fide
    pai: str
    instrument: str
    camera: str
    rho: tuple[float, ...] = ()  # of its frames; empty: extraction gave no crop

    @property
    def score(self) -> float:
        """A video that shows no face cannot prove a living person: 0."""
        return float(np.mean(self.rho)) if self.rho else 0.0

    @property
    def name(self) -> str:
        return f"{self.dataset}/{self.video}"


def of_protocol(uses: dict, role: str, crops, rho: np.ndarray) -> list[Video]:
    """All videos that the protocol (``manifest.read_protocol``) has in ``role``, whether they gave crops or not."""
    frames = _frames(crops, rho)
    out = []
    for (dataset, video), use in uses.items():
        if use.role == role:
            found = tuple(frames.get(f"{dataset}/{video}", ()))
            out.append(Video(dataset, video, role, use.label, use.pai, use.instrument, use.camera, found))
    return out


def of_crops(role: str, crops, rho: np.ndarray) -> list[Video]:
    """Videos that the crops themselves name, where no protocol lists them."""
    frames, first = _frames(crops, rho), {}
    for name, row in zip(crops.videos, crops.rows):
        first.setdefault(name, row)
    return [Video(r.dataset, r.video, role, int(r.label), r.pai, r.instrument, r.camera, tuple(frames[name])) for name, r in first.items()]


def _frames(crops, rho: np.ndarray) -> dict[str, list[float]]:
    out: dict[str, list[float]] = {}
    for name, value in zip(crops.videos, rho):
        out.setdefault(name, []).append(float(value))
    return out


def scores(videos: list[Video]) -> tuple[np.ndarray, np.ndarray]:
    """(bona fide, attack) scores; either may be empty."""
    values, labels = np.array([v.score for v in videos]), np.array([v.label for v in videos])
    return values[labels == 1], values[labels == 0]


def iso(videos: list[Video], threshold: float) -> metrics.Iso:
    columns = zip(*((v.score, v.label, v.pai, v.instrument or v.pai) for v in videos))
    values, labels, pai, instrument = (list(c) for c in columns)
    return metrics.iso(np.array(values), np.array(labels), pai, instrument, threshold)


FIELDS = ("dataset", "video", "role", "label", "pai", "instrument", "camera")


def write(path: Path, videos: list[Video]) -> None:
    """One line a video: what it is, how many frames were scored, and their mean."""
    lines = ([*(getattr(v, field) for field in FIELDS), len(v.rho), f"{v.score:.6f}"] for v in videos)
    table(path, (*FIELDS, "frames", "score"), lines)


def write_frames(path: Path, parts) -> None:
    """One line a crop of each (role, crops, rho)."""
    lines = (
        [role, name, row.crop, row.frame, int(row.label), f"{value:.6f}"]
        for role, crops, rho in parts
        for name, row, value in zip(crops.videos, crops.rows, rho)
    )
    table(path, ("role", "video", "crop", "frame", "label", "rho"), lines)


def table(path: Path, header: tuple[str, ...], lines) -> None:
    """A CSV file, whole or not at all."""
    with whole.file(path) as partial, partial.open("w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(header)
        writer.writerows(lines)
