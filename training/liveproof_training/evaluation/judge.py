"""Scored videos of dev and test -> error rates at three thresholds, by instrument and by camera.

idealised   equal error point of the test videos themselves, as the cross-dataset tables of the literature do: not attainable in use
realistic   equal error point of the dev videos (for OULU-NPU the protocol's own rule), then applied to test
model       the threshold that the model file carries
"""

from __future__ import annotations

import math

from .. import metrics
from . import published, videos
from .videos import Video

RULES = ("idealised", "realistic", "model")


def judge(dev: list[Video], test: list[Video], model_threshold: float | None = None) -> dict:
    """The report's figures, rates in [0, 1]; raises SingleClass where test lacks a class. ``realistic`` is None where dev does."""
    bona_fide, attacks = videos.scores(test)
    ideal = metrics.eer_point(bona_fide, attacks)
    source = _dev_point(dev)
    thresholds = {"idealised": ideal.threshold, "realistic": source.threshold if source else None, "model": model_threshold}
    return {
        "dev": {**counts(dev), "auc": metrics.auc(*videos.scores(dev)) if source else None, "eer": source.hter if source else None},
        "test": {**counts(test), "auc": metrics.auc(bona_fide, attacks)},
        **{rule: _rates(test, t) for rule, t in thresholds.items()},
        "published_hter": published.hters(bona_fide, attacks),
        "pai": _by_attack(test, "pai", thresholds),
        "instrument": _by_attack(test, "instrument", thresholds),
        "camera": _by_camera(test, thresholds),
        "frames": _frames(dev, test),
    }


def counts(part: list[Video]) -> dict:
    real = sum(v.label for v in part)
    return {
        "videos": len(part),
        "bona_fide": real,
        "attacks": len(part) - real,
        "frames": sum(len(v.rho) for v in part),
        "without_crops": [v.name for v in part if not v.rho],
    }


def _dev_point(dev: list[Video]) -> metrics.Point | None:
    try:
        return metrics.eer_point(*videos.scores(dev))
    except metrics.SingleClass:
        return None


def _rates(test: list[Video], threshold: float | None) -> dict | None:
    if threshold is None:
        return None
    point = metrics.at(*videos.scores(test), threshold)
    return {"hter": point.hter, "far": point.far, "frr": point.frr, **videos.iso(test, threshold).row()}


def _by_attack(test: list[Video], attribute: str, thresholds: dict) -> dict:
    """Each attack kind against all bona fide: AUC, and APCER at each threshold."""
    bona_fide, _ = videos.scores(test)
    out = {}
    for name in sorted({getattr(v, attribute) for v in test if not v.label}):
        attacks = videos.scores([v for v in test if not v.label and getattr(v, attribute) == name])[1]
        apcer = {f"apcer_{rule}": metrics.apcer(attacks, t) for rule, t in thresholds.items() if t is not None}
        out[name or "?"] = {"attacks": len(attacks), "auc": metrics.auc(bona_fide, attacks), **apcer}
    return out


def _by_camera(test: list[Video], thresholds: dict) -> dict:
    """Each camera's own videos; a camera with one class has no rates, only its counts."""
    out = {}
    for name in sorted({(v.dataset, v.camera) for v in test}):
        part = [v for v in test if (v.dataset, v.camera) == name]
        bona_fide, attacks = videos.scores(part)
        row = {"bona_fide": len(bona_fide), "attacks": len(attacks), "auc": None}
        if len(bona_fide) and len(attacks):
            row["auc"] = metrics.auc(bona_fide, attacks)
            row |= {f"hter_{rule}": metrics.at(bona_fide, attacks, t).hter for rule, t in thresholds.items() if t is not None}
        out["/".join(name)] = row
    return out


def _frames(dev: list[Video], test: list[Video]) -> dict:
    """The same by single frames, without the rule for videos that have none."""
    real, fake = _frame_scores(test)
    if not real or not fake:
        return {"auc": None, "hter_idealised": None, "hter_realistic": None}
    source = _frame_scores(dev)
    threshold = metrics.eer_point(*source).threshold if all(source) else math.nan
    return {
        "auc": metrics.auc(real, fake),
        "hter_idealised": metrics.eer_point(real, fake).hter,
        "hter_realistic": metrics.at(real, fake, threshold).hter if all(source) else None,
    }


def _frame_scores(part: list[Video]) -> tuple[list[float], list[float]]:
    return [r for v in part if v.label for r in v.rho], [r for v in part if not v.label for r in v.rho]


def folds(results: list[dict]) -> dict:
    """Mean and standard deviation over the folds of a protocol, or over its only one: rates at each fold's own dev threshold (None
    where a fold has none, since its dev videos lack a class), ``hter_idealised`` and ``auc``."""
    keys = ("acer", "apcer", "bpcer", "acer_instrument", "acer_pooled", "hter")
    chosen = [r["realistic"] for r in results]
    realistic = {k: None if None in chosen else metrics.spread([c[k] for c in chosen]) for k in keys}
    ideal = metrics.spread([r["idealised"]["hter"] for r in results])
    return {**realistic, "hter_idealised": ideal, "auc": metrics.spread([r["test"]["auc"] for r in results])}
