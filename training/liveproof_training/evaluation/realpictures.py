"""Real bona fide and attack pictures that a model is measured on and never trained on: crops through the detector, and their figures.

A folder holds ``labels.csv`` with ``file``, ``label`` (1 bona fide, 0 attack), ``series`` (pictures of one capture, held out together) and
``matched`` (1: of a subset whose classes are equally sharp). Classes of real pictures often differ in how they were captured, so
one figure is never enough: all pictures, the matched ones, and the means of series are told side by side.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from liveproof_base import crop
from liveproof_base.detector import RetinaFace
from liveproof_base.progress import Progress

from .. import metrics
from . import disturbances

COLUMNS = ("file", "label", "series")
RESAMPLES = 1000  # of the interval over series


@dataclasses.dataclass
class Pictures:
    """Crops of real faces. ``images`` uint8 [N, 256, 256, 3]; the rest [N]."""

    images: np.ndarray
    labels: np.ndarray
    series: np.ndarray
    matched: np.ndarray
    no_face: int = 0  # pictures in which the detector found none, left out of the rest
    sides: np.ndarray | None = None  # [N] pixels, the longer side of the face in its picture

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, keep: np.ndarray) -> Pictures:
        sides = self.sides[keep] if self.sides is not None else None
        return Pictures(self.images[keep], self.labels[keep], self.series[keep], self.matched[keep], sides=sides)


def read(folder: Path, detector: RetinaFace, refused: frozenset[str] = frozenset(), margin: float = crop.MARGIN) -> Pictures:
    """The pictures of ``folder/labels.csv`` as the product crops them, but for another ``margin``, without the files ``refused``."""
    rows = [row for row in _rows(folder / "labels.csv") if row["file"] not in refused]
    bar, images, kept, sides = Progress("real pictures", len(rows)), [], [], []
    for row in rows:
        image = cv2.imread(str(folder / row["file"]), cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError(f"{folder / row['file']}: not a readable picture; labels.csv names it")
        image = np.ascontiguousarray(image[..., ::-1])
        box = detector.largest(image)
        if box is not None:
            images.append(crop.face_crop(image, box, margin))
            kept.append(row)
            sides.append(max(box[2] - box[0], box[3] - box[1]))
        bar.step()
    if not kept:
        raise ValueError(f"{folder}: the detector finds no face in any picture")
    labels = np.array([int(row["label"]) for row in kept])
    matched = np.array([row.get("matched", "") == "1" for row in kept])
    series = np.array([row["series"] for row in kept])
    return Pictures(np.stack(images), labels, series, matched, len(rows) - len(kept), np.array(sides))


def refused(scores: Path) -> frozenset[str]:
    """The files that a session would not score, of ``scores-*.csv`` of `liveproof evaluate`: those it gives reasons for."""
    return frozenset(file for file, said in reasons(scores).items() if said)


def reasons(scores: Path) -> dict[str, frozenset[str]]:
    """Of each file in ``scores-*.csv`` of `liveproof evaluate` why a session would not score it; empty where it would."""
    with scores.open(newline="") as file:
        reader = csv.DictReader(file)
        if missing := {"test_label", "reasons"} - set(reader.fieldnames or ()):
            raise ValueError(f"{scores} has no column {min(missing)}: it is not a table of scores by `liveproof evaluate`")
        rows = list(reader)
    if failed := next((row for row in rows if row.get("error")), None):
        raise ValueError(f"{scores}: {failed['test_label']} could not be judged ({failed['error']}); run `liveproof evaluate` again")
    return {row["test_label"]: frozenset(row["reasons"].split()) for row in rows}


def _rows(table: Path) -> list[dict[str, str]]:
    if not table.is_file():
        raise FileNotFoundError(f"{table} is missing: it lists the pictures as {', '.join(COLUMNS)} and, if known, matched")
    with table.open(newline="") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise ValueError(f"{table}: column {missing[0]} is missing; it needs {', '.join(COLUMNS)}")
        rows = list(reader)
    if bad := [row for row in rows if row["label"] not in ("0", "1")]:
        raise ValueError(f"{table}: label {bad[0]['label']!r} of {bad[0]['file']}: write 1 for bona fide, 0 for an attack")
    return rows


def is_even(series: np.ndarray) -> np.ndarray:
    """Whether the hash of a series' name is even: a fixed half to choose models by, so that the other half stays unseen."""
    return np.array([int(hashlib.sha256(str(name).encode()).hexdigest(), 16) % 2 == 0 for name in series], bool)


def series_means(rho: np.ndarray, pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
    """(mean rho, label) of every series."""
    names = np.unique(pictures.series)
    of = [pictures.series == name for name in names]
    return np.array([rho[rows].mean() for rows in of]), np.array([pictures.labels[rows][0] for rows in of])


def auc(rho: np.ndarray, labels: np.ndarray) -> float:
    """NaN where a class is missing, as in a small subset."""
    bona_fide, attacks = rho[labels == 1], rho[labels == 0]
    return metrics.auc(bona_fide, attacks) if len(bona_fide) and len(attacks) else float("nan")


@dataclasses.dataclass
class Figures:
    """AUC by all pictures, by those of equal sharpness, by means of series; errors at ``threshold``."""

    pictures: int
    all: float
    matched: float
    series: float
    bpcer: float
    apcer: float
    low: float  # interval of ``all`` in which 95 % of the resamples of whole series lie
    high: float

    def line(self, name: str) -> str:
        auc_ = f"{self.all:.3f} ({self.low:.2f} to {self.high:.2f}) | {self.matched:.3f} | {self.series:.3f}"
        return f"| {name} | {self.pictures} | {auc_} | {100 * self.bpcer:.1f} % | {100 * self.apcer:.1f} % |"


HEADER = "| pictures | n | AUC all (95 %) | matched | series means | BPCER | APCER |\n|---|---|---|---|---|---|---|"


def figures(rho: np.ndarray, pictures: Pictures, threshold: float, seed: int = 1) -> Figures:
    m, y = pictures.matched, pictures.labels
    low, high = _interval(rho, pictures, np.random.default_rng(seed))
    rates = metrics.bpcer(rho[y == 1], threshold), metrics.apcer(rho[y == 0], threshold)
    return Figures(len(pictures), auc(rho, y), auc(rho[m], y[m]), auc(*series_means(rho, pictures)), *rates, low, high)


def _interval(rho: np.ndarray, pictures: Pictures, rng: np.random.Generator) -> tuple[float, float]:
    """Pictures of a series are alike: series are drawn again, not pictures."""
    rows = [np.flatnonzero(pictures.series == name) for name in np.unique(pictures.series)]
    values = []
    for _ in range(RESAMPLES):
        ids = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        values.append(auc(rho[ids], pictures.labels[ids]))
    values = np.array(values)
    values = values[np.isfinite(values)]
    return (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))) if len(values) else (float("nan"),) * 2


def halves(rho: np.ndarray, pictures: Pictures, threshold: float) -> dict[str, Figures]:
    """All pictures, and the two halves of the series: choose by the even one, report the odd one."""
    even = is_even(pictures.series)
    parts = {"all series": np.ones(len(rho), bool), "even series (to choose by)": even, "odd series (to report)": ~even}
    return {name: figures(rho[keep], pictures.only(keep), threshold) for name, keep in parts.items() if keep.any()}


def told(score: Callable[[np.ndarray], np.ndarray], pictures: Pictures, threshold: float) -> dict[str, Figures]:
    """By halves of the series as they are, then all in each condition."""
    found = halves(score(pictures.images), pictures, threshold)
    changes = {name: change for name, change in disturbances.CONDITIONS.items() if name != disturbances.PLAIN}
    bar = Progress("score real pictures", len(changes))
    for name, change in changes.items():
        found[name] = figures(score(disturbances.each(change, pictures.images)), pictures, threshold)
        bar.step()
    return found


def lines(found: dict[str, Figures]) -> list[str]:
    """The table's lines."""
    return [row.line(name) for name, row in found.items()]
