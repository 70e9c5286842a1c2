"""Four toy data sets as `liveproof extract` leaves them, and a leave-one-out protocol, from drawn faces: no video, no Go program."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
from pathlib import Path

import cv2
import numpy as np
from synthetic import portrait

from liveproof_base import manifest

DATASETS = ("oulu", "casia", "replay", "msu")
FIELDS = [f.name for f in dataclasses.fields(manifest.Row)]
PROTOCOL = ("dataset", "video", "role", "domain", "label", "pai", "instrument", "camera")
KINDS = {"none": "", "print": "print1", "replay": "display1"}


def crop(seed: int, pai: str) -> np.ndarray:
    """Bona fide plain, prints dotted, screens striped, so that something can be learned."""
    image = portrait(seed)[96:352, 96:352].astype(np.int16)
    if pai == "print":
        image[::3, ::3] -= 60
    if pai == "replay":
        image[:, ::2] += 40
    return np.clip(image, 0, 255).astype(np.uint8)


def videos(dataset: str):
    """(split, subject, pai) of each video: two subjects a split, each once bona fide, once print, once replay."""
    for s, split in enumerate(("train", "dev", "test")):
        for subject in (2 * s + 1, 2 * s + 2):
            for pai in KINDS:
                yield split, f"{subject:02}", pai


def write(root: Path, frames: int = 2) -> dict[str, Path]:
    """ROOT/DATASET with picture files (oulu) or an array (the rest); the video LOST gives no crop."""
    return {name: _dataset(root / name, name, n, frames) for n, name in enumerate(DATASETS)}


LOST = ("msu", "test_05_replay")


def _dataset(folder: Path, name: str, number: int, frames: int) -> Path:
    folder.mkdir(parents=True)
    rows, images = [], []
    for v, (split, subject, pai) in enumerate(videos(name)):
        video = f"{split}_{subject}_{pai}"
        if (name, video) == LOST:
            continue
        for frame in range(frames):
            image = crop(1000 * number + 10 * v + frame, pai)
            place = f"crops/{video}_{frame}.png" if name == "oulu" else f"crops.npy#{len(images)}"
            if name == "oulu":
                (folder / "crops").mkdir(exist_ok=True)
                cv2.imwrite(str(folder / place), image[..., ::-1])
            images.append(image)
            rows.append(
                {
                    "crop": place,
                    "dataset": name,
                    "split": split,
                    "subject": subject,
                    "session": "1",
                    "camera": "1",
                    "pai": pai,
                    "instrument": KINDS[pai],
                    "label": int(pai == "none"),
                    "domain": name,
                    "video": video,
                    "frame": frame,
                    "sha256": hashlib.sha256(image.tobytes()).hexdigest(),
                }
            )
    if name != "oulu":
        np.save(folder / "crops.npy", np.stack(images))
    _table(folder / "manifest.csv", FIELDS, rows)
    return folder


def write_protocol(path: Path, target: str = "msu", with_dev: bool = True) -> Path:
    """Sources' train and dev splits, the target's test split."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sources, rows = [d for d in DATASETS if d != target], []
    for name in DATASETS:
        for split, subject, pai in videos(name):
            role = {"train": "train", "dev": "dev" if with_dev else "train"}.get(split) if name in sources else split if split == "test" else None
            if role:
                domain = sources.index(name) if role == "train" else -1
                rows.append(
                    {
                        "dataset": name,
                        "video": f"{split}_{subject}_{pai}",
                        "role": role,
                        "domain": domain,
                        "label": int(pai == "none"),
                        "pai": pai,
                        "instrument": KINDS[pai],
                        "camera": "1",
                    }
                )
    _table(path, PROTOCOL, rows)
    return path


def _table(path: Path, fields, rows) -> None:
    with path.open("w", newline="") as f:
        writer = csv.DictWriter(f, fields, restval="")
        writer.writeheader()
        writer.writerows(rows)


TOY = [
    "--steps",
    "2",
    "--batch",
    "6",
    "--size",
    "64",
    "--init",
    "random",
    "--threads",
    "1",
    "--norm-images",
    "4",
    "--device",
    "cpu",
    "--curve",
    "off",
]
