"""Command: train."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from pathlib import Path

from ..config import TrainConfig
from .common import command, shared_folder

DETAIL = """The defaults are the paper's settings. Writes log.csv, config.json, last.pt (every few minutes, for --resume) and
final.pt. Under torchrun every process takes its share of each batch:
torchrun --standalone --nproc_per_node 4 -m liveproof_training train … (PyTorch 1.13 on Python 3.11, Debian's,
wants --redirects 1:1 --tee 1:1 after --standalone)."""


def _train(args) -> None:
    # OpenMP threads that spin at barriers waste half of a machine that others use too. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
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
    given = {f.name: getattr(args, f.name) for f in dataclasses.fields(TrainConfig) if hasattr(args, f.name)}
    path = args.config or (str(Path(given.get("out", TrainConfig.out)) / "config.json") if args.resume else "")
    values = {"shared": shared_folder()}
    if path:
        values |= _read(Path(path))
    return TrainConfig.from_dict(values | given)


def _read(path: Path) -> dict:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such settings; a run writes them as OUT/config.json")
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None


def add(sub) -> None:
    p = command(sub, "train", _train, "Train on crops", DETAIL)
    p.add_argument("--config", default="", help="settings from a file like OUT/config.json; flags go before it")
    p.add_argument("--resume", action="store_true", help="go on from OUT/last.pt with OUT/config.json; equal to never having stopped, to the bit on a CPU")
    for field in dataclasses.fields(TrainConfig):
        default = shared_folder() if field.name == "shared" else field.default
        p.add_argument("--" + field.name.replace("_", "-"), type=type(field.default), default=argparse.SUPPRESS,
                       choices=field.metadata["choices"] or None, help=f"{field.metadata['help']} (default: {default})".replace("%", "%%"))  # fmt: skip
