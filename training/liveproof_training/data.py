"""Crops on disk -> training items: flip, random crop 224 of 256, PDLE partner; normalisation on the device."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from . import augment, contract, pdle
from .config import TrainConfig
from .render import store


@dataclasses.dataclass
class Crops:
    """One split: pictures (memory-mapped), labels (1 bona fide, 0 attack) and what each shows."""

    images: np.ndarray  # uint8 [N, 256, 256, 3] RGB
    labels: np.ndarray  # int64 [N]
    media: list[str]

    def __len__(self) -> int:
        return len(self.labels)


def load_split(folder: Path, split: str) -> Crops:
    rows = [r for r in store.manifest_rows(folder) if r["split"] == split]
    images = np.load(folder / f"{split}.npy", mmap_mode="r")
    if len(rows) != len(images):
        raise ValueError(f"{folder}: {split}.npy has {len(images)} crops, manifest.csv {len(rows)}")
    labels = np.array([int(r["label"]) for r in rows], dtype=np.int64)
    return Crops(images, labels, [r["medium"] for r in rows])


class PdleDataset(Dataset):
    """Item i of an epoch: (pictures uint8 [M, 3, size, size], labels [M]).

    ``mix`` "append" gives the original and one mixed picture (M = 2), "replace" one of the two, mixed
    with probability ``mix_prob`` (M = 1), "none" the original. Draws depend on (seed, epoch, i) alone,
    so any loader, any number of workers and a resumed run see the same pictures.
    """

    def __init__(self, crops: Crops, config: TrainConfig):
        self.crops, self.config, self.epoch, self.size = crops, config, 0, config.size
        self.by_label = [np.flatnonzero(crops.labels == y) for y in (0, 1)]
        if not all(len(ids) for ids in self.by_label):
            raise ValueError("training needs both bona fide and attack crops")

    def __len__(self) -> int:
        return len(self.crops)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(_mix_seed(self.config.seed, self.epoch, int(i)))
        label = float(self.crops.labels[i])
        items = [(self._view(i, generator), label)]
        if self.config.mix == "append":
            items.append(self._mixed(*items[0], generator))
        elif self.config.mix == "replace" and float(torch.rand((), generator=generator)) < self.config.mix_prob:
            items = [self._mixed(*items[0], generator)]
        return torch.stack([x for x, _ in items]), torch.tensor([y for _, y in items])

    def _mixed(self, image: torch.Tensor, label: float, generator: torch.Generator):
        """The partner comes from the whole training set, not from the batch (Sec. 2.2)."""
        others = self.by_label[1 - int(label)]
        other = self._view(others[int(torch.randint(len(others), (), generator=generator))], generator)
        return pdle.encode(image, label, other, self.config.k, generator, self.config.max_level or None)

    def _view(self, i: int, generator: torch.Generator) -> torch.Tensor:
        size = self.size
        room = contract.CROP_SIZE - size
        top, left, flip = (int(torch.randint(n, (), generator=generator)) for n in (room + 1, room + 1, 2))
        view = self.crops.images[i, top : top + size, left : left + size]
        view = np.ascontiguousarray(view[:, ::-1] if flip else view)
        if self.config.augment == "nuisance":
            view = augment.disturb(view, np.random.default_rng(int(torch.randint(2**62, (), generator=generator))))
        return torch.from_numpy(np.ascontiguousarray(view.transpose(2, 0, 1)))


def _mix_seed(*parts: int) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0]) >> 1


class BalancedSampler(Sampler):
    """Alternates the classes, so that every batch holds as many bona fide as attacks.

    Without weights an epoch shuffles each class and is as long as twice the larger one (the smaller
    is gone through again); with weights the same number is drawn with replacement.
    """

    def __init__(self, labels: np.ndarray, seed: int, weights: np.ndarray | None = None):
        self.by_label = [np.flatnonzero(labels == y) for y in (0, 1)]
        self.weights = weights
        self.seed, self.epoch, self.skip = seed, 0, 0
        self.half = max(len(ids) for ids in self.by_label)

    def __len__(self) -> int:
        return 2 * self.half - self.skip

    def __iter__(self):
        rng = np.random.default_rng([self.seed, self.epoch])
        order = np.empty(2 * self.half, dtype=np.int64)
        for offset, ids in enumerate(self.by_label):
            order[offset::2] = self._draw(rng, ids)
        return iter(order[self.skip :].tolist())

    def _draw(self, rng: np.random.Generator, ids: np.ndarray) -> np.ndarray:
        if self.weights is not None:
            share = self.weights[ids] / self.weights[ids].sum()
            return rng.choice(ids, self.half, p=share)
        rounds = -(-self.half // len(ids))
        return np.concatenate([rng.permutation(ids) for _ in range(rounds)])[: self.half]


def normalise(images: torch.Tensor, device: torch.device) -> torch.Tensor:
    """uint8 [N, 3, H, W] RGB -> float32, ImageNet mean and standard deviation."""
    x = images.to(device, non_blocking=True).float().div_(255.0)
    mean = torch.tensor(contract.IMAGENET_MEAN, device=device).view(1, 3, 1, 1)
    std = torch.tensor(contract.IMAGENET_STD, device=device).view(1, 3, 1, 1)
    return x.sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)


def centre(images: np.ndarray) -> np.ndarray:
    """[N, 256, 256, 3] -> the centre [N, 224, 224, 3] that the model sees outside training."""
    off = (contract.CROP_SIZE - contract.INPUT_SIZE) // 2
    return np.ascontiguousarray(images[:, off : off + contract.INPUT_SIZE, off : off + contract.INPUT_SIZE])
