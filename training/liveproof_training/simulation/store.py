"""Simulated crops on disk, in the form that training, evaluation and export read."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import torch

from liveproof_base import crop, manifest
from liveproof_base.progress import Progress

from . import pairs
from .bank import Bank

CHUNK = 8  # pairs at a time: what a CPU's caches and a laptop's memory bear
MARK = "Simulated by liveproof_training simulate: no real attack, no real person.\n"


def write(out: Path, banks: dict[str, Bank], counts: dict[str, int], seed: int, wide: Path | None = None) -> Path:
    """OUT/manifest.csv and OUT/SPLIT.npy, ``counts[split]`` pairs of each bank; live and attack of a pair follow one another.
    ``wide``: a folder for the same pairs, cropped at the margin WIDE."""
    folders = {crop.MARGIN: out} | ({pairs.WIDE: wide} if wide else {})
    if wide and wide.resolve() == out.resolve():
        raise ValueError(f"{out}: the wide crops need a folder of their own; choose another --wide")
    if there := [folder / "manifest.csv" for folder in folders.values() if (folder / "manifest.csv").exists()]:
        raise FileExistsError(f"{there[0]}: there is a set already; choose another folder")
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / manifest.RENDERED).write_text(MARK)
    rows = {folder: [] for folder in folders.values()}
    for number, (split, bank) in enumerate(banks.items()):
        for folder, found in _split(folders, split, bank, counts[split], 1000 * seed + number).items():
            rows[folder] += found
    for folder, found in rows.items():
        _write_table(folder / "manifest.csv", found)
    return out / "manifest.csv"


def _write_table(table: Path, rows: list[dict]) -> None:
    partial = table.with_suffix(".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in dataclasses.fields(manifest.Row)], restval="")
        writer.writeheader()
        writer.writerows(rows)
    partial.rename(table)


def _split(folders: dict[float, Path], split: str, bank: Bank, count: int, seed: int) -> dict[Path, list[dict]]:
    """Draws the pairs, cropped at each margin; a folder's rows."""
    generator = torch.Generator(bank.squares.device).manual_seed(seed)
    bar, species = Progress(f"simulate {split}", count), []
    images = {folder: np.empty((2 * count, crop.SIZE, crop.SIZE, 3), np.uint8) for folder in folders.values()}
    for start in range(0, count, CHUNK):
        n = min(CHUNK, count - start)
        drawn = pairs.draw_at(tuple(folders), bank, bank.draw(n, generator), generator)
        for part, some in zip(drawn, images.values()):
            some[2 * start : 2 * (start + n) : 2], some[2 * start + 1 : 2 * (start + n) : 2] = _bytes(part.live), _bytes(part.attack)
        species += drawn[0].species.tolist()
        bar.step(n)
    for folder, some in images.items():
        np.save(folder / f"{split}.npy", some)
    return {folder: _rows(split, species, some) for folder, some in images.items()}


def _rows(split: str, species: list[int], images: np.ndarray) -> list[dict]:
    rows = []
    for kind in species:
        rows += [_row(split, len(rows) + attack, pairs.SPECIES[kind] if attack else "none") for attack in (0, 1)]
    for row, image in zip(rows, images):
        row["sha256"] = hashlib.sha256(image.tobytes()).hexdigest()
    return rows


def _bytes(images: torch.Tensor) -> np.ndarray:
    return images.permute(0, 2, 3, 1).cpu().numpy()


def _row(split: str, number: int, pai: str) -> dict:
    names = {"dataset": "rendered", "split": split, "domain": "rendered", "video": f"{split}/{number}"}
    return {"crop": f"{split}.npy#{number}", "pai": pai, "label": int(pai == "none"), **names}
