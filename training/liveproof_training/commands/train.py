"""Command: train."""

from __future__ import annotations

import json
from pathlib import Path

from liveproof_base.commandline import command

from ..config import RunSettings, TrainConfig, flat
from . import flags

DETAIL = """The defaults are the paper's settings. Writes log.csv, config.json, last.pt (every few minutes, for --resume) and
final.pt. Under torchrun every process, one a GPU, trains on --batch originals of its own, and the learning rate grows with the number of
processes (--lr-scaling): 8 and none give 4 processes the batch of 32 and the rate of one:
torchrun --standalone --nproc_per_node 4 -m liveproof_training train … (PyTorch 1.13 on Python 3.11, Debian's,
wants --redirects 1:1 --tee 1:1 after --standalone)."""


def _train(args) -> None:
    from ..fit import distributed
    from ..fit.train import Run

    run = Run(settings(args), args.resume)
    try:
        result = run.train()
        if distributed.first():
            print(json.dumps(result, indent=2))
    finally:
        run.trainer.close()
        distributed.stop()


def settings(args) -> TrainConfig:
    """Defaults, then --config (with --resume: the run's own), then the flags that were given."""
    said = flags.said(args)
    path = args.config or (str(Path(said.get("out", RunSettings.out)) / "config.json") if args.resume else "")
    return TrainConfig.from_dict(flags.defaults() | (_read(Path(path)) if path else {}) | said)


def _read(path: Path) -> dict:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such settings; a run writes them as OUT/config.json")
    try:
        return flat(json.loads(path.read_text()))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None


def add(sub) -> None:
    p = command(sub, "train", _train, "Train on crops", DETAIL)
    p.add_argument("--config", default="", help="settings from a file like OUT/config.json; flags go before it")
    resume = "go on from OUT/last.pt with OUT/config.json; equal to never having stopped, to the bit on a CPU"
    p.add_argument("--resume", action="store_true", help=resume)
    flags.add(p)
