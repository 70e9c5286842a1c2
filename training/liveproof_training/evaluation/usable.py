"""Which made crops a session would score: they are written as pictures, `liveproof evaluate` judges their quality, and its answer is read.

The product's limits of quality stand in its configuration and are measured by its own code, so this module has none of them.
"""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np

from liveproof_base.progress import Progress

from ..loading import data
from . import realpictures

CANVAS = (640, 480)  # pixels, wide and high: a crop alone fills its picture as no face does, and the detector finds fewer of them
GREY = 114
NO_FACE = "no_face"


def write(crops: data.Crops, out: Path) -> int:
    """PNG files of the bona fide ``crops``, each in the middle of a grey canvas, and labels.csv for `liveproof evaluate`; how many."""
    out.mkdir(parents=True, exist_ok=True)
    ids = np.flatnonzero(crops.labels == 1)
    if not len(ids):
        raise ValueError("there is no bona fide crop, and quality is asked of these only")
    bar = Progress("crops as pictures", len(ids))
    with (out / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(realpictures.COLUMNS)
        for n in ids:
            cv2.imwrite(str(out / name(n)), _canvas(crops.images[n])[..., ::-1])
            table.writerow((name(n), 1, crops.videos[n]))
            bar.step()
    return len(ids)


def name(crop: int) -> str:
    """File of a crop, by its place in the split."""
    return f"{crop:06d}.png"


def kept(crops: data.Crops, scores: Path) -> np.ndarray:
    """bool [N]: the bona fide ``crops`` that a session would score, by ``scores-*.csv`` of `liveproof evaluate` of what `write` wrote.

    A crop has a face, since it was cut around one: where the detector finds none again, that is no fault of the picture. ValueError
    where the table is not of these crops.
    """
    reasons = realpictures.reasons(scores)
    bona_fide = np.flatnonzero(crops.labels == 1)
    if missing := [name(n) for n in bona_fide if name(n) not in reasons]:
        raise ValueError(f"{scores} is not of these crops, {missing[0]} is missing: `unpack` them and let `liveproof evaluate` judge them")
    found = np.zeros(len(crops), bool)
    found[bona_fide] = [not reasons[name(n)] - {NO_FACE} for n in bona_fide]
    return found


def _canvas(image: np.ndarray) -> np.ndarray:
    high, wide = image.shape[:2]
    canvas = np.full((CANVAS[1], CANVAS[0], 3), GREY, np.uint8)
    top, left = (CANVAS[1] - high) // 2, (CANVAS[0] - wide) // 2
    canvas[top : top + high, left : left + wide] = image
    return canvas
