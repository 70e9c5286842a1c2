"""In which order an epoch goes through the training set.

What is ordered are units: videos, of which each gives one random frame, or single crops. "shuffle" is an epoch in the usual
sense, every unit once. The others have as many draws as there are units, too, but see those of small groups more often and those of
large ones less. Orders depend on (seed, epoch) alone.
"""

from __future__ import annotations

import numpy as np


class Units:
    """Crops grouped into units: ``frames`` "one" makes each video one, "all" each crop."""

    def __init__(self, labels: np.ndarray, domains: np.ndarray, videos: list[str], frames: str):
        keys = np.unique(np.asarray(videos), return_inverse=True)[1] if frames == "one" else np.arange(len(labels))
        order = np.argsort(keys, kind="stable")
        self.members = np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)  # crops of each unit
        first = np.array([m[0] for m in self.members], np.int64)
        self.labels, self.domains = labels[first], domains[first]

    def __len__(self) -> int:
        return len(self.members)

    def crop(self, unit: int, rng: np.random.Generator) -> int:
        """A random crop of the unit."""
        members = self.members[unit]
        return int(members[rng.integers(len(members))] if len(members) > 1 else members[0])


class Order:
    """``order(epoch)``: int64 [length], units. ``sampling`` as of ``--sampling``; ``weights`` [units] for "matched"."""

    def __init__(self, units: Units, sampling: str, seed: int, weights: np.ndarray | None = None):
        self.seed, self.weights = seed, weights
        self.groups = _groups(units, sampling)
        if weights is not None and not all(weights[ids].sum() > 0 for ids in self.groups):
            raise ValueError("sampling: matched cannot work, no two crops of different classes have like nuisance factors")
        self.length = len(units) // len(self.groups) * len(self.groups)

    def __len__(self) -> int:
        return self.length

    def __call__(self, epoch: int) -> np.ndarray:
        """The groups in turn, so that every batch (and every even part of one) holds as many of each."""
        order = np.empty(self.length, np.int64)
        for g, ids in enumerate(self.groups):
            order[g :: len(self.groups)] = self._draw(epoch, g, ids)
        return order

    def _draw(self, epoch: int, g: int, ids: np.ndarray) -> np.ndarray:
        count = self.length // len(self.groups)
        if self.weights is not None:
            share = self.weights[ids] / self.weights[ids].sum()
            return np.random.default_rng([self.seed, epoch, g]).choice(ids, count, p=share)
        return self._stream(g, ids, epoch * count, count)

    def _stream(self, g: int, ids: np.ndarray, start: int, count: int) -> np.ndarray:
        """A part of the group's endless stream of shuffles, so that no unit is seen twice more often than another."""
        first, last = start // len(ids), (start + count - 1) // len(ids)
        rounds = [np.random.default_rng([self.seed, g, r]).permutation(ids) for r in range(first, last + 1)]
        offset = start - first * len(ids)
        return np.concatenate(rounds)[offset : offset + count]


def partner_shares(units: Units, sampling: str, weights: np.ndarray | None = None) -> np.ndarray | None:
    """[units], the shares of each class by which partners of the exchange are drawn, so that they spread over domains and nuisance
    factors as the originals of their class do; None: all alike."""
    if sampling != "balanced":
        return weights
    shares = np.empty(len(units))
    for ids in _groups(units, sampling):
        shares[ids] = 1 / len(ids)
    return shares


def _groups(units: Units, sampling: str) -> list[np.ndarray]:
    """Units that get equal shares; attack before bona fide in each domain."""
    if sampling == "shuffle":
        return [np.arange(len(units))]
    domains = units.domains if sampling == "balanced" else np.zeros(len(units), np.int64)
    keys = sorted(set(zip(domains.tolist(), units.labels.tolist())))
    groups = [np.flatnonzero((domains == d) & (units.labels == y)) for d, y in keys]
    if len(units) < len(groups):
        raise ValueError(f"sampling: {len(units)} units cannot fill {len(groups)} groups")
    return groups
