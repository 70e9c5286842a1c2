"""All settings of a training run, in groups. The defaults are the paper's, as read in docs/training.md.

The groups of the method stand beside its code (``method/``), the others here. A setting's name is unique over all groups: it is the
flag of the command line, and the name by which :meth:`TrainConfig.replace` and old, flat files know it.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from liveproof_base import whole

from . import settings
from .method.adversary import DomainSettings
from .method.losses import LOSSES, LossSettings
from .method.model import NetworkSettings
from .method.pdle import ExchangeSettings
from .settings import setting

# The paper's ablation: PE patch exchange, LE label encoding with the expected score.
ARMS = {
    "full": {"head": "expected", "loss": "mse", "label_encoding": "discrete"},
    "no-pe": {"head": "expected", "loss": "mse", "mix": "none"},
    "no-le": {"head": "sigmoid", "loss": "mse", "label_encoding": "continuous"},
    "no-pe-le": {"head": "sigmoid", "loss": "mse", "mix": "none"},
    "bce": {"head": "sigmoid", "loss": "bce", "mix": "none"},
}

AUGMENT = (
    "none: flip and crop, the paper's; class-blind on top: nuisance: blur, noise, tone, JPEG; "
    "colour: white balance and saturation; wall: a plain wall around the head of a third; all: the three"
)
SAMPLING = (
    "shuffle: an epoch is every video (or crop) once; with as many draws: balanced: equal shares of each domain and class; "
    "class-balanced: of each class; matched: of each class, with equal nuisance factors"
)
FRAMES = "one: a video counts as one, each time with one random frame; all: every crop counts; auto: one with a protocol"
LR_SCALING = "learning rates with n processes: times √n, as larger batches want with Adam; linear: times n; none: as given"


@dataclasses.dataclass
class RunSettings:
    """Where and how a run computes."""

    out: str = setting("out/run", "where log.csv, config.json, last.pt and final.pt go")
    arm: str = setting("", "an arm of the paper's ablation: sets head, loss, label-encoding and mix", ("", *ARMS))
    seed: int = setting(1, "seeds weights, order, crops and mixing", low=0)
    device: str = setting("auto", "where to compute; auto: a GPU if there is one", ("auto", "cpu", "cuda"))
    threads: int = setting(0, "CPU threads of PyTorch, 0: all", low=0)
    precision: str = setting("fp32", "bf16: autocast, 2.5 times faster on CPUs with AMX; fp16: with loss scaling, GPU only", ("fp32", "bf16", "fp16"))


@dataclasses.dataclass
class CropSettings:
    """Which crops an epoch has, and what is done to each."""

    data: str = setting("data/demo", "folders with manifest.csv and crops, comma-separated; render:FOLDER renders while it trains")
    protocol: str = setting("", "protocol.csv that says which videos are train and dev; empty: the manifest's own splits")
    augment: str = setting("none", AUGMENT, ("none", "nuisance", "colour", "wall", "all"))
    sampling: str = setting("shuffle", SAMPLING, ("shuffle", "balanced", "class-balanced", "matched"))
    frames: str = setting("auto", FRAMES, ("auto", "one", "all"))
    size: int = setting(224, "side of the training crops, a multiple of 32; smaller ones (at the same scale) cost less", low=64, high=224)
    full_size_from: float = setting(0.0, "share of the run after which the crops are 224 whatever size says, 0: never", low=0, high=1)
    workers: int = setting(-1, "loader processes, per process of torchrun; -1: by the number of cores and the device", low=-1)
    prefetch: int = setting(4, "batches that each loader process keeps ready", low=1)

    def frames_per_video(self) -> str:
        return self.frames if self.frames != "auto" else "one" if self.protocol else "all"


@dataclasses.dataclass
class OptimisationSettings:
    """How long and how fast the network learns."""

    epochs: int = setting(200, "passes over the training set", low=1)
    steps: int = setting(0, "stop after so many steps, 0: epochs decide", low=0)
    budget_minutes: float = setting(0.0, "shorten the schedule to end by then (not repeatable to the bit), 0: no limit", low=0)
    batch: int = setting(32, "originals per step of each process of torchrun, each GPU's that is", low=1)
    lr_scaling: str = setting("sqrt", LR_SCALING, ("sqrt", "linear", "none"))
    lr: float = setting(1e-4, "learning rate of Adam", low=1e-12)
    lr_new: float = setting(0.0, "the same for layers that start at random, 0: lr", low=0)
    weight_decay: float = setting(2e-4, "of Adam", low=0)
    schedule: str = setting("exponential", "exponential: gamma per epoch; cosine: to 0 over the run", ("exponential", "cosine"))
    gamma: float = setting(0.99, "of the exponential schedule", low=0, high=1)
    warmup_steps: int = setting(0, "linear warm-up", low=0)
    sync_bn: str = setting("off", "batch norm over all processes' pictures (GPU only); off: over each process's own", ("off", "on"))


@dataclasses.dataclass
class RecordSettings:
    """Log, evaluations on dev, checkpoints."""

    log_every: int = setting(20, "steps between lines of log.csv", low=1)
    eval_every: int = setting(250, "steps between evaluations on dev", low=1)
    eval_limit: int = setting(600, "dev crops per evaluation; the final one uses all", low=2)
    patience: int = setting(0, "stop after so many evaluations without a better dev AUC, 0: never", low=0)
    keep: str = setting("last", "weights in final.pt: the last step's, or the best evaluation's on dev", ("last", "best"))
    checkpoint_minutes: float = setting(3.0, "minutes between checkpoints", low=0)
    checkpoint_every: int = setting(0, "also a checkpoint every so many steps, 0: no", low=0)
    curve: str = setting("auto", "loss and dev AUC as OUT/curve.png at the end; auto: if matplotlib is installed", ("auto", "off"))
    tensorboard: str = setting("auto", "event files in OUT/events; auto: if tensorboardX or tensorboard is installed", ("auto", "on", "off"))


@dataclasses.dataclass
class TrainConfig:
    run: RunSettings = dataclasses.field(default_factory=RunSettings)
    exchange: ExchangeSettings = dataclasses.field(default_factory=ExchangeSettings)
    network: NetworkSettings = dataclasses.field(default_factory=NetworkSettings)
    losses: LossSettings = dataclasses.field(default_factory=LossSettings)
    domains: DomainSettings = dataclasses.field(default_factory=DomainSettings)
    crops: CropSettings = dataclasses.field(default_factory=CropSettings)
    optimisation: OptimisationSettings = dataclasses.field(default_factory=OptimisationSettings)
    records: RecordSettings = dataclasses.field(default_factory=RecordSettings)

    def groups(self) -> dict[str, object]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def nested(self) -> dict[str, dict]:
        """As it is written to config.json and checkpoints: group -> setting -> value."""
        return dataclasses.asdict(self)

    def flat(self) -> dict:
        """setting -> value."""
        return flat(self.nested())

    def replace(self, **values) -> TrainConfig:
        """A copy with other values of some settings of any group; an arm sets its own."""
        unknown = sorted(set(values) - set(FIELDS))
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(unknown)}")
        values |= ARMS.get(values.get("arm", self.run.arm), {})
        return TrainConfig(**{name: _changed(group, values) for name, group in self.groups().items()})

    def network_k(self) -> int:
        """K of the network's atoms i/K."""
        return self.exchange.k if self.network.atoms == "k+1" else self.exchange.k - 1

    def check(self) -> None:
        """Raises ValueError naming the first setting out of range, or at odds with another."""
        for group in self.groups().values():
            settings.check(group)
        if self.crops.size % 32:
            raise ValueError("size: must be a multiple of 32 from 64 to 224")
        if self.exchange.max_level > self.exchange.k:
            raise ValueError("max_level: must lie in [0, k]")
        if self.network.atoms == "k" and self.exchange.k < 2:
            raise ValueError("atoms: k outputs need k of at least 2")
        head = LOSSES[self.losses.loss].head
        if head and head != self.network.head:
            raise ValueError(f"loss: {self.losses.loss} needs head {head}")
        if self.run.arm in ("full", "no-le") and self.exchange.mix == "none":
            raise ValueError(f"mix: arm {self.run.arm} exchanges patches, none does not")
        if self.crops.sampling == "matched" and self.crops.frames_per_video() == "one":
            raise ValueError("sampling: matched weighs single crops; use frames all")

    def save(self, path: Path) -> None:
        whole.text(path, json.dumps(self.nested(), indent=2) + "\n")

    @staticmethod
    def from_dict(values: dict) -> TrainConfig:
        """From groups, or from the flat settings that earlier versions wrote and that flags are."""
        values = flat(values)
        for name, value in ARMS.get(values.get("arm", ""), {}).items():
            if values.get(name, value) != value:
                raise ValueError(f"{name}: arm {values['arm']} sets {value}, not {values[name]}")
        return TrainConfig().replace(**values)


def _changed(group, values: dict):
    return dataclasses.replace(group, **{f.name: values[f.name] for f in dataclasses.fields(group) if f.name in values})


GROUPS = tuple(f.name for f in dataclasses.fields(TrainConfig))
FIELDS = {f.name: f for group in TrainConfig().groups().values() for f in dataclasses.fields(group)}  # every setting, by its name
# Where a run is, how fast and what it draws, not what it does.
ELSEWHERE = ("data", "out", "protocol", "shared", "threads", "workers", "prefetch", "curve")


def flat(values: dict) -> dict:
    """setting -> value, of groups as :meth:`TrainConfig.nested` gives them; what is no group stays as it is."""
    out = {}
    for name, value in values.items():
        out |= value if name in GROUPS and isinstance(value, dict) else {name: value}
    return out


def differences(old: dict, new: dict) -> str:
    """The differences as "steps 40, now 60; …"; empty when no setting that matters differs. Both may be in groups or flat."""
    old, new = flat(old), flat(new)
    names = [n for n in sorted(old.keys() | new.keys()) if old.get(n) != new.get(n) and n not in ELSEWHERE]
    return "; ".join(f"{n} {old.get(n)}, now {new.get(n)}" for n in names)
