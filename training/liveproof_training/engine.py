"""The loop: one step, the schedule, evaluation."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import torch

from . import data, losses, metrics
from .config import TrainConfig
from .model import LivenessNet


def autocast(config: TrainConfig, device: torch.device):
    if config.precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()


def optimizer(net: LivenessNet, new: list[str], config: TrainConfig) -> torch.optim.Optimizer:
    """Adam; layers that start at random may have their own rate."""
    fresh, learning = set(new), [(n, p) for n, p in net.named_parameters() if p.requires_grad]
    groups = [
        {"params": [p for n, p in learning if n not in fresh], "lr": config.lr},
        {"params": [p for n, p in learning if n in fresh], "lr": config.lr_new or config.lr},
    ]
    for group in groups:
        group["base_lr"] = group["lr"]
    return torch.optim.Adam([g for g in groups if g["params"]], weight_decay=config.weight_decay)


def rate(config: TrainConfig, progress: float, step: int, epoch: int) -> float:
    """Factor on the base learning rate; ``progress`` in [0, 1] is the share of the run that is done."""
    warm = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == "cosine":
        return warm * max(0.005, 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))
    return warm * config.gamma**epoch


def set_rate(opt: torch.optim.Optimizer, factor: float) -> None:
    for group in opt.param_groups:
        group["lr"] = group["base_lr"] * factor


class NonFiniteLoss(RuntimeError):
    """The loss became NaN or infinite; weights from before the step are in the last checkpoint."""


def train_step(net, opt, images, targets, config: TrainConfig, device: torch.device) -> tuple[float, float]:
    """One update. Returns (loss, mean |rho - target|)."""
    net.train()
    with autocast(config, device):
        rho, _ = net(data.normalise(images, device))
    targets = targets.to(device)
    loss = losses.score_mse(rho, targets)
    value = float(loss.detach())
    if not math.isfinite(value):
        raise NonFiniteLoss(f"loss is {value}")
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    return value, float((rho.detach() - targets).abs().mean())


@torch.no_grad()
def scores(net, images: np.ndarray, config: TrainConfig, device: torch.device, batch: int = 32) -> np.ndarray:
    """rho of 256 x 256 crops, centre 224, in evaluation mode."""
    net.eval()
    out = []
    for start in range(0, len(images), batch):
        chunk = data.centre(images[start : start + batch]).transpose(0, 3, 1, 2)
        with autocast(config, device):
            rho, _ = net(data.normalise(torch.from_numpy(np.ascontiguousarray(chunk)), device))
        out.append(rho.float().cpu().numpy())
    return np.concatenate(out)


def evaluate(net, crops: data.Crops, config: TrainConfig, device, limit: int = 0) -> dict:
    """Area under the curve and equal error rate on a split (evenly thinned to ``limit`` crops)."""
    stride = max(1, len(crops) // limit) if limit else 1
    # Bona fide and attack alternate in the files: an odd stride keeps both.
    ids = np.arange(0, len(crops), stride | 1)
    rho = scores(net, crops.images[ids], config, device)
    labels = crops.labels[ids]
    threshold, eer = metrics.equal_error(rho[labels == 1], rho[labels == 0])
    return {
        "auc": metrics.auc(rho[labels == 1], rho[labels == 0]),
        "eer": eer,
        "threshold": threshold,
        "mse": float(((rho - labels) ** 2).mean()),
        "crops": len(ids),
    }
