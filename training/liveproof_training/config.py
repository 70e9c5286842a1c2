"""All settings of a training run. The defaults are the paper's, as read in docs/training.md."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path


def setting(default, text: str, choices: tuple[str, ...] = ()):
    return dataclasses.field(default=default, metadata={"help": text, "choices": choices})


@dataclasses.dataclass
class TrainConfig:
    data: str = setting("data/demo", "folder with manifest.csv and <split>.npy")
    out: str = setting("out/run", "where log.csv, config.json, last.pt and final.pt go")
    shared: str = setting("../../shared", "folder with weights/, for --init shared")
    seed: int = setting(1, "seeds weights, order, crops and mixing")
    device: str = setting("auto", "where to compute", ("auto", "cpu", "cuda"))
    threads: int = setting(0, "CPU threads of PyTorch, 0: all")
    precision: str = setting("fp32", "bf16: autocast; 2.5 times faster on CPUs with AMX", ("fp32", "bf16"))

    k: int = setting(10, "K of Eq. 1; the network has K+1 outputs")
    max_level: int = setting(0, "largest u of Eq. 1, 0: K")
    mix: str = setting("append", "append one mixed picture per original, replace originals, or none", ("append", "replace", "none"))
    mix_prob: float = setting(0.5, "share of originals replaced with --mix replace")
    augment: str = setting("none", "none: flip and crop, the paper's; nuisance: also class-blind blur, noise, tone, JPEG", ("none", "nuisance"))
    sampling: str = setting("balanced", "balanced classes; matched: also equal nuisance factors in both", ("balanced", "matched"))

    size: int = setting(224, "side of the training crops, a multiple of 32; smaller ones (at the same scale) cost less")
    full_size_from: float = setting(0.0, "share of the run after which the crops are 224 whatever size says")

    init: str = setting("shared", "first weights: a file, torchvision, shared or random")
    freeze: str = setting("none", "keep the encoder's first layers as loaded, up to this one", ("none", "conv1", "layer1", "layer2"))
    norm_images: int = setting(128, "bona fide pictures that folded batch norms are re-estimated on")

    epochs: int = setting(200, "passes over the training set")
    steps: int = setting(0, "stop after so many steps, 0: epochs decide")
    budget_minutes: float = setting(0.0, "shorten the schedule to end by then (not repeatable to the bit), 0: no limit")
    batch: int = setting(32, "originals per step")
    workers: int = setting(0, "loader processes")

    lr: float = setting(1e-4, "learning rate of Adam")
    lr_new: float = setting(0.0, "the same for layers that start at random, 0: lr")
    weight_decay: float = setting(2e-4, "of Adam")
    schedule: str = setting("exponential", "exponential: gamma per epoch; cosine: to 0 over the run", ("exponential", "cosine"))
    gamma: float = setting(0.99, "of the exponential schedule")
    warmup_steps: int = setting(0, "linear warm-up")

    log_every: int = setting(20, "steps between lines of log.csv")
    eval_every: int = setting(250, "steps between evaluations on dev")
    eval_limit: int = setting(600, "dev crops per evaluation; the final one uses all")
    checkpoint_minutes: float = setting(3.0, "minutes between checkpoints")

    def check(self) -> None:
        """Raises ValueError naming the first field out of range."""
        for field in dataclasses.fields(self):
            value, choices = getattr(self, field.name), field.metadata["choices"]
            if choices and value not in choices:
                raise ValueError(f"{field.name}: {value!r} is not one of {', '.join(choices)}")
        for name in ("k", "batch", "epochs", "log_every", "eval_every", "eval_limit", "norm_images"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: must be at least 1")
        for name in ("mix_prob", "full_size_from"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: must lie in [0, 1]")
        if self.size % 32 or not 64 <= self.size <= 224:
            raise ValueError("size: must be a multiple of 32 from 64 to 224")
        if not 0 <= self.max_level <= self.k:
            raise ValueError("max_level: must lie in [0, k]")
        if self.lr <= 0:
            raise ValueError("lr: must be positive")

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")

    @staticmethod
    def from_dict(values: dict) -> "TrainConfig":
        known = {f.name for f in dataclasses.fields(TrainConfig)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(unknown)}")
        return TrainConfig(**values)
