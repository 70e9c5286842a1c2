"""The portraits that crops are rendered from, and their split by source grid.

Portraits cut from one preview grid resemble one another (one generator, one prompt), so whole
grids go to one split: a score on ``dev`` or ``test`` is a score on unseen grids.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
from pathlib import Path

import cv2
import numpy as np

from liveproof_base.manifest import SPLITS

from .face import Face

LANDMARKS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
WHERE_FROM = "`python3 -m liveproof_render portraits --out {}` draws simple ones"
HELD_OUT = 0.12  # share of all portraits, at least, in each of dev and test


@dataclasses.dataclass(frozen=True)
class Portrait:
    path: Path
    face: Face
    grid: str
    room: float = 0.0  # shorter side of the picture over the longer side of the face

    def load(self) -> np.ndarray:
        image = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"{self.path}: not a readable picture")
        return np.ascontiguousarray(image[..., ::-1])


def read(folder: Path) -> list[Portrait]:
    """All portraits of ``folder/faces.csv``."""
    table = folder / "faces.csv"
    if not table.is_file():
        raise FileNotFoundError(f"{table} is missing: it lists the portraits with their face boxes. {WHERE_FROM.format(folder)}")
    with table.open(newline="") as f:
        found = [_portrait(folder, row) for row in csv.DictReader(f)]
    if not found:
        raise ValueError(f"{table} lists no portraits. {WHERE_FROM.format(folder)}")
    return found


def _portrait(folder: Path, row: dict[str, str]) -> Portrait:
    box = tuple(float(row[k]) for k in ("x1", "y1", "x2", "y2"))
    points = tuple((float(row[f"{name}_x"]), float(row[f"{name}_y"])) for name in LANDMARKS)
    face = Face(box, points)
    return Portrait(folder / row["file"], face, row["source_grid"], min(float(row["width"]), float(row["height"])) / face.side)


def split(portraits: list[Portrait]) -> dict[str, list[Portrait]]:
    """Whole grids in the order of their names' hashes: test until it is full, then dev, the rest train."""
    by_grid: dict[str, list[Portrait]] = {}
    for p in portraits:
        by_grid.setdefault(p.grid, []).append(p)
    out: dict[str, list[Portrait]] = {name: [] for name in SPLITS}
    want = HELD_OUT * len(portraits)
    for grid in sorted(by_grid, key=lambda g: hashlib.sha256(g.encode()).hexdigest()):
        name = next((s for s in ("test", "dev") if len(out[s]) < want), "train")
        out[name] += by_grid[grid]
    return out
