"""The portraits that pictures are made of, on the device: squares with the face in the middle, all at one scale."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import torch

from ..loading import rendered

SIDE = 320  # pixels of a square, a multiple of 16
FACE = 192  # longer side of the face box in it: about what a crop of 256 pixels at margin 1.3 shows


def square(image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """RGB uint8 [SIDE, SIDE, 3] around the face ``box`` of ``image``; what lies beyond the border is its reflection."""
    x1, y1, x2, y2 = box
    scale = FACE / max(x2 - x1, y2 - y1)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation)
    left, top = (int(round(scale * c - SIDE / 2)) for c in ((x1 + x2) / 2, (y1 + y2) / 2))
    h, w = scaled.shape[:2]
    return np.ascontiguousarray(scaled[_reflected(top, h)][:, _reflected(left, w)])


def _reflected(start: int, size: int) -> np.ndarray:
    """Indices start .. start + SIDE, mirrored at 0 and size - 1."""
    at = np.abs(np.arange(start, start + SIDE)) % max(1, 2 * size - 2)
    return np.where(at < size, at, 2 * size - 2 - at)


@dataclasses.dataclass
class Bank:
    """``squares`` uint8 [N, 3, SIDE, SIDE]."""

    squares: torch.Tensor

    def __len__(self) -> int:
        return len(self.squares)

    def take(self, ids: torch.Tensor) -> torch.Tensor:
        """sRGB float [n, 3, SIDE, SIDE] in [0, 1]."""
        return self.squares[ids].float() / 255

    @staticmethod
    def of(squares: np.ndarray, device: torch.device) -> Bank:
        """From uint8 [N, SIDE, SIDE, 3]."""
        return Bank(torch.from_numpy(np.ascontiguousarray(squares.transpose(0, 3, 1, 2))).to(device))

    @staticmethod
    def read(folders: list[tuple[Path, str]], device: torch.device) -> Bank:
        """The faces of each (folder with faces.csv, split; "" for the whole folder)."""
        squares = [square(image, box) for folder, split in folders for image, box in rendered.faces(folder, split)]
        if not squares:
            raise ValueError(f"{', '.join(str(folder) for folder, _ in folders)}: no faces to simulate")
        return Bank.of(np.stack(squares), device)
