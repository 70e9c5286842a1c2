"""Crops rendered to disk once: ``<split>.npy`` (uint8 [N, 256, 256, 3]) and ``manifest.csv``."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import multiprocessing
from pathlib import Path

import cv2
import numpy as np

from .. import contract, progress
from . import crops, portraits

FIELDS = ("split", "index", "portrait", "source_grid", "medium", "label", "seed", "sha256")


@dataclasses.dataclass(frozen=True)
class Job:
    split: str
    index: int
    portrait: portraits.Portrait
    portrait_id: int
    medium: str
    variant: int

    def seed(self, base: int) -> list[int]:
        """Bona fide and attack of one (portrait, variant) share content, pose and camera."""
        return [base, self.portrait_id, self.variant]


def plan(items: list[portraits.Portrait], variants: dict[str, int]) -> list[Job]:
    """Each variant of a portrait once as bona fide and once as an attack, print and replay in turn."""
    ids = {p.path: i for i, p in enumerate(items)}
    jobs = []
    for split, members in portraits.split(items).items():
        index = 0
        for variant in range(variants[split]):
            for p in members:
                attack = ("print", "replay")[(variant + ids[p.path]) % 2]
                for medium in ("none", attack):
                    jobs.append(Job(split, index, p, ids[p.path], medium, variant))
                    index += 1
    return jobs


def render_all(items, out: Path, variants: dict[str, int], seed: int, workers: int) -> None:
    """Renders everything; ``manifest.csv`` appears last, so a folder without it is not whole."""
    out.mkdir(parents=True, exist_ok=True)
    manifest = out / "manifest.csv"
    manifest.unlink(missing_ok=True)
    jobs = plan(items, variants)
    for split in portraits.SPLITS:
        count = sum(j.split == split for j in jobs)
        shape = (count, contract.CROP_SIZE, contract.CROP_SIZE, 3)
        np.lib.format.open_memmap(out / f"{split}.npy", mode="w+", dtype=np.uint8, shape=shape).flush()
    digests = _run(jobs, out, seed, workers)
    partial = manifest.with_suffix(".partial")
    with partial.open("w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(FIELDS)
        for job, digest in zip(jobs, digests):
            label = 1 if job.medium == "none" else 0
            words = " ".join(map(str, job.seed(seed)))
            writer.writerow([job.split, job.index, job.portrait.path.name, job.portrait.grid, job.medium, label, words, digest])
    partial.rename(manifest)


def _run(jobs: list[Job], out: Path, seed: int, workers: int) -> list[str]:
    bar = progress.Progress("render", len(jobs))
    digests = []
    with multiprocessing.get_context("spawn").Pool(workers, _start, (str(out), seed)) as pool:
        for digest in pool.imap(_one, jobs, chunksize=16):
            digests.append(digest)
            bar.step()
    return digests


_files: dict[str, np.ndarray] = {}  # per worker process
_seed = 0


def _start(out: str, seed: int) -> None:
    global _seed
    cv2.setNumThreads(1)
    _seed = seed
    for split in portraits.SPLITS:
        _files[split] = np.load(Path(out) / f"{split}.npy", mmap_mode="r+")


def _one(job: Job) -> str:
    crop = crops.render(job.portrait.load(), job.portrait.box, job.medium, job.seed(_seed))
    _files[job.split][job.index] = crop
    return hashlib.sha256(crop.tobytes()).hexdigest()


def manifest_rows(folder: Path) -> list[dict[str, str]]:
    path = folder / "manifest.csv"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: run `python3 -m liveproof_training render --out {folder}` first")
    with path.open(newline="") as f:
        return list(csv.DictReader(f))
