"""The only place where the trainer uses the renderer: its portraits, and crops rendered during training (``--data render:FOLDER``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from liveproof_render import portraits
from liveproof_render.stream import Stream

PREFIX = "render:"  # before a folder of portraits


def stream(folder: Path, split: str, seed: int) -> Stream:
    return Stream(folder, split, seed)


def faces(folder: Path, split: str) -> Iterator[tuple[np.ndarray, tuple[float, float, float, float]]]:
    """(RGB picture, box of its face) of every portrait of ``folder`` in ``split``; "" for all of them."""
    found = portraits.read(folder)
    for portrait in portraits.split(found)[split] if split else found:
        yield portrait.load(), portrait.face.box
