"""Devices by name: the same key gives the same camera, printer or display on every machine and in every run.

``camera("oulu/3")``, ``printer("train/17")``, ``display("msu/ipad")`` draw what belongs to the device itself
(sensor noise, dot pitch, subpixel layout) from a generator seeded by the SHA-256 of kind and key. What changes
from shot to shot (distance, exposure, reflections) comes from the device's ``shot(rng, ...)``.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np

from . import camera as camera_
from . import paper, screen

POOL = {"train": 600, "dev": 60, "test": 60}  # devices of each kind per split; no key is in two splits


def generator(kind: str, key: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{kind}:{key}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


@functools.cache
def camera(key: str) -> camera_.CameraDevice:
    return camera_.CameraDevice.draw(generator("camera", key))


@functools.cache
def printer(key: str) -> paper.Printer:
    return paper.Printer.draw(generator("printer", key))


@functools.cache
def display(key: str) -> screen.Display:
    return screen.Display.draw(generator("display", key))


def instrument(pai: str, key: str) -> paper.Printer | screen.Display | None:
    """The device behind a presentation attack instrument species: printers make cut-outs too."""
    if pai == "none":
        return None
    return {"print": printer, "cut": printer, "replay": display}[pai](key)


def key(split: str, rng: np.random.Generator, pool: dict[str, int] | None = None) -> str:
    """One device of the split's pool."""
    return f"{split}/{int(rng.integers((pool or POOL)[split]))}"
