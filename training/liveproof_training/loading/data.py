"""Crops of one split or one role of a protocol, with labels, domains and names; normalisation on the device."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from pathlib import Path

import numpy as np
import torch

from liveproof_base import manifest

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
    rows: list[manifest.Row]

    def __len__(self) -> int:
        return len(self.labels)


def load_split(folder: Path, split: str) -> Crops:
    """By the datasets' own splits; a domain is the index of the dataset's name."""
    return _split([folder], split)


def _split(folders: list[Path], split: str) -> Crops:
    found = [(folder, row) for folder in folders for row in manifest.read(folder) if row.split == split]
    if not found:
        raise ValueError(f"{', '.join(map(str, folders))}: no crops in split {split}")
    names = sorted({row.dataset for _, row in found})
    return _crops(found, [names.index(row.dataset) for _, row in found])


class NoRole(ValueError):
    """A protocol that has no video of this role, such as dev in the population everything."""


def load_role(folders: list[Path], protocol: Path, role: str) -> Crops:
    """The crops that a protocol gives this role, with its domains."""
    uses = manifest.read_protocol(protocol)
    found, domains = [], []
    for folder in folders:
        for row in manifest.read(folder):
            use = uses.get((row.dataset, row.video))
            if use is None or use.role != role:
                continue
            if use.label != row.label:
                raise ValueError(f"{protocol}: {row.dataset} {row.video} has label {use.label}, {folder}/manifest.csv {row.label}")
            found.append((folder, row))
            domains.append(use.domain)
    if not found and not any(use.role == role for use in uses.values()):
        raise NoRole(
            f"{protocol}: no video has the role {role}"
            + ("" if role != "dev" else "; the command `protocol` holds every tenth training video out where a population leaves none")
        )
    if not found:
        where = ", ".join(map(str, folders))
        raise ValueError(f"{protocol}: none of its {role} videos is in the manifests of {where}; extract those datasets")
    return _crops(found, domains)


def none() -> Crops:
    return _crops([], [])


def _crops(found: list[tuple[Path, manifest.Row]], domains: list[int]) -> Crops:
    rows = [row for _, row in found]
    by_folder: dict[Path, list[str]] = {}
    for folder, row in found:
        by_folder.setdefault(folder, []).append(row.crop)
    parts = [pictures.of_folder(folder, crops) for folder, crops in by_folder.items()] or [pictures.Pictures([])]
    return Crops(
        images=parts[0] if len(parts) == 1 else pictures.Joined(parts),
        labels=np.array([r.label for r in rows], np.int64),
        domains=np.array(domains, np.int64),
        pai=[r.pai for r in rows],
        videos=[f"{r.dataset}/{r.video}" for r in rows],
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
    """uint8 [N, 3, H, W] RGB -> float32, ImageNet mean and standard deviation, channels last in memory."""
    x = images.to(device, non_blocking=True).float()
    mean, std = _imagenet(device)
    return x.sub_(mean).div_(std).contiguous(memory_format=torch.channels_last)


@functools.lru_cache
def _imagenet(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation on the scale of bytes. Kept, because each copy to a GPU would wait for the steps under way."""
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (contract.IMAGENET_MEAN, contract.IMAGENET_STD))
    return 255 * mean, 255 * std


def centre(images: np.ndarray) -> np.ndarray:
    """[N, 256, 256, 3] -> the centre [N, 224, 224, 3] that the model sees outside training."""
    off = (contract.CROP_SIZE - contract.INPUT_SIZE) // 2
    return np.ascontiguousarray(images[:, off : off + contract.INPUT_SIZE, off : off + contract.INPUT_SIZE])
