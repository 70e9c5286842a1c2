"""How much a number of own pictures is worth: cross-validated over whole series, with the weights thrown away.

Every fold of the series is scored by models that were fitted to 0, 50, 100, … pictures of the other folds; 0 is the start itself.
"""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import numpy as np

from .. import plots
from ..evaluation.realpictures import auc
from ..evaluation.videos import table
from ..simulation import pairs
from . import heldout, judged, start, tune
from .listing import Entry
from .own import Own


@dataclasses.dataclass(frozen=True)
class Point:
    """A number of pictures: the AUC of each fold, and of all files together, each scored by the model of its fold."""

    pictures: int
    series: list[int]  # that the pictures of each fold are of
    folds: list[float]
    scores: judged.Scores
    all: judged.Rate
    subset: float  # AUC of the files of the chosen subset alone; NaN: none was chosen

    @property
    def mean(self) -> float:
        return float(np.mean(self.folds))

    @property
    def deviation(self) -> float:
        """n - 1."""
        return float(np.std(self.folds, ddof=1))


@dataclasses.dataclass
class Study:
    """``subset``: over crops, of which the AUC is told beside that of all."""

    own: Own
    start: start.Start
    pool: pairs.Pairs | None
    folds: int
    subset: np.ndarray
    settings: tune.TuneSettings


def chosen(entries: list[Entry], subset: str) -> list[bool]:
    """Whether each entry has the value that ``subset`` (COLUMN=VALUE, empty: none) names."""
    column, sign, value = subset.partition("=")
    if subset and (not sign or column not in entries[0].columns):
        raise ValueError(f"--subset {subset}: give COLUMN=VALUE; columns are {', '.join(entries[0].columns)}")
    return [bool(subset) and entry.columns[column] == value for entry in entries]


def run(study: Study, counts: list[int]) -> list[Point]:
    """The start's point, and one for each of ``counts``, smallest first."""
    fold = heldout.deal(study.own.labels, study.own.series, study.folds, study.settings.seed)
    smallest = min((fold != n).sum() for n in range(study.folds))
    if counts[-1] > smallest:
        raise ValueError(f"--counts: {counts[-1]} pictures are more than the {smallest} outside of a fold")
    points = []
    for count in [0, *counts]:
        points.append(_point(study, fold, count))
        print(line(points[-1]), flush=True)
    return points


def _point(study: Study, fold: np.ndarray, count: int) -> Point:
    rho, series = np.empty(len(fold)), []
    for n in range(study.folds):
        inside = np.flatnonzero(fold == n)
        net, learned = study.start.net, np.empty(0, np.int64)
        if count:
            learned = few(study.own, np.flatnonzero(fold != n), count, study.settings.seed + n)
            net = _fitted(study, study.own.only(learned), f"{count} pictures, fold {n + 1}/{study.folds}")
        series.append(len(np.unique(study.own.series[learned])))
        rho[inside] = start.rho(net, study.start.config, study.own.images[inside])
    labels = study.own.labels
    each = [auc(rho[fold == n], labels[fold == n]) for n in range(study.folds)]
    scores = judged.of_files(study.own, rho)
    some = auc(rho[study.subset], labels[study.subset]) if study.subset.any() else float("nan")
    return Point(count, series, each, scores, judged.figures(scores, 0.5)["auc"], some)


def _fitted(study: Study, own: Own, what: str):
    net = copy.deepcopy(study.start.net)
    batches = tune.Batches(own, study.pool, net.k, study.settings)
    tune.tune(net, batches, tune.config(study.start.config, study.settings), what)
    return net


def few(own: Own, ids: np.ndarray, count: int, seed: int) -> np.ndarray:
    """``count`` of ``ids``, half of each class, series after series in a random order: a smaller number is part of a larger one."""
    out = []
    for y, share in ((1, count - count // 2), (0, count // 2)):
        of_class = ids[own.labels[ids] == y]
        names = np.random.default_rng([seed, y]).permutation(np.unique(own.series[of_class]))
        ordered = np.concatenate([of_class[own.series[of_class] == name] for name in names])
        out.append(ordered[:share])
    return np.concatenate(out)


HEADER = "| pictures | series | AUC, all (95 %) | mean of the folds ± deviation | subset |\n|---|---|---|---|---|"


def line(point: Point) -> str:
    series = f"{min(point.series)} to {max(point.series)}" if point.pictures else "–"
    subset = "–" if np.isnan(point.subset) else f"{point.subset:.3f}"
    return f"| {point.pictures} | {series} | {point.all.text()} | {point.mean:.3f} ± {point.deviation:.3f} | {subset} |"


def write(points: list[Point], out: Path) -> None:
    """OUT/curve.csv, curve.md, curve.svg."""
    out.mkdir(parents=True, exist_ok=True)
    rows = [
        [
            p.pictures,
            f"{p.all.value:.4f}",
            f"{p.all.low:.4f}",
            f"{p.all.high:.4f}",
            f"{p.mean:.4f}",
            f"{p.deviation:.4f}",
            f"{p.subset:.4f}",
            *map("{:.4f}".format, p.folds),
        ]
        for p in points
    ]
    folds = [f"fold_{n + 1}" for n in range(len(points[0].folds))]
    table(out / "curve.csv", ("pictures", "auc", "low", "high", "mean", "deviation", "subset", *folds), rows)
    (out / "curve.md").write_text("\n".join([HEADER, *map(line, points)]) + "\n", encoding="utf-8")
    plots.learning_curve(points, out / "curve.svg")
