"""The portraits that pictures are made of, on the device: squares with the face in the middle, all at one scale, and where the person is in them."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import torch

from liveproof_base.progress import Progress

from ..loading import rendered
from . import matte, rooms, skin

SIDE = 320  # pixels of a square, a multiple of 16
FACE = 192  # longer side of the face box in it: about what a crop of 256 pixels at margin 1.3 shows


def square(image: np.ndarray, box: tuple[float, float, float, float], side: int = SIDE) -> np.ndarray:
    """RGB uint8 [side, side, 3] around the face ``box`` of ``image``; beyond the border its pixels are repeated, as in a product's crop."""
    x1, y1, x2, y2 = box
    scale = FACE / max(x2 - x1, y2 - y1)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation)
    left, top = (int(round(scale * c - side / 2)) for c in ((x1 + x2) / 2, (y1 + y2) / 2))
    rows, columns = (np.clip(np.arange(start, start + side), 0, size - 1) for start, size in zip((top, left), scaled.shape))
    return np.ascontiguousarray(scaled[rows][:, columns])


TONES = ("balanced", "alike")  # what is drawn with equal chances: classes of skin tone, as far as skin.MOST lets, or portraits
TONES_TEXT = f"balanced: portraits of rare skin tones are drawn more often, at most {skin.MOST:.0f} times as often as others; alike: all as often"


@dataclasses.dataclass
class Bank:
    """``squares`` uint8 [N, 3, side, side]; ``people`` uint8 [N, 1, side, side], 255 where the person is; ``grain`` float [N], how much detail
    their skin lacks (:func:`skin.lack`); ``rooms`` uint8 [M, 3, side, side]; ``chances`` float [N] of being drawn. side is SIDE unless
    wider crops are drawn."""

    squares: torch.Tensor
    people: torch.Tensor
    grain: torch.Tensor
    rooms: torch.Tensor
    chances: torch.Tensor

    def __len__(self) -> int:
        return len(self.squares)

    def take(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(sRGB [n, 3, side, side], matte [n, 1, side, side], grain [n, 1, 1, 1]), pictures as floats in [0, 1]."""
        return self.squares[ids].float() / 255, self.people[ids].float() / 255, self.grain[ids].view(-1, 1, 1, 1)

    def draw(self, n: int, generator: torch.Generator) -> torch.Tensor:
        """[n] portraits by their chances; one may come again."""
        return torch.multinomial(self.chances, n, replacement=True, generator=generator)

    @staticmethod
    def of(squares: np.ndarray, device: torch.device, chances: np.ndarray | None = None) -> Bank:
        """From uint8 [N, side, side, 3]; without ``chances`` all are drawn alike."""
        bar = Progress("cut out", len(squares))

        def cut(one: np.ndarray) -> tuple[np.ndarray, float]:
            found = matte.person(one, FACE), skin.lack(one, FACE)
            bar.step(1)
            return found

        with ThreadPoolExecutor() as pool:
            people, grain = (np.stack(column) for column in zip(*pool.map(cut, squares)))
        chances = np.full(len(squares), 1 / len(squares)) if chances is None else chances
        planes = squares.transpose(0, 3, 1, 2), people[:, None], grain.astype(np.float32)
        planes += rooms.draw(rooms.COUNT, squares.shape[1]).transpose(0, 3, 1, 2), chances.astype(np.float32)
        return Bank(*(torch.from_numpy(np.ascontiguousarray(x)).to(device) for x in planes))

    @staticmethod
    def read(folders: list[tuple[Path, str]], device: torch.device, tones: str = TONES[0], side: int = SIDE) -> Bank:
        """The faces of each (folder with faces.csv, split; "" for the whole folder)."""
        found = [(square(image, face.box, side), skin.tone(image, face.points)) for image, face in _faces(folders)]
        if not found:
            raise ValueError(f"{', '.join(str(folder) for folder, _ in folders)}: no faces to simulate")
        squares, tones_ = zip(*found)
        return Bank.of(np.stack(squares), device, skin.weights([tone.name for tone in tones_]) if tones == TONES[0] else None)


def tones(folders: list[tuple[Path, str]]) -> list[skin.Tone]:
    """Of the faces of such folders."""
    return [skin.tone(image, face.points) for image, face in _faces(folders)]


def _faces(folders: list[tuple[Path, str]]):
    return (found for folder, split in folders for found in rendered.faces(folder, split))
