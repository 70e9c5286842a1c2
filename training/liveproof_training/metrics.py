"""ISO/IEC 30107-3 error rates of scores where higher means bona fide."""

from __future__ import annotations

import numpy as np


def auc(bona_fide: np.ndarray, attacks: np.ndarray) -> float:
    """Probability that a bona fide scores above an attack, ties counted half."""
    scores = np.concatenate([attacks, bona_fide])
    order = np.argsort(scores, kind="mergesort")
    ranks = np.empty(len(scores))
    values, start = scores[order], 0
    while start < len(values):
        end = start + int(np.searchsorted(values[start:], values[start], side="right"))
        ranks[order[start:end]] = (start + end + 1) / 2
        start = end
    n = len(bona_fide)
    return float((ranks[len(attacks) :].sum() - n * (n + 1) / 2) / (n * len(attacks)))


def apcer(attacks: np.ndarray, threshold: float) -> float:
    """Share of attacks accepted as bona fide (rho >= threshold)."""
    return float((attacks >= threshold).mean())


def bpcer(bona_fide: np.ndarray, threshold: float) -> float:
    """Share of bona fide rejected."""
    return float((bona_fide < threshold).mean())


def equal_error(bona_fide: np.ndarray, attacks: np.ndarray) -> tuple[float, float]:
    """(threshold, rate) where APCER and BPCER are closest; midway between neighbouring scores."""
    values = np.unique(np.concatenate([bona_fide, attacks]))
    edges = np.concatenate([[values[0]], (values[1:] + values[:-1]) / 2, [values[-1] + 1e-6]])
    a = 1 - np.searchsorted(np.sort(attacks), edges, side="left") / len(attacks)
    b = np.searchsorted(np.sort(bona_fide), edges, side="left") / len(bona_fide)
    best = int(np.argmin(np.abs(a - b)))
    return float(edges[best]), float((a[best] + b[best]) / 2)


def report(scores: np.ndarray, labels: np.ndarray, media: list[str], threshold: float) -> dict[str, dict[str, float]]:
    """One row per attack medium and one for all, at the given threshold."""
    bona_fide = scores[labels == 1]
    rows = {}
    names = np.array(media)
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
