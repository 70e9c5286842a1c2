"""Settings as flags: those of a run, for ``train`` and commands that train as one of their steps; and those that a command has for itself."""

from __future__ import annotations

import argparse
import dataclasses

from liveproof_base.commandline import shared_folder

from .. import settings
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


def add_own(p: argparse.ArgumentParser, title: str, kind: type) -> None:
    """A flag per setting of the dataclass ``kind``, which is no group of a run."""
    heading = p.add_argument_group(title, kind.__doc__)
    for field in dataclasses.fields(kind):
        text, choices = field.metadata["help"].replace("%", "%%"), field.metadata["choices"] or None
        heading.add_argument("--" + field.name.replace("_", "-"), type=type(field.default), choices=choices, default=field.default, help=text)


def read_own(args, kind: type):
    """A ``kind`` with the values of its flags, checked."""
    values = kind(**{field.name: getattr(args, field.name) for field in dataclasses.fields(kind)})
    settings.check(values)
    return values
