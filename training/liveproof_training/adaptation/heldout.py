"""Whole series on one side or the other: pictures of one capture are alike, and a model that saw one of them knows the rest."""

from __future__ import annotations

import numpy as np

LEAST = 4  # series of each class
WORDS = {1: "bona fide", 0: "attack"}


def deal(labels: np.ndarray, series: np.ndarray, parts: int, seed: int) -> np.ndarray:
    """int64 [N], the part (0 .. parts - 1) of each picture: whole series, and about as many pictures of each class in each part.

    Large series are dealt first, each to the part that has the fewest pictures of its classes. Raises ValueError where there are too few.
    """
    _enough(labels, series, parts)
    rng, names = np.random.default_rng(seed), np.unique(series)
    sizes = np.array([[((series == name) & (labels == y)).sum() for y in (0, 1)] for name in names])
    order = rng.permutation(len(names))
    order = order[np.argsort(-sizes[order].sum(1), kind="stable")]
    filled, of = np.zeros((parts, 2)), np.empty(len(names), np.int64)
    for n in order:
        of[n] = _emptiest(filled @ sizes[n], rng)
        filled[of[n]] += sizes[n]
    return of[np.searchsorted(names, series)]


def _emptiest(load: np.ndarray, rng: np.random.Generator) -> int:
    return int(rng.choice(np.flatnonzero(load == load.min())))


def _enough(labels: np.ndarray, series: np.ndarray, parts: int) -> None:
    for y, word in WORDS.items():
        count, least = len(np.unique(series[labels == y])), max(LEAST, parts)
        if count < least:
            raise ValueError(
                f"{count} series of {word} pictures with a face: at least {least} are needed, so that some can be held out to choose the "
                "threshold and to measure on. Add people, devices or occasions, each with a name of its own in the column series"
            )


def roles(labels: np.ndarray, series: np.ndarray, sets: np.ndarray, parts: int, seed: int) -> np.ndarray:
    """ "train", "dev" or "eval" [N]. What the table says holds; where it names no dev, one of ``parts`` parts of the rest becomes it."""
    out = np.where(sets == "", "train", sets).astype("U5")
    rest = np.flatnonzero(out == "train")
    if not len(rest):
        raise ValueError("no file is in the set train: leave the column set empty, or write train, for what is to be learned from")
    if not (out == "dev").any():
        held = deal(labels[rest], series[rest], parts, seed) == 0
        out[rest[held]] = "dev"
    for role in ("train", "dev", "eval") if (out == "eval").any() else ("train", "dev"):
        missing = [word for y, word in WORDS.items() if not ((out == role) & (labels == y)).any()]
        if missing:
            raise ValueError(f"set {role}: no {missing[0]} picture with a face; both classes are needed")
    return out
