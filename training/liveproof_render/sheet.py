"""Rendered pairs in one picture: bona fide above, the attack with the same content, pose and camera below."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from liveproof_base import manifest

COLUMNS = 10
SCALE = 0.6  # of the crops, so that two rows of pairs fit on a screen


def write(folder: Path, split: str, out: Path) -> None:
    """Two rows of evenly spaced pairs of FOLDER's split, as ``crops`` rendered them, as a JPEG or PNG file."""
    rows = [row for row in manifest.read(folder) if row.split == split]
    pairs = [i for i in range(len(rows) - 1) if rows[i].pai == "none" and rows[i + 1].pai != "none"]
    if not pairs:
        raise ValueError(f"{folder}: no pair of bona fide and attack in split {split}; `liveproof_render crops` makes them")
    images = np.load(folder / f"{split}.npy", mmap_mode="r")
    picture = cv2.resize(_grid(images, pairs), None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    if not cv2.imwrite(str(out), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88]):
        raise ValueError(f"{out}: the picture could not be written")


def _grid(images: np.ndarray, pairs: list[int]) -> np.ndarray:
    chosen = [pairs[i] for i in np.linspace(0, len(pairs) - 1, 2 * COLUMNS).astype(int)]
    rows = []
    for half in (chosen[:COLUMNS], chosen[COLUMNS:]):
        rows += [np.hstack([images[i] for i in half]), np.hstack([images[i + 1] for i in half])]
    return np.vstack(rows)
