"""A setting of a run: its default, its text for --help, its choices or range. Dataclasses of settings are groups of ``config.py``."""

from __future__ import annotations

import dataclasses


def setting(default, text: str, choices: tuple[str, ...] = (), low: float | None = None, high: float | None = None):
    """A field of a group: ``choices`` for words, ``low`` and ``high`` (both inclusive) for numbers."""
    return dataclasses.field(default=default, metadata={"help": text, "choices": tuple(choices), "low": low, "high": high})


def check(group) -> None:
    """Raises ValueError naming the group's first field of the wrong type or out of range."""
    for field in dataclasses.fields(group):
        _check(field, getattr(group, field.name))


def _check(field: dataclasses.Field, value) -> None:
    kind, limits = type(field.default), field.metadata
    if not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool):
        raise ValueError(f"{field.name}: {value!r} is not {'a number' if kind is not str else 'a word'}")
    if limits["choices"] and value not in limits["choices"]:
        raise ValueError(f"{field.name}: {value!r} is not one of {', '.join(limits['choices'])}")
    low, high = limits["low"], limits["high"]
    if low is not None and not low <= value <= (high if high is not None else float("inf")):
        raise ValueError(f"{field.name}: {value} is out of range, {low} to {high if high is not None else 'any'}")
