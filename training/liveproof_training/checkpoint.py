"""Checkpoints: written whole or not at all."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import torch

from .config import TrainConfig


def save(path: Path, net, opt, config: TrainConfig, step: int, extra: dict) -> None:
    state = {
        "model": net.state_dict(),
        "optimizer": opt.state_dict() if opt else None,
        "config": dataclasses.asdict(config),
        "step": step,
        **extra,
    }
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def load(path: Path) -> dict:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint")
    return torch.load(path, map_location="cpu")
