"""Which made crops a session would score: they are written as pictures, `liveproof evaluate` judges their quality, and its answer is read.

The product's limits of quality stand in its configuration and are measured by its own code, so this module has none of them.
"""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import cv2
import numpy as np

from liveproof_base import whole
from liveproof_base.progress import Progress

from ..loading import data
from . import realpictures

CANVAS = (640, 480)  # pixels, wide and high: a crop alone fills its picture as no face does, and the detector finds fewer of them
GREY = 114
NO_FACE = "no_face"


def write(crops: data.Crops, out: Path) -> int:
    """PNG files of the bona fide ``crops``, each in the middle of a grey canvas, and last labels.csv for `liveproof evaluate`; how many."""
    ids = np.flatnonzero(crops.labels == 1)
    if not len(ids):
        raise ValueError("there is no bona fide crop, and quality is asked of these only")
    out.mkdir(parents=True, exist_ok=True)
    bar, rows = Progress("crops as pictures", len(ids)), io.StringIO()
    table = csv.writer(rows)
    table.writerow(realpictures.COLUMNS)
    for n in ids:
        image = crops.images[n]
        file = out / name(n, image)
        if not cv2.imwrite(str(file), _canvas(image)[..., ::-1]):
            raise OSError(f"{file} could not be written")
        table.writerow((file.name, 1, crops.videos[n]))
        bar.step()
    whole.text(out / "labels.csv", rows.getvalue())
    return len(ids)


def name(place: int, image: np.ndarray) -> str:
    """File of a crop, by its place in the split and its bytes: a table of other crops is not taken for one of these."""
    return f"{place:06d}-{hashlib.sha256(image.tobytes()).hexdigest()[:8]}.png"


def kept(crops: data.Crops, scores: Path) -> np.ndarray:
    """bool [N]: the bona fide ``crops`` that a session would score, by ``scores-*.csv`` of `liveproof evaluate` of what `write` wrote.

    A crop has a face, since it was cut around one: where the detector finds none again, the crop counts. ValueError where the table is
    not of these crops.
    """
    reasons = realpictures.reasons(scores)
    found = np.zeros(len(crops), bool)
    for n in np.flatnonzero(crops.labels == 1):
        file = name(n, crops.images[n])
        if file not in reasons:
            raise ValueError(f"{scores} is not of these crops, {file} is missing: `unpack` them and let `liveproof evaluate` judge them")
        found[n] = not reasons[file] - {NO_FACE}
    return found


def _canvas(image: np.ndarray) -> np.ndarray:
    high, wide = image.shape[:2]
    canvas = np.full((CANVAS[1], CANVAS[0], 3), GREY, np.uint8)
    top, left = (CANVAS[1] - high) // 2, (CANVAS[0] - wide) // 2
    canvas[top : top + high, left : left + wide] = image
    return canvas
