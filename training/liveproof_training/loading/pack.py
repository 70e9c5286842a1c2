"""Crops in picture files, or more than are wanted, copied once into one array file, so that many runs read them without decoding."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from liveproof_base import manifest, whole
from liveproof_base.progress import Progress

from .. import contract
from . import pictures

STAMP = "source.json"  # what a folder was packed from


def pack(source: Path, out: Path, frames: int) -> Path:
    """OUT/crops.npy and OUT/manifest.csv with at most ``frames`` equally spaced crops of each video, 0: all. Returns OUT.

    Left as it is where it was made from the same manifest with the same ``frames``.
    """
    made_from = {"manifest_sha256": hashlib.sha256((source / "manifest.csv").read_bytes()).hexdigest(), "frames": frames}
    stamp = out / STAMP
    if stamp.is_file() and json.loads(stamp.read_text()) == made_from:
        return out
    out.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    rows = thin(_rows(source), frames)
    _copy(source, rows, out / "crops.npy")
    _write(out / "manifest.csv", rows)
    for name in (manifest.RENDERED, "report.json"):
        if (source / name).exists():
            with whole.file(out / name) as partial:
                partial.write_bytes((source / name).read_bytes())
    whole.text(stamp, json.dumps(made_from) + "\n")  # last: a folder without it is not whole
    return out


def of_files(source: Path, out: Path) -> Path:
    """``source`` where its crops are rows of arrays already, else OUT with all of them packed."""
    crops = manifest.read(source).column("crop")
    if all("#" in crop for crop in crops):
        return source
    _check_room(out, len(crops))
    return pack(source, out, frames=0)


def _check_room(out: Path, crops: int) -> None:
    """Raises ValueError where the disk is too full, instead of failing in the middle."""
    there = next(folder for folder in (out, *out.parents) if folder.exists())
    need, free = crops * contract.CROP_SIZE**2 * 3, shutil.disk_usage(there).free
    if not (out / STAMP).is_file() and need > free:
        raise ValueError(f"{out}: the packed crops need {need / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; --crops files trains from the pictures")


def _rows(folder: Path) -> list[dict[str, str]]:
    manifest.read(folder)  # names what is wrong with it
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def thin(rows: list[dict[str, str]], frames: int) -> list[dict[str, str]]:
    videos: dict[tuple[str, str], list[dict[str, str]]] = {}
    for row in rows:
        videos.setdefault((row["dataset"], row["video"]), []).append(row)
    out = []
    for group in videos.values():
        count = min(frames, len(group)) if frames else len(group)
        out += [group[i * len(group) // count] for i in range(count)]
    return out


def _copy(source: Path, rows: list[dict[str, str]], path: Path) -> None:
    images = pictures.of_folder(source, [row["crop"] for row in rows])
    side = contract.CROP_SIZE
    array = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(len(rows), side, side, 3))
    bar = Progress(f"pack {source.name}", len(rows))
    for start in range(0, len(rows), 64):
        ids = np.arange(start, min(start + 64, len(rows)))
        array[ids] = images.take(ids)
        bar.step(len(ids))
    array.flush()


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with whole.file(path) as partial, partial.open("w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "crop": f"crops.npy#{i}"} for i, row in enumerate(rows))
