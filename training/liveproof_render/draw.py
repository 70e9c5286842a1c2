"""Random draws, written once so that parameter classes read as lists of ranges."""

from __future__ import annotations

import math

import numpy as np


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(math.exp(rng.uniform(math.log(low), math.log(high))))


def chance(rng: np.random.Generator, p: float) -> bool:
    return bool(rng.random() < p)


def pick(rng: np.random.Generator, values):
    return values[int(rng.integers(len(values)))]
