"""Command: train."""

from __future__ import annotations

import dataclasses
import json
import os

from ..config import TrainConfig
from .common import command, shared_folder


def _train(args) -> None:
    # OpenMP threads that spin at barriers waste half of a machine that others use too. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from ..train import Run

    values = {f.name: getattr(args, f.name) for f in dataclasses.fields(TrainConfig)}
    print(json.dumps(Run(TrainConfig.from_dict(values), args.resume).train(), indent=2))


def add(sub) -> None:
    p = command(sub, "train", _train, "Train on crops", "The defaults are the paper's settings. Writes log.csv, "
             "config.json, last.pt (every few minutes, for --resume) and final.pt.")  # fmt: skip
    defaults = dataclasses.replace(TrainConfig(), shared=shared_folder())
    for field in dataclasses.fields(TrainConfig):
        default = getattr(defaults, field.name)
        p.add_argument("--" + field.name.replace("_", "-"), type=type(default), default=default,
                       choices=field.metadata["choices"] or None, help=field.metadata["help"])  # fmt: skip
    p.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")
