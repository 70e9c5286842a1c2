"""Equal-error points as other published code computes them, to compare figures to the bit. Ours is ``metrics.eer_point``.

Each takes (bona fide, attack) scores and gives a ``metrics.Point``; reference text in fas-benchmarks 7.3.
"""

from __future__ import annotations

import numpy as np

from ..metrics import Point, both, errors


def grid(bona_fide: np.ndarray, attacks: np.ndarray) -> Point:
    """SSDG, FLIP: thresholds 0, 1e-4, … 1 and 1.1; the last minimum of |FRR - FAR| wins."""
    bona_fide, attacks = both(bona_fide, attacks)
    thresholds = np.append(np.arange(10001) / 10000.0, 1.1)
    accepted, rejected = errors(bona_fide, attacks, thresholds)
    far, frr = accepted / len(attacks), rejected / len(bona_fide)
    distance = np.abs(frr - far)
    best = len(distance) - 1 - int(np.argmin(distance[::-1]))
    return Point(float(thresholds[best]), float(far[best]), float(frr[best]))


def roc_curve(bona_fide: np.ndarray, attacks: np.ndarray, drop: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(FPR, TPR, thresholds falling), as scikit-learn's ``roc_curve``; ``drop``: without points on a straight line.

    The first threshold, where nothing is accepted, is the largest score + 1 (scikit-learn before 1.3).
    """
    thresholds = np.unique(np.concatenate([bona_fide, attacks]))[::-1]
    accepted, rejected = errors(bona_fide, attacks, thresholds)
    hits = len(bona_fide) - rejected
    if drop and len(thresholds) > 2:
        bent = np.logical_or(np.diff(accepted, 2), np.diff(hits, 2))
        keep = np.flatnonzero(np.concatenate([[True], bent, [True]]))
        accepted, hits, thresholds = accepted[keep], hits[keep], thresholds[keep]
    start = thresholds[0] + 1
    return np.append(0, accepted) / len(attacks), np.append(0, hits) / len(bona_fide), np.append(start, thresholds)


def ssan(bona_fide: np.ndarray, attacks: np.ndarray) -> Point:
    """SSAN: first minimum of |TPR + FPR - 1| on the ROC curve without collinear points."""
    return _first_minimum(*roc_curve(*both(bona_fide, attacks), drop=True))


def safas(bona_fide: np.ndarray, attacks: np.ndarray) -> Point:
    """SA-FAS: the same on the whole ROC curve."""
    return _first_minimum(*roc_curve(*both(bona_fide, attacks), drop=False))


def _first_minimum(fpr: np.ndarray, tpr: np.ndarray, thresholds: np.ndarray) -> Point:
    best = int(np.argmin(np.abs(tpr + fpr - 1.0)))
    return Point(float(thresholds[best]), float(fpr[best]), float(1 - tpr[best]))


def iadg(bona_fide: np.ndarray, attacks: np.ndarray) -> Point:
    """IADG: root of 1 - x - TPR(x) on the interpolated ROC curve, threshold interpolated there; accepted only *above* it.

    The root often lies on an upright piece of the curve, where the last bits of x decide between thresholds: hence ``_brent``
    with SciPy's tolerances, not any other way to the root.
    """
    bona_fide, attacks = both(bona_fide, attacks)
    fpr, tpr, thresholds = roc_curve(bona_fide, attacks, drop=True)
    x = _brent(lambda x: 1.0 - x - float(np.interp(x, fpr, tpr)), 0.0, 1.0)
    threshold = float(np.interp(x, fpr, thresholds))
    return Point(threshold, float((attacks > threshold).mean()), float((bona_fide <= threshold).mean()))


def _brent(f, before: float, now: float, xtol: float = 2e-12, rtol: float = 4 * np.finfo(float).eps) -> float:
    """Root between two points of opposite sign by Brent's method, step for step as ``scipy.optimize.brentq``."""
    f_before, f_now = f(before), f(now)
    if f_before == 0 or f_now == 0:
        return before if f_before == 0 else now
    other = f_other = last = step = 0.0
    for _ in range(100):
        if f_before != 0 and (f_before < 0) != (f_now < 0):
            other, f_other, last, step = before, f_before, now - before, now - before
        if abs(f_other) < abs(f_now):
            before, now, other = now, other, now
            f_before, f_now, f_other = f_now, f_other, f_now
        delta, half = (xtol + rtol * abs(now)) / 2, (other - now) / 2
        if f_now == 0 or abs(half) < delta:
            return now
        last, step = _brent_step((before, now, other), (f_before, f_now, f_other), last, step, delta, half)
        before, f_before = now, f_now
        now += step if abs(step) > delta else (delta if half > 0 else -delta)
        f_now = f(now)
    raise ArithmeticError("no root in 100 steps")


def _brent_step(x, f, last: float, step: float, delta: float, half: float) -> tuple[float, float]:
    """The next (last, step): secant or inverse quadratic where it shrinks fast enough, else bisection."""
    (before, now, other), (f_before, f_now, f_other) = x, f
    if abs(last) <= delta or abs(f_now) >= abs(f_before):
        return half, half
    if before == other:
        trial = -f_now * (now - before) / (f_now - f_before)
    else:
        d_before, d_other = (f_before - f_now) / (before - now), (f_other - f_now) / (other - now)
        trial = -f_now * (f_other * d_other - f_before * d_before) / (d_other * d_before * (f_other - f_before))
    return (step, trial) if 2 * abs(trial) < min(abs(last), 3 * abs(half) - delta) else (half, half)


RULES = {"ssdg": grid, "ssan": ssan, "safas": safas, "iadg": iadg}


def hters(bona_fide: np.ndarray, attacks: np.ndarray) -> dict[str, float]:
    """HTER at each rule's own threshold, all chosen on these very scores."""
    return {name: rule(bona_fide, attacks).hter for name, rule in RULES.items()}
