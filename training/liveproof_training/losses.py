"""Eq. 5. The paper prints a minus sign, which would maximise the error; it is read as a plus."""

from __future__ import annotations

import torch


def score_mse(rho: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared difference between expected liveness score and PDLE label."""
    return ((rho.float() - target.float()) ** 2).mean()
