"""Training flags on commands that train as one of their steps: the same names, meanings and defaults as of ``train``."""

from __future__ import annotations

import argparse
import dataclasses

from ..config import TrainConfig
from .common import shared_folder

# The commands set these themselves.
OURS = ("data", "protocol", "out")


def add(p: argparse.ArgumentParser, skip: tuple[str, ...] = (), **defaults) -> None:
    group = p.add_argument_group("training", "as of `train`; where no flag is given, the paper's settings")
    for field in dataclasses.fields(TrainConfig):
        if field.name in OURS + skip:
            continue
        default = defaults.get(field.name, shared_folder() if field.name == "shared" else field.default)
        text = f"{field.metadata['help']} (default: {default})".replace("%", "%%")
        group.add_argument("--" + field.name.replace("_", "-"), type=type(field.default), help=text,
                           choices=field.metadata["choices"] or None, default=argparse.SUPPRESS)  # fmt: skip
    p.set_defaults(training_defaults={"shared": shared_folder(), **defaults})


def given(args) -> dict:
    """Settings for ``TrainConfig``: the command's defaults and the flags that were given."""
    names = {f.name for f in dataclasses.fields(TrainConfig)} - set(OURS)
    return args.training_defaults | {name: getattr(args, name) for name in names if hasattr(args, name)}
