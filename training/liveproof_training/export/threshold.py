"""A threshold by a stated rule: so many bona fide pictures of each kind may be rejected at most."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass
class Rule:
    """The largest threshold at which at most ``bpcer`` of the dev crops' bona fide, and of ``real`` ones, is rejected."""

    bpcer: float
    real: np.ndarray | None = None  # uint8 [N, 256, 256, 3]: crops of real bona fide pictures, which nothing was trained on

    def threshold(self, *bona_fide: np.ndarray) -> float:
        """Of rho of each kind of bona fide pictures; a score at the threshold is accepted."""
        return float(min(np.sort(rho)[int(self.bpcer * len(rho))] for rho in bona_fide))
