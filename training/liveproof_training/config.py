"""All settings of a training run. The defaults are the paper's, as read in docs/training.md."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from .method import pdle

# The paper's ablation: PE patch exchange, LE label encoding with the expected score.
ARMS = {
    "full": {"head": "expected", "loss": "mse", "label_encoding": "discrete"},
    "no-pe": {"head": "expected", "loss": "mse", "mix": "none"},
    "no-le": {"head": "sigmoid", "loss": "mse", "label_encoding": "continuous"},
    "no-pe-le": {"head": "sigmoid", "loss": "mse", "mix": "none"},
    "bce": {"head": "sigmoid", "loss": "bce", "mix": "none"},
}


def setting(default, text: str, choices: tuple[str, ...] = (), low: float | None = None, high: float | None = None):
    return dataclasses.field(default=default, metadata={"help": text, "choices": choices, "low": low, "high": high})


@dataclasses.dataclass
class TrainConfig:
    data: str = setting("data/demo", "folders with manifest.csv and crops, comma-separated; render:FOLDER renders while it trains")
    protocol: str = setting("", "protocol.csv that says which videos are train and dev; empty: the manifest's own splits")
    out: str = setting("out/run", "where log.csv, config.json, last.pt and final.pt go")
    shared: str = setting("../../shared", "folder with weights/, for --init shared")
    seed: int = setting(1, "seeds weights, order, crops and mixing", low=0)
    device: str = setting("auto", "where to compute; auto: a GPU if there is one", ("auto", "cpu", "cuda"))
    threads: int = setting(0, "CPU threads of PyTorch, 0: all", low=0)
    precision: str = setting("fp32", "bf16: autocast, 2.5 times faster on CPUs with AMX; fp16: with loss scaling, GPU only",
                             ("fp32", "bf16", "fp16"))  # fmt: skip

    arm: str = setting("", "an arm of the paper's ablation: sets head, loss, label-encoding and mix", ("", *ARMS))
    k: int = setting(10, "K of Eq. 1", low=1)
    atoms: str = setting("k+1", "outputs of the expected head: c_i = i/K, or K of them with c_i = i/(K-1)", ("k+1", "k"))
    head: str = setting("expected", "expected: the score of Eq. 4; sigmoid: one output", ("expected", "sigmoid"))
    loss: str = setting("mse", "mse: Eq. 5; bce: binary cross-entropy, with --head sigmoid", ("mse", "bce"))
    label_encoding: str = setting("discrete", "lambda = u/K (Eq. 1), or continuous: lambda ~ U(0, 1)", pdle.LABELS)
    mix: str = setting("append", "append one mixed picture per original, replace originals, or none", ("append", "replace", "none"))
    mix_prob: float = setting(0.5, "share of originals replaced with --mix replace", low=0, high=1)
    max_level: int = setting(0, "largest u of Eq. 1, 0: K; K-1 leaves out whole-picture exchange", low=0)
    box: str = setting("square-root", "shape of the exchanged box: the picture's; aspect: random aspect ratio, same area; "
                       "clip: CutMix's, clipped at the border, label measured again", pdle.BOXES)  # fmt: skip
    partner: str = setting("all", "where the other picture comes from: all of the training set (Sec. 2.2) or the batch", ("all", "batch"))

    adversary: str = setting("on", "domain discriminator behind a gradient reversal; needs two domains", ("on", "off"))
    alpha: float = setting(0.5, "weight of the score's loss in Eq. 6; the adversary's is 1 - alpha", low=0, high=1)
    grl: str = setting("ganin", "reversal coefficient: 2/(1+exp(-10p))-1 with p from 0 to 1 over the run, or constant 1", ("ganin", "constant"))
    mixed_domain: str = setting("shares", "domain label of a mixed picture: pixel shares, none, or the anchor's",
                                ("shares", "exclude", "anchor"))  # fmt: skip

    augment: str = setting("none", "none: flip and crop, the paper's; class-blind on top: nuisance: blur, noise, tone, JPEG; colour: white "
                           "balance and saturation; wall: a plain wall around the head of a third; all: the three", ("none", "nuisance", "colour", "wall", "all"))  # fmt: skip
    sampling: str = setting("balanced", "equal shares of each domain and class, of each class, of each class with equal nuisance factors, "
                            "or none", ("balanced", "class-balanced", "matched", "shuffle"))  # fmt: skip
    frames: str = setting("auto", "one: an epoch is every video once, with one random frame; all: every crop; auto: one with a protocol",
                          ("auto", "one", "all"))  # fmt: skip
    size: int = setting(224, "side of the training crops, a multiple of 32; smaller ones (at the same scale) cost less", low=64, high=224)
    full_size_from: float = setting(0.0, "share of the run after which the crops are 224 whatever size says, 0: never", low=0, high=1)

    encoder: str = setting("resnet18", "resnet18: the paper's; mobilenet_v2: six times fewer multiply-adds", ("resnet18", "mobilenet_v2"))
    init: str = setting("auto", "first weights: a file or checkpoint, torchvision (its cache or download), shared, random; "
                        "auto: the first there is of torchvision, shared, random")  # fmt: skip
    freeze: str = setting("none", "keep the encoder's first layers as loaded, up to this one", ("none", "conv1", "layer1", "layer2", "layer3"))
    norm_images: int = setting(128, "bona fide pictures that folded batch norms are re-estimated on", low=1)

    epochs: int = setting(200, "passes over the training set", low=1)
    steps: int = setting(0, "stop after so many steps, 0: epochs decide", low=0)
    budget_minutes: float = setting(0.0, "shorten the schedule to end by then (not repeatable to the bit), 0: no limit", low=0)
    batch: int = setting(32, "originals per step, over all processes", low=1)
    workers: int = setting(0, "loader processes, per process of torchrun", low=0)
    prefetch: int = setting(4, "batches that each loader process keeps ready", low=1)
    lr: float = setting(1e-4, "learning rate of Adam", low=1e-12)
    lr_new: float = setting(0.0, "the same for layers that start at random, 0: lr", low=0)
    weight_decay: float = setting(2e-4, "of Adam", low=0)
    schedule: str = setting("exponential", "exponential: gamma per epoch; cosine: to 0 over the run", ("exponential", "cosine"))
    gamma: float = setting(0.99, "of the exponential schedule", low=0, high=1)
    warmup_steps: int = setting(0, "linear warm-up", low=0)
    sync_bn: str = setting("off", "batch norm over all processes' pictures (GPU only); off: over each process's own", ("off", "on"))

    log_every: int = setting(20, "steps between lines of log.csv", low=1)
    eval_every: int = setting(250, "steps between evaluations on dev", low=1)
    eval_limit: int = setting(600, "dev crops per evaluation; the final one uses all", low=2)
    patience: int = setting(0, "stop after so many evaluations without a better dev AUC, 0: never", low=0)
    keep: str = setting("last", "weights in final.pt: the last step's, or the best evaluation's on dev", ("last", "best"))
    checkpoint_minutes: float = setting(3.0, "minutes between checkpoints", low=0)
    checkpoint_every: int = setting(0, "also a checkpoint every so many steps, 0: no", low=0)
    tensorboard: str = setting("auto", "event files in OUT/events; auto: if tensorboardX or tensorboard is installed", ("auto", "on", "off"))

    def __post_init__(self):
        for name, value in ARMS.get(self.arm, {}).items():
            setattr(self, name, value)

    def encoding(self) -> pdle.Encoding:
        return pdle.Encoding(self.k, self.max_level or None, self.box, self.label_encoding)

    def network_k(self) -> int:
        """K of the network's atoms i/K."""
        return self.k if self.atoms == "k+1" else self.k - 1

    def frames_per_video(self) -> str:
        return self.frames if self.frames != "auto" else "one" if self.protocol else "all"

    def check(self) -> None:
        """Raises ValueError naming the first field out of range."""
        for field in dataclasses.fields(self):
            _check(field, getattr(self, field.name))
        if self.size % 32:
            raise ValueError("size: must be a multiple of 32 from 64 to 224")
        if self.max_level > self.k:
            raise ValueError("max_level: must lie in [0, k]")
        if self.atoms == "k" and self.k < 2:
            raise ValueError("atoms: k outputs need k of at least 2")
        if self.loss == "bce" and self.head != "sigmoid":
            raise ValueError("loss: bce needs head sigmoid")
        if self.arm in ("full", "no-le") and self.mix == "none":
            raise ValueError(f"mix: arm {self.arm} exchanges patches, none does not")
        if self.sampling == "matched" and self.frames_per_video() == "one":
            raise ValueError("sampling: matched weighs single crops; use frames all")

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")

    @staticmethod
    def from_dict(values: dict) -> "TrainConfig":
        known = {f.name for f in dataclasses.fields(TrainConfig)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(unknown)}")
        for name, value in ARMS.get(values.get("arm", ""), {}).items():
            if values.get(name, value) != value:
                raise ValueError(f"{name}: arm {values['arm']} sets {value}, not {values[name]}")
        return TrainConfig(**values)


ELSEWHERE = ("data", "out", "protocol", "shared", "threads")  # where a run is and how fast, not what it does


def differences(old: dict, new: dict) -> str:
    """"steps 40, now 60; …", empty where nothing that matters differs."""
    names = [n for n in sorted(old.keys() | new.keys()) if old.get(n) != new.get(n) and n not in ELSEWHERE]
    return "; ".join(f"{n} {old.get(n)}, now {new.get(n)}" for n in names)


def _check(field: dataclasses.Field, value) -> None:
    kind, limits = type(field.default), field.metadata
    if not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool):
        raise ValueError(f"{field.name}: {value!r} is not {'a number' if kind is not str else 'a word'}")
    if limits["choices"] and value not in limits["choices"]:
        raise ValueError(f"{field.name}: {value!r} is not one of {', '.join(limits['choices'])}")
    low, high = limits["low"], limits["high"]
    if low is not None and not low <= value <= (high if high is not None else float("inf")):
        raise ValueError(f"{field.name}: {value} is out of range, {low} to {high if high is not None else 'any'}")
