"""Crops rendered while training: every epoch sees every portrait anew, nothing is stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from . import crops, portraits, store
from .ingredients import ALL, Ingredients


class Stream:
    """Two items a portrait: 2n bona fide, 2n + 1 an attack of the same content, pose and camera.

    ``draw(i, epoch)`` depends on (seed, i, epoch) alone, so any number of loader processes gives the same
    pictures. One core renders about ten a second: give it as many processes as the trainer eats.
    """

    def __init__(self, folder: Path, split: str, seed: int, parts: Ingredients = ALL):
        every = portraits.read(folder)
        ids = {p.path: i for i, p in enumerate(every)}
        self.members = [(ids[p.path], p) for p in portraits.split(every)[split]]
        self.split, self.seed, self.parts = split, seed, parts
        self.labels = np.tile(np.array([1, 0], dtype=np.int64), len(self.members))

    def __len__(self) -> int:
        return len(self.labels)

    def pai(self, i: int, epoch: int) -> str:
        number, _ = self.members[i // 2]
        return store.attack(number, epoch) if i % 2 else "none"

    def draw(self, i: int, epoch: int) -> np.ndarray:
        """uint8 [256, 256, 3] RGB."""
        number, portrait = self.members[i // 2]
        return crops.render(portrait.load(), portrait.face, self.pai(i, epoch), [self.seed, number, epoch], self.split, self.parts)
