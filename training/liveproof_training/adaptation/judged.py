"""Figures of a model on the held-out files, a score a file, with intervals over whole series."""

from __future__ import annotations

import dataclasses

import numpy as np

from .. import metrics
from .own import Own

RESAMPLES = 1000


@dataclasses.dataclass(frozen=True)
class Scores:
    """Of files: the mean rho of their crops."""

    names: list[str]
    rho: np.ndarray
    labels: np.ndarray
    series: np.ndarray
    attacks: np.ndarray  # attack type, "" for bona fide

    def of(self, label: int) -> np.ndarray:
        return self.rho[self.labels == label]


def of_files(own: Own, rho: np.ndarray) -> Scores:
    files = own.files()
    at = {entry.path: n for n, entry in enumerate(files)}
    of = np.array([at[entry.path] for entry in own.entries])
    means = np.bincount(of, rho, len(files)) / np.bincount(of, minlength=len(files))
    columns = ([e.label for e in files], [e.series for e in files], [e.attack for e in files])
    return Scores([e.name for e in files], means, *map(np.array, columns))


@dataclasses.dataclass(frozen=True)
class Rate:
    """A figure, and the interval in which 95 % of the resamples of whole series lie (NaN: not defined)."""

    value: float
    low: float
    high: float

    def points(self) -> str:
        return self._text(100, 1)

    def text(self) -> str:
        return self._text(1, 3)

    def _text(self, factor: float, digits: int) -> str:
        return f"{factor * self.value:.{digits}f} ({factor * self.low:.{digits}f} to {factor * self.high:.{digits}f})"


def figures(scores: Scores, threshold: float, seed: int = 1) -> dict[str, Rate]:
    """AUC, BPCER, APCER (all attacks pooled) at ``threshold``."""
    rows = [np.flatnonzero(scores.series == name) for name in np.unique(scores.series)]
    rng, drawn = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        ids = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        drawn.append(_figures(scores.rho[ids], scores.labels[ids], threshold))
    values = _figures(scores.rho, scores.labels, threshold)
    return {name: _rate(value, np.array([d[name] for d in drawn])) for name, value in values.items()}


def _figures(rho: np.ndarray, labels: np.ndarray, threshold: float) -> dict[str, float]:
    bona_fide, attacks = rho[labels == 1], rho[labels == 0]
    return {
        "auc": metrics.auc(bona_fide, attacks) if len(bona_fide) and len(attacks) else np.nan,
        "bpcer": metrics.bpcer(bona_fide, threshold) if len(bona_fide) else np.nan,
        "apcer": metrics.apcer(attacks, threshold) if len(attacks) else np.nan,
    }


def _rate(value: float, drawn: np.ndarray) -> Rate:
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, (0.025, 0.975)) if len(drawn) else (np.nan, np.nan)
    return Rate(float(value), float(low), float(high))


def by_attack(scores: Scores, threshold: float) -> dict[str, tuple[int, float]]:
    """Attack type -> (files, APCER)."""
    kinds = sorted(set(scores.attacks[scores.labels == 0].tolist()))
    return {kind: (int((scores.attacks == kind).sum()), metrics.apcer(scores.rho[scores.attacks == kind], threshold)) for kind in kinds}
