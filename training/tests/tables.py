"""Manifests, protocols and crops as the trainer reads them, without a renderer: attacks show a fine grid, bona fide do not."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from liveproof_base import manifest
from liveproof_training.config import TrainConfig

COLUMNS = [f.name for f in dataclasses.fields(manifest.Row)]
USES = [f.name for f in dataclasses.fields(manifest.Use)]


def picture(label: int, seed: int) -> np.ndarray:
    """uint8 [256, 256, 3]; smooth colours, over attacks stripes of 8 pixels whatever flip or crop."""
    rng = np.random.default_rng(seed)
    smooth = cv2.resize(rng.integers(60, 180, (4, 4, 3), dtype=np.uint8), (256, 256), interpolation=cv2.INTER_CUBIC).astype(int)
    stripes = 0 if label else 60 * ((np.arange(256) // 4) % 2)[:, None, None]
    return np.clip(smooth + stripes, 0, 255).astype(np.uint8)


def row(**values) -> dict:
    base = dict(dataset="rendered", split="train", pai="none", label=1, domain="rendered", video="v", sha256="0" * 64)
    return {**base, **values}


def write_manifest(folder: Path, rows: list[dict], columns: list[str] = COLUMNS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return _write(folder / "manifest.csv", rows, columns)


def write_protocol(path: Path, uses: list[dict]) -> Path:
    return _write(path, uses, USES)


def _write(path: Path, rows: list[dict], columns: list[str]) -> Path:
    with path.open("w", newline="") as f:
        writer = csv.DictWriter(f, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def store(folder: Path, per_split: int = 12) -> Path:
    """A folder like the renderer's: <split>.npy, attack and bona fide in turn, prints and replays."""
    folder.mkdir(parents=True)
    rows = []
    for s, split in enumerate(manifest.SPLITS):
        np.save(folder / f"{split}.npy", np.stack([picture(i % 2, 100 * s + i) for i in range(per_split)]))
        for i in range(per_split):
            pai = "none" if i % 2 else ("print", "replay")[i // 2 % 2]
            rows.append(row(crop=f"{split}.npy#{i}", split=split, pai=pai, label=i % 2, video=f"{split}/{i}"))
    write_manifest(folder, rows)
    return folder


def benchmark(folder: Path, videos: int = 4, frames: int = 2) -> tuple[Path, Path]:
    """(folder, protocol) as Go extracts: two datasets, PNG crops, ``videos`` per dataset and role, half of them bona fide."""
    (folder / "crops").mkdir(parents=True)
    rows, uses = [], []
    for d, dataset in enumerate(("casia", "oulu")):
        for role in ("train", "dev"):
            for v in range(videos):
                values = dict(dataset=dataset, video=f"{role}/{v}", label=v % 2, pai="none" if v % 2 else "print")
                uses.append({**values, "role": role, "domain": d})
                for f in range(frames):
                    crop = f"crops/{dataset}_{role}_{v}_{f}.png"
                    cv2.imwrite(str(folder / crop), picture(v % 2, len(rows))[..., ::-1])
                    rows.append(row(crop=crop, split=role, domain=dataset, frame=f, **values))
    write_manifest(folder, rows)
    return folder, write_protocol(folder / "protocol.csv", uses)


def config(folder: Path, out: Path, **changes) -> TrainConfig:
    """Four steps on 64-pixel crops, from random weights."""
    base = dict(
        data=str(folder),
        out=str(out),
        init="random",
        batch=4,
        steps=4,
        size=64,
        log_every=1,
        eval_every=99,
        eval_limit=4,
        threads=1,
        device="cpu",
        tensorboard="off",
        curve="off",
    )
    return TrainConfig.from_dict({**base, **changes})


class TinyEncoder(nn.Module):
    """Two convolutions in ResNet18's place, for tests of what is around the network."""

    size = 16
    classes = "fc."

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8)
        self.layer1 = nn.Sequential(nn.Conv2d(8, self.size, 3, 4, 1), nn.BatchNorm2d(self.size), nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer1(torch.relu(self.bn1(self.conv1(x)))).mean(dim=(2, 3))

    def stages(self) -> dict[str, list[nn.Module]]:
        return {"none": [], "conv1": [self.conv1, self.bn1]}
