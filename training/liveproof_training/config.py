"""All settings of a training run. The defaults are the paper's, as read in docs/training.md."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path


@dataclasses.dataclass
class TrainConfig:
    data: str = "data/demo"  # folder with manifest.csv and <split>.npy
    out: str = "out/run"
    shared: str = "../../shared"
    seed: int = 1
    device: str = "auto"  # auto | cpu | cuda
    threads: int = 0  # CPU threads of PyTorch, 0: all
    precision: str = "fp32"  # fp32 | bf16 (autocast)

    k: int = 10  # K of Eq. 1; K+1 outputs
    max_level: int = 0  # largest u of Eq. 1; 0: K
    mix: str = "append"  # append one mixed image per original | replace an original with probability mix_prob | none
    mix_prob: float = 0.5
    augment: str = "none"  # none (the paper: flip and crop only) | nuisance (class-blind blur, noise, tone, JPEG)

    init: str = "shared"  # file | torchvision | shared | random
    norm_images: int = 128  # bona fide pictures that folded batch norms are re-estimated on

    epochs: int = 200
    steps: int = 0  # stop after so many steps; 0: epochs decide
    budget_minutes: float = 0.0  # shorten the schedule to end by then; 0: no limit
    sampling: str = "balanced"  # balanced | matched (equal nuisance factors in both classes)
    batch: int = 32  # originals per step
    workers: int = 0  # loader processes

    lr: float = 1e-4
    lr_new: float = 0.0  # for layers that start at random; 0: lr
    weight_decay: float = 2e-4
    schedule: str = "exponential"  # exponential: gamma per epoch | cosine: to 0 over the run, per step
    gamma: float = 0.99
    warmup_steps: int = 0

    log_every: int = 20  # steps
    eval_every: int = 250  # steps
    eval_limit: int = 600  # development crops per evaluation during training; the last one uses all
    checkpoint_minutes: float = 3.0

    def check(self) -> None:
        """Raises ValueError naming the first field out of range."""
        choices = {
            "device": ("auto", "cpu", "cuda"),
            "precision": ("fp32", "bf16"),
            "mix": ("append", "replace", "none"),
            "augment": ("none", "nuisance"),
            "sampling": ("balanced", "matched"),
            "schedule": ("exponential", "cosine"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}: {getattr(self, name)!r} is not one of {allowed}")
        for name in ("k", "batch", "epochs", "log_every", "eval_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be at least 1")
        if not 0 <= self.mix_prob <= 1:
            raise ValueError("mix_prob: must lie in [0, 1]")
        if not 0 <= self.max_level <= self.k:
            raise ValueError("max_level: must lie in [0, k]")

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")

    @staticmethod
    def from_dict(values: dict) -> "TrainConfig":
        known = {f.name for f in dataclasses.fields(TrainConfig)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(unknown)}")
        return TrainConfig(**values)
