"""Where crops come from: picture files, rows of .npy files, or a renderer that draws them anew every epoch.

All are sequences of uint8 [256, 256, 3] RGB: ``len(p)``, ``p[i]``, ``p[ids]`` and ``p.take(ids)`` (uint8 [n, 256, 256, 3]),
and ``p.picture(i, epoch)`` for training, which alone may depend on the epoch.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from .. import contract

SHAPE = (contract.CROP_SIZE, contract.CROP_SIZE, 3)


class Sequence:
    """What all sources share; they bring ``__len__`` and ``picture``."""

    def picture(self, i: int, epoch: int = 0) -> np.ndarray:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, which):
        if isinstance(which, (int, np.integer)):
            if not -len(self) <= which < len(self):
                raise IndexError(which)
            return self.picture(int(which) % len(self))
        return self.take(np.arange(len(self))[which])

    def take(self, ids) -> np.ndarray:
        out = np.empty((len(ids), *SHAPE), np.uint8)
        for n, i in enumerate(ids):
            out[n] = self.picture(int(i))
        return out


class InMemory(Sequence):
    """uint8 [N, 256, 256, 3]."""

    def __init__(self, images: np.ndarray):
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def picture(self, i: int, epoch: int = 0) -> np.ndarray:
        return self.images[i]


class Pictures(Sequence):
    """Crops on disk. ``places``: a picture file, or FILE.npy#ROW (uint8 [N, 256, 256, 3], memory-mapped, opened when first read)."""

    def __init__(self, places: list[str]):
        self.at = np.empty((len(places), 2), np.int64)  # file, row; row -1: the file is the picture
        known: dict[str, int] = {}
        for n, place in enumerate(places):
            name, mark, row = place.rpartition("#")
            if not (mark and name.endswith(".npy")):
                name, row = place, "-1"
            self.at[n] = known.setdefault(name, len(known)), _row(place, row)
        self.files = list(known)
        self._maps: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.at)

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_maps": {}}  # a loader's process opens the files itself

    def check(self) -> None:
        """Raises FileNotFoundError or ValueError for files that are not there and rows beyond their end."""
        missing = [f for f in self.files if not os.path.isfile(f)]
        if missing:
            raise FileNotFoundError(
                f"{missing[0]} is missing, and {len(missing) - 1} more of {len(self.files)} crop files: "
                "the manifest lists them; extract or render again"
            )
        for n, file in enumerate(self.files):
            rows = self.at[self.at[:, 0] == n, 1] if file.endswith(".npy") else ()
            if len(rows) and rows.max() >= len(self._map(n)):
                raise ValueError(f"{file} has {len(self._map(n))} crops, the manifest lists row {rows.max()}")

    def picture(self, i: int, epoch: int = 0) -> np.ndarray:
        """A view of the map where it can be, so that a part of it reads no more than that part."""
        file, row = self.at[i]
        return self._map(file)[row] if row >= 0 else _read(self.files[file])

    def _map(self, file: int) -> np.ndarray:
        if file not in self._maps:
            crops = np.load(self.files[file], mmap_mode="r")
            if crops.dtype != np.uint8 or crops.shape[1:] != SHAPE:
                raise ValueError(f"{self.files[file]}: {crops.dtype} {list(crops.shape)}, expected uint8 [N, 256, 256, 3]")
            self._maps[file] = crops.view(np.ndarray)  # np.memmap's own slicing costs more than the copy
        return self._maps[file]


def _row(place: str, word: str) -> int:
    if word != "-1" and not word.isdigit():
        raise ValueError(f"{place}: {word!r} is not a row")
    return int(word)


def _read(path: str) -> np.ndarray:
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path}: not a readable picture")
    if image.shape != SHAPE:
        raise ValueError(f"{path}: {image.shape[1]} x {image.shape[0]} pixels, expected 256 x 256")
    return image[..., ::-1]


class Streamed(Sequence):
    """A renderer's endless crops: ``stream`` has ``len()``, ``labels`` and ``draw(i, epoch)``. Outside training it is epoch 0."""

    def __init__(self, stream):
        self.stream = stream

    def __len__(self) -> int:
        return len(self.stream)

    def picture(self, i: int, epoch: int = 0) -> np.ndarray:
        return self.stream.draw(i, epoch)


class Joined(Sequence):
    """Several sources after one another."""

    def __init__(self, parts: list[Sequence]):
        self.parts = parts
        self.ends = np.cumsum([len(p) for p in parts])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def picture(self, i: int, epoch: int = 0) -> np.ndarray:
        part = int(np.searchsorted(self.ends, i, side="right"))
        return self.parts[part].picture(i - (int(self.ends[part - 1]) if part else 0), epoch)


class Chosen(Sequence):
    """Some of another's, read when they are asked for."""

    def __init__(self, whole: Sequence, ids: np.ndarray):
        self.whole, self.ids = whole, ids

    def __len__(self) -> int:
        return len(self.ids)

    def picture(self, i: int, epoch: int = 0) -> np.ndarray:
        return self.whole.picture(int(self.ids[i]), epoch)


def of_folder(folder: Path, crops: list[str]) -> Pictures:
    pictures = Pictures([os.path.join(folder, crop) for crop in crops])
    pictures.check()
    return pictures
