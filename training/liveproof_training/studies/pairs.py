"""The paper's ablation on simulated pairs, and options of training on them: one pool for all runs, trained on some media and tested on what
training never saw.

Tests of a run, each with the threshold of the pool's dev pairs of the media that it was trained on (realistic): the pool's test pairs of
those media, together and each family of attacks against all live pictures; those of the medium left out; still pictures of the first
renderer; real pictures, which train and choose nothing.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from liveproof_base import crop, whole

from .. import metrics
from ..config import ARMS
from ..evaluation import realpictures
from ..fit import engine
from ..fit.pooled import PoolRun
from ..loading import data
from ..simulation import pairs
from ..simulation.pool import Pool, scaled
from . import runs

SPECIES = ("print", "cut", "replay")
CONTRACT = "contract"
MARGINS = {CONTRACT: (crop.MARGIN,), "wide": (pairs.WIDE,), "both-margins": (crop.MARGIN, pairs.WIDE)}  # of the crops that an arm sees


def crops_of(arm: str) -> str:
    """Which of MARGINS."""
    return arm if arm in MARGINS else CONTRACT


@dataclasses.dataclass
class Pictures:
    """``images`` uint8 [N, C, side, side]; ``groups``: name of a test -> (score of each unit, its label) from the scores [N]."""

    images: torch.Tensor
    groups: dict[str, Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]]


def of_labels(name: str, images: torch.Tensor, labels: np.ndarray) -> Pictures:
    return Pictures(images, {name: lambda rho: (rho, labels)})


def of_pool(pool: Pool) -> Pictures:
    """All pairs, and the attacks of each family, where there are several, against all live pictures."""
    (images, labels), n = pool.crops(), len(pool)
    found = of_labels("seen media", images, labels)
    for name in pool.families if len(pool.families) > 1 else ():
        chosen = np.concatenate([np.ones(n, bool), pool.species == name])
        found.groups[f"seen, {name}"] = lambda rho, chosen=chosen: (rho[chosen], labels[chosen])
    return found


def of_stills(folder: Path, size: int) -> Pictures:
    crops = data.load_split(folder, "test")
    return of_labels("first renderer", scaled(crops.images, size), crops.labels)


def of_real(crops: list[realpictures.Pictures], size: int) -> Pictures:
    """All pictures, those of equal sharpness where they are marked, and the means of series. ``crops``: the same pictures at each margin."""
    pictures = crops[0]
    y, m = pictures.labels, pictures.matched
    groups = {"real": lambda rho: (rho, y), "real, series": lambda rho: realpictures.series_means(rho, pictures)}
    if len(set(y[m].tolist())) == 2:
        groups["real, matched"] = lambda rho: (rho[m], y[m])
    return Pictures(torch.cat([scaled(part.images, size) for part in crops], dim=1), groups)


@dataclasses.dataclass
class Study:
    """What all runs share. ``left_out``: a species, or "" to train on all; ``extra``: margins -> other tests on crops of these, loaded when
    the first run that needs them ends; ``wide``: the folder of the same pairs at the margin WIDE, for the arms that see it."""

    folder: Path
    left_out: str
    own_prob: float
    size: int
    extra: Callable[[tuple[float, ...]], list[Pictures]] = lambda margins: []
    wide: Path | None = None

    def __post_init__(self):
        if self.left_out and self.left_out not in SPECIES:
            raise ValueError(f"leave_out: {self.left_out!r} is not one of {', '.join(SPECIES)}")
        self.parts: dict[tuple[str, str], Pool] = {}
        self.tests: dict[str, list[Pictures]] = {}

    @property
    def target(self) -> str:
        return f"without-{self.left_out}" if self.left_out else "all-media"

    def part(self, split: str, crops: str) -> Pool:
        """A split's pairs at one or both margins."""
        if (split, crops) not in self.parts:
            pools = [Pool.read(folder, split, self.size) for folder in self.folders(crops)]
            self.parts[split, crops] = pools[0] if len(pools) == 1 else pools[0].beside(pools[1])
        return self.parts[split, crops]

    def folders(self, crops: str) -> list[Path]:
        if crops != CONTRACT and self.wide is None:
            raise ValueError("--wide: the arms wide and both-margins need the folder that `simulate --wide` wrote")
        return {CONTRACT: [self.folder], "wide": [self.wide], "both-margins": [self.folder, self.wide]}[crops]

    def seen(self, split: str, crops: str) -> Pool:
        part = self.part(split, crops)
        return part.only(part.species != self.left_out)

    def jobs(self, arms: dict[str, dict], seeds: list[int], settings: dict) -> list[runs.Job]:
        """All arms of a seed, then the next seed's."""
        common = {"adversary": "off", **settings, "size": self.size, "curve": "off"}
        jobs = []
        for seed in seeds:
            for arm, changes in arms.items():
                kept = {name: value for name, value in common.items() if name not in ARMS[changes["arm"]]}  # the arm decides
                kept["data"] = ",".join(map(str, self.folders(crops_of(arm))))
                jobs.append(runs.Job(self.target, arm, seed, {**kept, **changes}, tuple))
        return jobs

    def train(self, job: runs.Job, path: Path, keep_weights: bool) -> dict:
        """A run's result.json; see :func:`runs.run`."""
        crops = crops_of(job.arm)
        if keep_weights and crops != CONTRACT:
            raise ValueError("--keep-weights: a network that sees other crops than the contract's has no file; leave out wide and both-margins")
        shutil.rmtree(path.parent, ignore_errors=True)
        config, start = runs.config_of(job, path.parent), time.monotonic()
        run = PoolRun(config, self.seen("train", crops), self.own_prob)
        run.train()
        if keep_weights:
            run.save("final.pt")
        tests = self.judge(run.rho, crops)
        result = {
            "target": job.target,
            "arm": job.arm,
            "seed": job.seed,
            "steps": run.step,
            "training_seconds": run.elapsed,
            "initial": run.initial.description,
            "revision": run.revision,
            "data_sha256": data.sha256(config),
            "pairs": len(run.pool),
            "own_prob": self.own_prob,
            "settings": config.nested(),
            "rendered": True,
            **next(iter(tests.values())),
            "tests": tests,
        }
        del run
        gc.collect()
        result["seconds"] = time.monotonic() - start
        whole.text(path, json.dumps(result, indent=2) + "\n")
        return result

    def judge(self, rho: Callable[[torch.Tensor], np.ndarray], crops: str) -> dict[str, dict]:
        """test -> its AUC and HTER."""
        images, labels = self.seen("dev", crops).crops()
        threshold = _point(rho(images), labels).threshold
        return {
            name: _figures(*group(scores), threshold)
            for part in self._tests(crops)
            for scores in [rho(part.images)]
            for name, group in part.groups.items()
        }

    def _tests(self, crops: str) -> list[Pictures]:
        if crops not in self.tests:
            own = [of_pool(self.seen("test", crops))]
            if self.left_out:
                part = self.part("test", crops)
                own.append(of_labels(f"{self.left_out}, left out", *part.only(part.species == self.left_out).crops()))
            self.tests[crops] = own + self.extra(MARGINS[crops])
        return self.tests[crops]


def _point(rho: np.ndarray, labels: np.ndarray) -> metrics.Point:
    if not np.isfinite(rho).all():
        raise engine.NonFiniteLoss("scores are not finite")
    return metrics.eer_point(rho[labels == 1], rho[labels == 0])


def _figures(rho: np.ndarray, labels: np.ndarray, threshold: float) -> dict:
    bona_fide, attacks = rho[labels == 1], rho[labels == 0]
    return {
        "auc": metrics.auc(bona_fide, attacks),
        "hter_idealised": _point(rho, labels).hter,
        "hter_realistic": metrics.at(bona_fide, attacks, threshold).hter,
        "bona_fide": len(bona_fide),
        "attacks": len(attacks),
    }


def rows(results: list[dict]) -> list[dict]:
    """A row a test, in the form that the tables and plots of :mod:`.comparison` read: a test is a target."""
    return [{**result, **figures, "target": name} for result in results for name, figures in result["tests"].items()]
