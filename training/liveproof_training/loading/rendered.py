"""The only place where the trainer uses the renderer: its portraits, and crops rendered during training (``--data render:FOLDER``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from liveproof_render import portraits
from liveproof_render.face import Face
from liveproof_render.stream import Stream

PREFIX = "render:"  # before a folder of portraits


def stream(folder: Path, split: str, seed: int) -> Stream:
    return Stream(folder, split, seed)


def faces(folder: Path, split: str) -> Iterator[tuple[np.ndarray, Face]]:
    """(RGB picture, its face's box and landmarks) of every portrait of ``folder`` in ``split``; "" for all of them."""
    found = portraits.read(folder)
    for portrait in portraits.split(found)[split] if split else found:
        yield portrait.load(), portrait.face


def usual_points(box: tuple[float, float, float, float]) -> tuple[tuple[float, float], ...]:
    """Where the landmarks of a face usually are of which only the box is known."""
    return Face.usual(box).points


def usual_places(box: tuple[float, float, float, float]) -> dict[str, float]:
    """Columns of faces.csv for a face of which only the box is known: its corners, and landmarks where they usually are."""
    places = dict(zip(("x1", "y1", "x2", "y2"), box))
    for name, (x, y) in zip(portraits.LANDMARKS, usual_points(box)):
        places |= {f"{name}_x": x, f"{name}_y": y}
    return places
