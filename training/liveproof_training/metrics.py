"""ISO/IEC 30107-3 error rates of scores where higher means bona fide; a score at the threshold is accepted as bona fide.

In the literature's words FAR is APCER over all attacks, FRR is BPCER, and HTER is the mean of the two.
"""

from __future__ import annotations

import dataclasses

import numpy as np


class SingleClass(ValueError):
    """An error rate was asked of scores that lack bona fide or attacks: it is not defined."""


def both(bona_fide: np.ndarray, attacks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64; raises SingleClass where one is empty, ValueError where a score is not finite."""
    out = np.asarray(bona_fide, dtype=np.float64), np.asarray(attacks, dtype=np.float64)
    for values, name in zip(out, ("bona fide", "attack")):
        if not len(values):
            raise SingleClass(f"no {name} scores: error rates need both classes")
        if not np.isfinite(values).all():
            raise ValueError(f"{name} scores hold NaN or infinity")
    return out


def auc(bona_fide: np.ndarray, attacks: np.ndarray) -> float:
    """Probability that a bona fide scores above an attack, ties counted half."""
    bona_fide, attacks = both(bona_fide, attacks)
    below = np.sort(attacks)
    wins = np.searchsorted(below, bona_fide, side="left").sum() + np.searchsorted(below, bona_fide, side="right").sum()
    return float(wins / (2 * len(bona_fide) * len(attacks)))


def apcer(attacks: np.ndarray, threshold: float) -> float:
    """Share of attacks accepted as bona fide (rho >= threshold)."""
    return float((np.asarray(attacks) >= threshold).mean())


def bpcer(bona_fide: np.ndarray, threshold: float) -> float:
    """Share of bona fide rejected."""
    return float((np.asarray(bona_fide) < threshold).mean())


@dataclasses.dataclass(frozen=True)
class Point:
    """Error rates at one threshold."""

    threshold: float
    far: float
    frr: float

    @property
    def hter(self) -> float:
        return (self.far + self.frr) / 2


def at(bona_fide: np.ndarray, attacks: np.ndarray, threshold: float) -> Point:
    bona_fide, attacks = both(bona_fide, attacks)
    return Point(float(threshold), apcer(attacks, threshold), bpcer(bona_fide, threshold))


def errors(bona_fide: np.ndarray, attacks: np.ndarray, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts (false acceptances, false rejections) at each threshold."""
    accepted = len(attacks) - np.searchsorted(np.sort(attacks), thresholds, side="left")
    return accepted, np.searchsorted(np.sort(bona_fide), thresholds, side="left")


def eer_point(bona_fide: np.ndarray, attacks: np.ndarray) -> Point:
    """Where |FAR - FRR| is least over all scores and infinity as thresholds; of equals the one with the smaller HTER.

    In whole numbers, so that no rounding decides between thresholds.
    """
    bona_fide, attacks = both(bona_fide, attacks)
    thresholds = np.append(np.unique(np.concatenate([bona_fide, attacks])), np.inf)
    accepted, rejected = errors(bona_fide, attacks, thresholds)
    far, frr = accepted * len(bona_fide), rejected * len(attacks)  # over the common denominator
    best = np.lexsort((far + frr, np.abs(far - frr)))[0]
    return Point(float(thresholds[best]), float(accepted[best] / len(attacks)), float(rejected[best] / len(bona_fide)))


def equal_error(bona_fide: np.ndarray, attacks: np.ndarray) -> tuple[float, float]:
    """(threshold, rate) where APCER and BPCER are closest, midway between neighbouring scores.

    For the threshold that a model carries: between the scores it was chosen on, the middle favours neither class on new ones,
    whereas ``eer_point``, which benchmarks compare by, always lies on a score.
    """
    bona_fide, attacks = both(bona_fide, attacks)
    values = np.unique(np.concatenate([bona_fide, attacks]))
    edges = np.concatenate([[values[0]], (values[1:] + values[:-1]) / 2, [values[-1] + 1e-6]])
    accepted, rejected = errors(bona_fide, attacks, edges)
    a, b = accepted / len(attacks), rejected / len(bona_fide)
    best = int(np.argmin(np.abs(a - b)))
    return float(edges[best]), float((a[best] + b[best]) / 2)


@dataclasses.dataclass(frozen=True)
class Iso:
    """ISO/IEC 30107-3 at one threshold. APCER is the worst over the attack instruments' species (print, cut, replay)."""

    threshold: float
    bpcer: float
    apcer_pai: dict[str, float]
    apcer_instrument: dict[str, float]
    apcer_pooled: float

    @property
    def apcer(self) -> float:
        return max(self.apcer_pai.values())

    @property
    def acer(self) -> float:
        return (self.apcer + self.bpcer) / 2

    def row(self) -> dict[str, float]:
        """With ACER by the worst PAI (the standard's), by the worst single instrument, and pooled (what much code computes)."""
        worst = max(self.apcer_instrument.values())
        return {
            "threshold": self.threshold,
            "bpcer": self.bpcer,
            "apcer": self.apcer,
            "acer": self.acer,
            "apcer_instrument": worst,
            "acer_instrument": (worst + self.bpcer) / 2,
            "apcer_pooled": self.apcer_pooled,
            "acer_pooled": (self.apcer_pooled + self.bpcer) / 2,
        }


def iso(scores: np.ndarray, labels: np.ndarray, pai: list[str], instrument: list[str], threshold: float) -> Iso:
    scores, labels = np.asarray(scores), np.asarray(labels)
    bona_fide, attacks = both(scores[labels == 1], scores[labels == 0])

    def worst(names: list[str]) -> dict[str, float]:
        of = np.array(names)[labels == 0]
        return {str(name): apcer(attacks[of == name], threshold) for name in np.unique(of)}

    return Iso(float(threshold), bpcer(bona_fide, threshold), worst(pai), worst(instrument), apcer(attacks, threshold))


def spread(values) -> dict[str, float]:
    """Mean and standard deviation over folds or seeds: over n (std0) and over n - 1 (std1, 0 for a single value)."""
    values = np.asarray(values, dtype=np.float64)
    return {
        "n": len(values),
        "mean": float(values.mean()),
        "std0": float(values.std()),
        "std1": float(values.std(ddof=1)) if len(values) > 1 else 0.0,
    }


def report(scores: np.ndarray, labels: np.ndarray, pai: list[str], threshold: float) -> dict[str, dict[str, float]]:
    """One row per attack instrument species and one for all, at the given threshold."""
    bona_fide = scores[labels == 1]
    rows = {}
    names = np.array(pai)
    for name in ["all"] + sorted(set(names[labels == 0])):
        attacks = scores[(labels == 0) & ((names == name) | (name == "all"))]
        rows[name] = {
            "attacks": len(attacks),
            "bona_fide": len(bona_fide),
            "auc": auc(bona_fide, attacks),
            "eer": equal_error(bona_fide, attacks)[1],
            "apcer": apcer(attacks, threshold),
            "bpcer": bpcer(bona_fide, threshold),
        }
    return rows
