"""Training batches: flip, random crop of 256, class-blind disturbances, PDLE with a partner of the opposite class."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from .. import contract
from ..config import TrainConfig
from ..method import pdle
from . import augment, backdrop, data, rendered, sampling

MOST = 12  # loader processes: an H200 waited for so many less than 1 % of the time
WALLS = 0.35  # share of the pictures that get a plain wall


class Batch(NamedTuple):
    images: torch.Tensor  # uint8 [N, size, size, 3] RGB
    targets: torch.Tensor  # float32 [N], share of real pixels
    domains: torch.Tensor  # float32 [N, D], pixel shares of the domains; a row of zeros has none
    families: torch.Tensor = torch.zeros(0, 0)  # float32 [N, F], pixel shares of the families of attacks, a live picture's its pair's; or empty


def workers(config: TrainConfig, gpu: bool, world: int) -> int:
    """Loader processes beside each of ``world`` processes. A GPU, and crops that are rendered meanwhile, want all cores but one; where
    the cores train themselves, a few of many."""
    if config.crops.workers >= 0:
        return config.crops.workers
    cores = len(os.sched_getaffinity(0)) // world
    busy = gpu or config.crops.data.startswith(rendered.PREFIX)
    return max(1, min(MOST, cores - 1)) if busy else min(2, cores // 4)


class Steps(Dataset):
    """Item s is the batch of step s, from 0, over all epochs of the run: ``batch`` originals and what mixing makes of them.

    Of ``world`` processes each has a batch of its own, ``rank``'s part of the step's ``world * batch`` originals. What an epoch has
    beyond whole steps is left out, other originals each epoch. Draws depend on (seed, epoch, position in the epoch) alone, so any
    number of workers and a resumed run see the same pictures.
    """

    def __init__(self, crops: data.Crops, config: TrainConfig, weights: np.ndarray | None = None, rank: int = 0, world: int = 1):
        self.crops, self.config, self.rank = crops, config, rank
        self.size, self.part = config.crops.size, config.optimisation.batch
        self.batch = self.part * world  # originals of a step
        self.encoding = config.exchange.encoding()
        self.units = sampling.Units(crops.labels, crops.domains, crops.videos, config.crops.frames_per_video())
        self.by_label = [np.flatnonzero(self.units.labels == y) for y in (0, 1)]
        shares = sampling.partner_shares(self.units, config.crops.sampling, weights)
        self.weighed = None if shares is None else [np.cumsum(shares[ids]) for ids in self.by_label]
        if not all(len(ids) for ids in self.by_label):
            raise ValueError("training needs both bona fide and attack crops")
        self.order = sampling.Order(self.units, config.crops.sampling, config.run.seed, weights)
        self.per_epoch = len(self.order) // self.batch
        if self.per_epoch == 0:
            raise ValueError(f"batch: {self.batch} originals a step are more than an epoch's {len(self.order)}")
        self.names = sorted(set(crops.domains[crops.domains >= 0].tolist()))
        self._epoch = (-1, np.empty(0, np.int64))

    def __len__(self) -> int:
        return self.per_epoch * self.config.optimisation.epochs

    def __getitem__(self, step: int) -> Batch:
        epoch, number = divmod(int(step), self.per_epoch)
        ids = self._ids(epoch)[number * self.batch : (number + 1) * self.batch]
        items = []
        for n in range(self.rank * self.part, (self.rank + 1) * self.part):
            rng = np.random.default_rng([self.config.run.seed, epoch, number * self.batch + n])
            items += self._items(int(ids[n]), ids, epoch, rng)
        images, targets, domains = zip(*items)
        return Batch(torch.from_numpy(np.stack(images)), torch.tensor(targets, dtype=torch.float32), torch.tensor(np.stack(domains)))

    def _ids(self, epoch: int) -> np.ndarray:
        if self._epoch[0] != epoch:
            self._epoch = epoch, self.order(epoch)
        return self._epoch[1]

    def _items(self, unit: int, batch: np.ndarray, epoch: int, rng: np.random.Generator) -> list[tuple]:
        """``mix`` "append": the original and a mixed one; "replace": one of the two; "none": the original."""
        exchange, crop = self.config.exchange, self.units.crop(unit, rng)
        image, label = self._view(crop, epoch, rng), float(self.crops.labels[crop])
        original = (image, label, self._domain(crop))
        if exchange.mix == "none" or (exchange.mix == "replace" and rng.random() >= exchange.mix_prob):
            return [original]
        mixed = self._mixed(image.copy() if exchange.mix == "append" else image, label, crop, batch, epoch, rng)
        return [original, mixed] if exchange.mix == "append" else [mixed]

    def _mixed(self, image: np.ndarray, label: float, crop: int, batch: np.ndarray, epoch: int, rng) -> tuple:
        partner = self._partner(int(label), batch, rng)
        other = self._view(partner, epoch, rng)
        box, lam = self.encoding.draw(self.size, self.size, rng)
        pdle.paste(image, other, box)
        return image, pdle.mixed_label(label, lam), self._mixed_domain(crop, partner, box.share(self.size, self.size))

    def _partner(self, label: int, batch: np.ndarray, rng: np.random.Generator) -> int:
        """From the whole training set (Sec. 2.2), or from the step's originals where they hold the other class."""
        others = self.by_label[1 - label]
        if self.config.exchange.partner == "all" and self.weighed:
            up_to = self.weighed[1 - label]
            return self.units.crop(int(others[np.searchsorted(up_to, rng.random() * up_to[-1], side="right")]), rng)
        if self.config.exchange.partner == "batch":
            inside = batch[self.units.labels[batch] != label]
            others = inside if len(inside) else others
        return self.units.crop(int(others[rng.integers(len(others))]), rng)

    def _domain(self, crop: int, share: float = 1.0) -> np.ndarray:
        row = np.zeros(len(self.names), np.float32)
        if self.crops.domains[crop] >= 0:
            row[self.names.index(int(self.crops.domains[crop]))] = share
        return row

    def _mixed_domain(self, anchor: int, partner: int, share: float) -> np.ndarray:
        if self.config.domains.mixed_domain == "exclude":
            return np.zeros(len(self.names), np.float32)
        if self.config.domains.mixed_domain == "anchor":
            return self._domain(anchor)
        return self._domain(anchor, 1 - share) + self._domain(partner, share)

    def _view(self, crop: int, epoch: int, rng: np.random.Generator) -> np.ndarray:
        size = self.size
        top, left = (int(n) for n in rng.integers(contract.CROP_SIZE - size + 1, size=2))
        view = self.crops.images.picture(crop, epoch)[top : top + size, left : left + size]
        view = np.array(view[:, ::-1] if rng.integers(2) else view, order="C")
        kind = self.config.crops.augment
        if kind in ("colour", "all"):
            view = augment.cast(view, rng)
        if kind in ("wall", "all") and rng.random() < WALLS:
            view = backdrop.wall(view, rng)
        return augment.disturb(view, rng) if kind in ("nuisance", "all") else view
