"""Crops of one split or one role of a protocol, with labels, domains and names; normalisation on the device."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from liveproof_base import columns, manifest

from .. import contract
from ..config import TrainConfig
from . import pictures, rendered


@dataclasses.dataclass
class Crops:
    """Crops of one role."""

    images: pictures.Sequence  # uint8 [256, 256, 3] RGB each
    labels: np.ndarray  # int64 [N], 1 bona fide, 0 attack
    domains: np.ndarray  # int64 [N], -1 none
    pai: list[str]  # none | print | cut | replay
    videos: list[str]  # "dataset/video", unique per video
    rows: Sequence[manifest.Row]

    def __len__(self) -> int:
        return len(self.labels)


def load_split(folder: Path, split: str) -> Crops:
    """By the datasets' own splits; a domain is the index of the dataset's name."""
    return _split([folder], split)


def _split(folders: list[Path], split: str) -> Crops:
    found = []
    for folder in folders:
        rows = manifest.read(folder)
        found.append((folder, rows.take([n for n, word in enumerate(rows.column("split")) if word == split])))
    datasets = [dataset for _, rows in found for dataset in rows.column("dataset")]
    if not datasets:
        raise ValueError(f"{', '.join(map(str, folders))}: no crops in split {split}")
    numbers = {name: n for n, name in enumerate(sorted(set(datasets)))}
    return _crops(found, [numbers[dataset] for dataset in datasets])


class NoRole(ValueError):
    """A protocol that has no video of this role, such as dev in the population everything."""


def load_role(folders: list[Path], protocol: Path, role: str) -> Crops:
    """The crops that a protocol gives this role, with its domains."""
    uses = manifest.read_protocol(protocol)
    found, domains = [], []
    for folder in folders:
        rows = manifest.read(folder)
        mine = [uses.get(key) for key in zip(rows.column("dataset"), rows.column("video"))]
        chosen = [n for n, use in enumerate(mine) if use is not None and use.role == role]
        found.append((folder, rows.take(chosen)))
        _same_labels(found[-1][1], [mine[n] for n in chosen], protocol, folder)
        domains += [mine[n].domain for n in chosen]
    if not domains and not any(use.role == role for use in uses.values()):
        raise NoRole(
            f"{protocol}: no video has the role {role}"
            + ("" if role != "dev" else "; the command `protocol` holds every tenth training video out where a population leaves none")
        )
    if not domains:
        where = ", ".join(map(str, folders))
        raise ValueError(f"{protocol}: none of its {role} videos is in the manifests of {where}; extract those datasets")
    return _crops(found, domains)


def _same_labels(rows: columns.Rows, uses: list[manifest.Use], protocol: Path, folder: Path) -> None:
    for use, label in zip(uses, rows.column("label")):
        if use.label != label:
            raise ValueError(f"{protocol}: {use.dataset} {use.video} has label {use.label}, {folder}/manifest.csv {label}")


def none() -> Crops:
    return _crops([], [])


def _crops(found: list[tuple[Path, columns.Rows]], domains: list[int]) -> Crops:
    rows = columns.Joined([rows for _, rows in found])
    parts = [pictures.of_folder(folder, some.column("crop")) for folder, some in found if len(some)] or [pictures.Pictures([])]
    names: dict[tuple[str, str], str] = {}  # a video's name is kept once, however many crops it has
    return Crops(
        images=parts[0] if len(parts) == 1 else pictures.Joined(parts),
        labels=np.array(rows.column("label"), np.int64),
        domains=np.array(domains, np.int64),
        pai=rows.column("pai"),
        videos=[names.setdefault(key, "/".join(key)) for key in zip(rows.column("dataset"), rows.column("video"))],
        rows=rows,
    )


def load_stream(folder: Path, split: str, seed: int) -> Crops:
    """Crops rendered while training goes on, from the portraits in ``folder``; no rows."""
    stream = rendered.stream(folder, split, seed)
    labels = np.asarray(stream.labels, np.int64)
    pai = [stream.pai(i, 0) for i in range(len(stream))]
    names = [f"rendered/{split}/{i}" for i in range(len(stream))]
    return Crops(pictures.Streamed(stream), labels, np.zeros(len(labels), np.int64), pai, names, [])


def folders(config: TrainConfig) -> list[Path]:
    return [Path(word.strip()) for word in config.crops.data.split(",") if word.strip()]


def load(config: TrainConfig, role: str) -> Crops:
    """The crops that a run trains on ("train") or chooses its threshold on ("dev")."""
    if config.crops.data.startswith(rendered.PREFIX):
        return load_stream(Path(config.crops.data[len(rendered.PREFIX) :]), role, config.run.seed)
    if config.crops.protocol:
        return load_role(folders(config), Path(config.crops.protocol), role)
    return _split(folders(config), role)


def sha256(config: TrainConfig) -> str:
    """Hash of the manifest, which holds the hash of every crop; of several tables, of their hashes."""
    if config.crops.data.startswith(rendered.PREFIX):
        return hashlib.sha256(f"{rendered.PREFIX}{config.run.seed}".encode()).hexdigest()
    tables = [folder / "manifest.csv" for folder in folders(config)]
    tables += [Path(config.crops.protocol)] if config.crops.protocol else []
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in tables]
    return digests[0] if len(digests) == 1 else hashlib.sha256("\n".join(digests).encode()).hexdigest()


def normalise(images: torch.Tensor, device: torch.device) -> torch.Tensor:
    """uint8 [N, 3, H, W] RGB -> float32, ImageNet mean and standard deviation, channels last in memory. More channels are further pictures."""
    x = images.to(device, non_blocking=True).float()
    mean, std = _imagenet(device, x.shape[1] // 3)
    return x.sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)


@functools.lru_cache
def _imagenet(device: torch.device, pictures: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation on the scale of bytes. Kept, because each copy to a GPU would wait for the steps under way."""
    mean, std = (torch.tensor(pictures * v, device=device).view(1, -1, 1, 1) for v in (contract.IMAGENET_MEAN, contract.IMAGENET_STD))
    return 255 * mean, 255 * std


def centre(images: np.ndarray) -> np.ndarray:
    """[N, 256, 256, 3] -> the centre [N, 224, 224, 3] that the model sees outside training."""
    off = (contract.CROP_SIZE - contract.INPUT_SIZE) // 2
    return np.ascontiguousarray(images[:, off : off + contract.INPUT_SIZE, off : off + contract.INPUT_SIZE])
