"""Writes evaluation/metrics/testdata/golden.json, by which the Go package of error rates is held to this code to the bit.

    .venv/bin/python training/tests/golden_metrics.py

"trainer" is what liveproof_training gives; the Go test demands the same bits. "sklearn" is what scikit-learn and SciPy give, with
the published projects' own formulas on top: points to the bit, and rounded values, which are compared within a tolerance.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parents[1] / "evaluation" / "metrics" / "testdata" / "golden.json"
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))

from scipy import stats  # noqa: E402
from scipy.interpolate import interp1d  # noqa: E402
from scipy.optimize import brentq  # noqa: E402
from sklearn.metrics import roc_auc_score, roc_curve  # noqa: E402

from liveproof_training import metrics  # noqa: E402
from liveproof_training.evaluation import published  # noqa: E402

# (bona fide, attacks, decimals); two decimals and many scores tie often, twelve never; with more, the mathematics library of a machine could show.
SIZES = [(1, 1, 1), (2, 3, 1), (3, 2, 1), (8, 10, 2), (40, 120, 1), (40, 120, 2), (90, 270, 12), (360, 1440, 3), (700, 30, 2), (20, 3000, 2)]
LIMITS = (1e-3, 1e-2, 0.1)
SPREADS = (1, 2, 4, 6, 7, 8, 9, 20, 127, 128, 129, 300)
PROPORTIONS = [(0, 149), (0, 1), (1, 1), (1, 2), (0, 20), (1, 20), (7, 120), (2, 40), (6, 240), (149, 149), (148, 149), (500, 5000), (3, 100000)]
SMALL = 250  # cases of a few scores, where the rules for ties and the steps of Brent's method differ most
ROC_UP_TO = 260  # scores; the whole ROC curve of larger cases would fill the file


def rounded(value: float) -> float:
    """To 12 digits, so that the last bits of a processor's library do not change the file."""
    return float(f"{value:.12g}")


def point(p: metrics.Point) -> list[float]:
    return [p.threshold, p.far, p.frr]


def scores():
    """(name, bona fide, attacks) of each case."""
    for number, (bona_fide, attacks, decimals) in enumerate(SIZES):
        rng = np.random.default_rng(number)
        drawn = rng.beta(5, 2, bona_fide), rng.beta(2, 4, attacks)
        yield f"{bona_fide} to {attacks}, {decimals} decimals", *(np.round(v, decimals) for v in drawn)
    yield "by hand", np.array([0.9, 0.8, 0.7, 0.4]), np.array([0.1, 0.2, 0.3, 0.6])
    yield "equal everywhere", np.full(3, 0.5), np.full(5, 0.5)
    yield "no errors", np.array([0.8, 0.9]), np.array([0.1, 0.7])
    yield "all errors", np.array([0.1, 0.7]), np.array([0.8, 0.9])
    yield "equally far, smaller HTER", np.array([0.5, 0.9]), np.array([0.7])
    yield "neighbours as floats", np.array([0.5, np.nextafter(0.5, 1)]), np.array([0.5, np.nextafter(0.5, 0)])
    yield "outside the grid", np.array([-3.0, 0.5, 7.25]), np.array([-4.5, 0.5, 2.0])


def trainer(bona_fide: np.ndarray, attacks: np.ndarray) -> dict:
    return {
        "auc": metrics.auc(bona_fide, attacks),
        "at": [point(metrics.at(bona_fide, attacks, t)) for t in (0.0, 0.25, 0.5, float(bona_fide[0]), float(attacks[0]), 1.0)],
        "eer_point": point(metrics.eer_point(bona_fide, attacks)),
        "equal_error": metrics.equal_error(bona_fide, attacks),
        "published": {name: point(rule(bona_fide, attacks)) for name, rule in published.RULES.items()},
        "iso": [iso(bona_fide, attacks, t) for t in (0.5, float(attacks[0]))],
    }


def kinds(attacks: np.ndarray) -> tuple[list[str], list[str]]:
    """Species and instrument of each attack, by turns; the Go test has the same rule."""
    species = [("print", "cut", "replay")[i % 3] for i in range(len(attacks))]
    return species, [f"{name}{i % 2}" for i, name in enumerate(species)]


def iso(bona_fide: np.ndarray, attacks: np.ndarray, threshold: float) -> dict:
    pai, instrument = kinds(attacks)
    none, labels = [""] * len(bona_fide), np.repeat([1, 0], [len(bona_fide), len(attacks)])
    found = metrics.iso(np.concatenate([bona_fide, attacks]), labels, none + pai, none + instrument, threshold)
    return found.row() | {"apcer_pai": found.apcer_pai, "apcer_instruments": found.apcer_instrument}


def roc(bona_fide: np.ndarray, attacks: np.ndarray, drop: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """scikit-learn's curve; its first threshold as before version 1.3, whose successors have infinity there."""
    labels = np.repeat([1, 0], [len(bona_fide), len(attacks)])
    fpr, tpr, thresholds = roc_curve(labels, np.concatenate([bona_fide, attacks]), drop_intermediate=drop)
    thresholds[0] = thresholds[1] + 1
    return fpr, tpr, thresholds


def first_minimum(fpr: np.ndarray, tpr: np.ndarray, thresholds: np.ndarray) -> list[float]:
    best = int(np.argmin(np.abs(tpr + fpr - 1.0)))
    return [float(thresholds[best]), float(fpr[best]), float(1 - tpr[best])]


def iadg(bona_fide: np.ndarray, attacks: np.ndarray) -> list[float]:
    fpr, tpr, thresholds = roc(bona_fide, attacks, drop=True)
    x = brentq(lambda x: 1.0 - x - interp1d(fpr, tpr)(x), 0.0, 1.0)
    threshold = float(interp1d(fpr, thresholds)(x))
    return [threshold, float((attacks > threshold).mean()), float((bona_fide <= threshold).mean())]


def sklearn(bona_fide: np.ndarray, attacks: np.ndarray) -> dict:
    labels, every = np.repeat([1, 0], [len(bona_fide), len(attacks)]), np.concatenate([bona_fide, attacks])
    whole, bent = roc(bona_fide, attacks, drop=False), roc(bona_fide, attacks, drop=True)
    out = {
        "auc": rounded(float(roc_auc_score(labels, every))),
        "ssan": first_minimum(*bent),
        "safas": first_minimum(*whole),
        "iadg": iadg(bona_fide, attacks),
        "tpr_at_fpr": [[limit, float(whole[1][whole[0] <= limit].max())] for limit in LIMITS],
        "points": len(whole[0]),
    }
    if len(every) <= ROC_UP_TO:
        out["roc"] = dict(zip(("fpr", "tpr", "thresholds"), (v.tolist() for v in whole)))
    return out


def case(name: str, bona_fide: np.ndarray, attacks: np.ndarray) -> dict:
    return {
        "name": name,
        "bona_fide": bona_fide.tolist(),
        "attacks": attacks.tolist(),
        "trainer": trainer(bona_fide, attacks),
        "sklearn": sklearn(bona_fide, attacks),
    }


def small(number: int) -> dict:
    """The thresholds of a few scores: ours and the grid's by the trainer, the others by scikit-learn and SciPy."""
    rng = np.random.default_rng(10_000 + number)
    bona_fide, attacks = (np.round(rng.beta(*shape, rng.integers(1, 16)), 1 + number % 3) for shape in ((3, 2), (2, 3)))
    theirs = sklearn(bona_fide, attacks)
    return {
        "bona_fide": bona_fide.tolist(),
        "attacks": attacks.tolist(),
        "eer_point": point(metrics.eer_point(bona_fide, attacks)),
        "published": {"ssdg": point(published.grid(bona_fide, attacks)), **{name: theirs[name] for name in ("ssan", "safas", "iadg")}},
    }


def spread(n: int) -> dict:
    values = np.random.default_rng(n).uniform(0, 0.1, n).tolist()
    return {"values": values, **metrics.spread(values)}


def proportion(count: int, of: int, level: float) -> dict:
    exact = stats.binomtest(count, of).proportion_ci(level, method="exact")
    upper = stats.binomtest(count, of, alternative="less").proportion_ci(level, method="exact").high
    return {"count": count, "of": of, "level": level, "low": rounded(exact.low), "high": rounded(exact.high), "upper": rounded(upper)}


def probit(rate: float) -> list[float]:
    return [rate, rounded(float(stats.norm.ppf(rate)))]


def text() -> str:
    """The golden file: one case a line."""
    lists = {
        "cases": [case(*c) for c in scores()],
        "small": [small(number) for number in range(SMALL)],
        "spreads": [spread(n) for n in SPREADS],
        "proportions": [proportion(*p, level) for p in PROPORTIONS for level in (0.9, 0.95, 0.99)],
        "probits": [probit(rate) for rate in (1e-4, 1e-3, 0.01, 0.05, 0.25, 0.5, 0.9, 0.999)],
    }
    body = [f'"{name}": [\n' + ",\n".join(json.dumps(row, allow_nan=False) for row in rows) + "\n]" for name, rows in lists.items()]
    return "{\n" + ",\n".join(body) + "\n}\n"


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(text())
    print(f"{GOLDEN}: {GOLDEN.stat().st_size} bytes", file=sys.stderr)
