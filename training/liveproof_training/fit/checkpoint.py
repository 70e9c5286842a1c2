"""Checkpoints: written whole or not at all."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import torch

from ..config import TrainConfig
from ..method import initial, model


def save(path: Path, net, config: TrainConfig, step: int, extra: dict) -> None:
    state = {"model": net.state_dict(), "config": dataclasses.asdict(config), "step": step, **extra}
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def load(path: Path) -> dict:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint")
    return initial.read(path)


def load_net(path: Path) -> tuple[model.LivenessNet, dict]:
    """(network in evaluation mode, the checkpoint) of a run with any encoder and head."""
    state = load(path)
    net = model.from_config(TrainConfig.from_dict(state["config"]))
    net.load_state_dict(state["model"])
    return net.eval(), state
