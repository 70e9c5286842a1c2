"""Simulated crops on disk, in the form that training, evaluation and export read."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import torch

from liveproof_base import manifest
from liveproof_base.progress import Progress

from . import pairs
from .bank import Bank

CHUNK = 8  # pairs at a time: what a CPU's caches and a laptop's memory bear
MARK = "Simulated by liveproof_training simulate: no real attack, no real person.\n"


def write(out: Path, banks: dict[str, Bank], counts: dict[str, int], seed: int) -> Path:
    """OUT/manifest.csv and OUT/SPLIT.npy, ``counts[split]`` pairs of each bank; live and attack of a pair follow one another."""
    table = out / "manifest.csv"
    if table.exists():
        raise FileExistsError(f"{table}: there is a set already; choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    (out / manifest.RENDERED).write_text(MARK)
    rows = []
    for number, (split, bank) in enumerate(banks.items()):
        rows += _split(out, split, bank, counts[split], 1000 * seed + number)
    partial = table.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in dataclasses.fields(manifest.Row)], restval="")
        writer.writeheader()
        writer.writerows(rows)
    partial.rename(table)
    return table


def _split(out: Path, split: str, bank: Bank, count: int, seed: int) -> list[dict]:
    generator = torch.Generator(bank.squares.device).manual_seed(seed)
    bar, images, rows = Progress(f"simulate {split}", count), np.empty((2 * count, 256, 256, 3), np.uint8), []
    for start in range(0, count, CHUNK):
        n = min(CHUNK, count - start)
        drawn = pairs.draw(bank, bank.draw(n, generator), generator)
        images[2 * start : 2 * (start + n) : 2], images[2 * start + 1 : 2 * (start + n) : 2] = _bytes(drawn.live), _bytes(drawn.attack)
        for i, species in enumerate(drawn.species.tolist()):
            rows += [_row(split, 2 * (start + i) + attack, "none" if not attack else pairs.SPECIES[species]) for attack in (0, 1)]
        bar.step(n)
    for row, image in zip(rows, images):
        row["sha256"] = hashlib.sha256(image.tobytes()).hexdigest()
    np.save(out / f"{split}.npy", images)
    return rows


def _bytes(images: torch.Tensor) -> np.ndarray:
    return images.permute(0, 2, 3, 1).cpu().numpy()


def _row(split: str, number: int, pai: str) -> dict:
    names = {"dataset": "rendered", "split": split, "domain": "rendered", "video": f"{split}/{number}"}
    return {"crop": f"{split}.npy#{number}", "pai": pai, "label": int(pai == "none"), **names}
