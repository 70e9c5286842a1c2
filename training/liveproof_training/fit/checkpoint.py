"""Checkpoints: written whole or not at all."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from liveproof_base import whole

from ..config import TrainConfig
from ..method import initial, model


def save(path: Path, net, config: TrainConfig, step: int, extra: dict) -> None:
    state = {"model": net.state_dict(), "config": config.nested(), "step": step, **extra}
    with whole.file(path) as partial:
        torch.save(state, partial)


def load(path: Path) -> dict:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such checkpoint")
    try:
        state = initial.read(path)
    except (pickle.UnpicklingError, EOFError, RuntimeError):
        raise ValueError(f"{path}: not a checkpoint that this trainer wrote, or cut short") from None
    if not isinstance(state, dict) or not {"model", "config"} <= state.keys():
        raise ValueError(f"{path}: weights alone, not a checkpoint of this trainer")
    return state


def settings(state: dict) -> TrainConfig:
    """Of the run that a checkpoint is from, whichever version wrote it."""
    return TrainConfig.from_dict(state["config"])


def load_net(path: Path) -> tuple[model.LivenessNet, dict]:
    """(network in evaluation mode, the checkpoint) of a run with any encoder and head."""
    state = load(path)
    config = settings(state)
    net = model.from_settings(config.network, config.network_k())
    net.load_state_dict(state["model"])
    return net.eval(), state
