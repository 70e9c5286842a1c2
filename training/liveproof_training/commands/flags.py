"""Settings of a run as flags: of ``train``, and of commands that train as one of their steps, with the same names and defaults."""

from __future__ import annotations

import argparse
import dataclasses

from liveproof_base.commandline import shared_folder

from ..config import FIELDS, TrainConfig

STEP = ("data", "protocol", "out")  # what a command that trains as a step sets itself


def add(p: argparse.ArgumentParser, skip: tuple[str, ...] = ()) -> None:
    """A flag per setting, a heading per group."""
    for name, group in TrainConfig().groups().items():
        heading = p.add_argument_group(name, type(group).__doc__)
        for field in dataclasses.fields(group):
            if field.name not in skip:
                _add(heading, field)


def _add(heading, field: dataclasses.Field) -> None:
    """Without a default of argparse's, so that :func:`said` knows which flags were given."""
    default = defaults().get(field.name, field.default)
    text = f"{field.metadata['help']} (default: {default})".replace("%", "%%")
    flag, choices = "--" + field.name.replace("_", "-"), field.metadata["choices"] or None
    heading.add_argument(flag, type=type(field.default), choices=choices, default=argparse.SUPPRESS, help=text)


def defaults() -> dict:
    """Defaults from the environment, for flags that are not given."""
    return {"shared": shared_folder()}


def said(args) -> dict:
    """The settings whose flags were given."""
    return {name: getattr(args, name) for name in FIELDS if hasattr(args, name)}


def of_step(args) -> dict:
    """Settings of a command that trains as a step: an option of its own may have the name of one of STEP."""
    return defaults() | {name: value for name, value in said(args).items() if name not in STEP}
