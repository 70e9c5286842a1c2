"""Crops rendered to disk once: ``<split>.npy`` (uint8 [N, 256, 256, 3]) and ``manifest.csv`` (docs/benchmarks.md)."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
from pathlib import Path

import cv2
import numpy as np

from liveproof_base import manifest, processes, progress, whole
from liveproof_base.crop import SIZE

from . import crops, portraits
from .ingredients import ALL, Ingredients

FIELDS = (*(f.name for f in dataclasses.fields(manifest.Row)), "source_grid", "seed")

# How the attacks of a portrait follow one another: every variant has one, paired with its bona fide picture.
ATTACKS = ("print", "replay", "print", "replay", "cut", "replay", "print", "replay")


@dataclasses.dataclass(frozen=True)
class Job:
    split: str
    index: int
    portrait: portraits.Portrait
    portrait_id: int
    pai: str
    variant: int

    def seed(self, base: int) -> list[int]:
        """Bona fide and attack of one (portrait, variant) share content, pose and camera."""
        return [base, self.portrait_id, self.variant]


def attack(portrait_id: int, variant: int) -> str:
    return ATTACKS[(variant + portrait_id) % len(ATTACKS)]


def plan(items: list[portraits.Portrait], variants: dict[str, int]) -> list[Job]:
    """Each variant of a portrait once as bona fide and once as an attack."""
    ids = {p.path: i for i, p in enumerate(items)}
    jobs = []
    for split, members in portraits.split(items).items():
        index = 0
        for variant in range(variants[split]):
            for p in members:
                for pai in ("none", attack(ids[p.path], variant)):
                    jobs.append(Job(split, index, p, ids[p.path], pai, variant))
                    index += 1
    return jobs


@dataclasses.dataclass(frozen=True)
class Rendering:
    """What all crops of a folder share."""

    out: Path
    seed: int
    parts: Ingredients = ALL


def render_all(items, rendering: Rendering, variants: dict[str, int], workers: int) -> None:
    """Renders everything; ``manifest.csv`` appears last, so a folder without it is not whole."""
    out = rendering.out
    out.mkdir(parents=True, exist_ok=True)
    table = out / "manifest.csv"
    table.unlink(missing_ok=True)
    jobs = plan(items, variants)
    for split in manifest.SPLITS:
        count = sum(j.split == split for j in jobs)
        np.lib.format.open_memmap(out / f"{split}.npy", mode="w+", dtype=np.uint8, shape=(count, SIZE, SIZE, 3)).flush()
    digests = _run(jobs, rendering, workers)
    with whole.file(table) as partial, partial.open("w", newline="") as f:
        writer = csv.DictWriter(f, FIELDS, restval="")
        writer.writeheader()
        writer.writerows(row(job, rendering.seed, digest) for job, digest in zip(jobs, digests, strict=True))


def row(job: Job, seed: int, digest: str) -> dict:
    """One line of the manifest; ``session`` counts the portrait's variants."""
    camera, instrument = crops.device_keys(job.pai, job.seed(seed), job.split)
    name = job.portrait.path.name
    return {
        "crop": f"{job.split}.npy#{job.index}",
        "dataset": "rendered",
        "split": job.split,
        "subject": name,
        "session": job.variant,
        "camera": camera,
        "pai": job.pai,
        "instrument": instrument,
        "label": int(job.pai == "none"),
        "domain": "rendered",
        "video": f"{job.split}/{Path(name).stem}/{job.variant}/{job.pai}",
        "frame": 0,
        "time": 0,
        "sha256": digest,
        "source_grid": job.portrait.grid,
        "seed": " ".join(map(str, job.seed(seed))),
    }


def _run(jobs: list[Job], rendering: Rendering, workers: int) -> list[str]:
    bar = progress.Progress(f"render {rendering.out.name}", len(jobs))
    digests = []
    for digest in processes.spread(_one, jobs, workers, _start, (rendering,), chunk=16):
        digests.append(digest)
        bar.step()
    return digests


_files: dict[str, np.ndarray] = {}  # per worker process
_rendering: Rendering | None = None


def _start(rendering: Rendering) -> None:
    global _rendering
    cv2.setNumThreads(1)
    _rendering = rendering
    for split in manifest.SPLITS:
        _files[split] = np.load(rendering.out / f"{split}.npy", mmap_mode="r+")


def _one(job: Job) -> str:
    crop = crops.render(job.portrait.load(), job.portrait.face, job.pai, job.seed(_rendering.seed), job.split, _rendering.parts)
    _files[job.split][job.index] = crop
    return hashlib.sha256(crop.tobytes()).hexdigest()
