"""Simulated pairs from disk (:mod:`.store`), small and in memory: what a study trains on and measures with many times."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import torch

from .. import contract
from ..loading import data
from . import pairs

CHUNK = 256  # crops in memory at full size


def scaled(images, size: int) -> torch.Tensor:
    """uint8 [N, 3, side, side] of crops (a sequence of pictures or uint8 [N, 256, 256, 3]) so that the network's view has ``size`` pixels."""
    side = round(contract.CROP_SIZE * size / contract.INPUT_SIZE)
    out = np.empty((len(images), side, side, 3), np.uint8)
    for start in range(0, len(out), CHUNK):
        for n, image in enumerate(images[start : start + CHUNK], start):
            out[n] = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(np.ascontiguousarray(out.transpose(0, 3, 1, 2)))


@dataclasses.dataclass
class Pool:
    """``live`` and ``attack`` uint8 [N, 3, side, side], the same face; ``species`` str [N]: the attack's (print, cut, replay).
    Pictures of several crops have them one after the other in their channels."""

    live: torch.Tensor
    attack: torch.Tensor
    species: np.ndarray

    def __len__(self) -> int:
        return len(self.species)

    def only(self, keep: np.ndarray) -> Pool:
        """The pairs for which ``keep`` bool [N] is true."""
        chosen = torch.from_numpy(np.flatnonzero(keep))
        return Pool(self.live[chosen], self.attack[chosen], self.species[keep])

    @property
    def families(self) -> tuple[str, ...]:
        """The species that there are."""
        return tuple(name for name in pairs.SPECIES if name in self.species)

    def shares(self) -> torch.Tensor:
        """float32 [N, F]: 1 for the family of each pair's attack."""
        return torch.from_numpy((self.species[:, None] == np.array(self.families)[None, :]).astype(np.float32))

    def beside(self, other: Pool) -> Pool:
        """These crops and ``other``'s of the same pairs."""
        if not np.array_equal(self.species, other.species):
            raise ValueError("the two folders do not hold the same pairs: make them by one `simulate --wide`")
        return Pool(torch.cat([self.live, other.live], dim=1), torch.cat([self.attack, other.attack], dim=1), self.species)

    def crops(self) -> tuple[torch.Tensor, np.ndarray]:
        """(pictures [2 N, C, side, side], labels [2 N])."""
        return torch.cat([self.live, self.attack]), np.repeat([1, 0], len(self))

    @staticmethod
    def read(folder: Path, split: str, size: int) -> Pool:
        """A split of what ``simulate`` wrote; ValueError where it holds no pairs."""
        crops = data.load_split(folder, split)
        if len(crops) % 2 or (crops.labels != np.tile([1, 0], len(crops) // 2)).any():
            raise ValueError(f"{folder}: {split} is not made of pairs of a live picture and its attack, as `simulate` writes them")
        images = scaled(crops.images, size)
        return Pool(images[::2], images[1::2], np.array(crops.pai[1::2]))
