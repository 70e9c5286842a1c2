"""The only place where the trainer uses the renderer: crops rendered during training (``--data render:FOLDER``)."""

from __future__ import annotations

from pathlib import Path

from liveproof_render.stream import Stream

PREFIX = "render:"  # before a folder of portraits


def stream(folder: Path, split: str, seed: int) -> Stream:
    return Stream(folder, split, seed)
