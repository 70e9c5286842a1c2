"""Many small training runs, one after the other, compared: the paper's ablation, its levels K, the renderer's ingredients.

OUT/runs/TARGET/ARM/SEED/result.json    a finished run; a run without it starts anew
OUT/NAME.csv, NAME.md, NAME-*.png       all runs; mean ± std; plots (comparison)
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

from liveproof_base import manifest, whole

from ..config import ARMS, TrainConfig, differences
from ..evaluation import judge, scoring, videos
from ..fit import engine
from ..fit.train import Run
from ..loading import data
from ..method.pdle import ExchangeSettings

LEVELS = (2, 5, 10, 17)
FULL = "full"
# What can be added to the full method on simulated pairs.
OPTIONS = {
    FULL: {},
    "worst-family": {"families": "worst"},
    "family-adversary": {"adversary": "on"},
    "wide": {},
    "both-margins": {},
}


def decided(arms: dict[str, dict]) -> set[str]:
    """The settings that any of the arms sets."""
    return set().union(*arms.values())


@dataclasses.dataclass(frozen=True)
class Job:
    target: str  # protocol, or "rendered"
    arm: str
    seed: int
    settings: dict  # of TrainConfig, with data and protocol
    test: Callable[[], tuple]  # () -> (crops, uses or None) of the test role

    @property
    def name(self) -> str:
        return f"{self.target} {self.arm} seed {self.seed}"


def level_arm(k: int) -> str:
    """The name of the full method with K levels; K = 10 is the ablation's "full", so that its runs are shared."""
    return FULL if k == ExchangeSettings.k else f"k{k}"


def arms_of(study: str, levels: tuple[int, ...] = LEVELS) -> dict[str, dict]:
    """arm -> what it sets."""
    if study in ("ablation", "pairs"):
        return {arm: {"arm": arm} for arm in ARMS}
    if study == "options":
        return {arm: {"arm": FULL, **changes} for arm, changes in OPTIONS.items()}
    return {level_arm(k): {"arm": FULL, "k": k} for k in levels}


def leave_one_out(arms: dict[str, dict], protocols: dict[str, Path], folders: list[Path], seeds: list[int], settings: dict) -> list[Job]:
    """A job for each target, seed and arm; the arms of one target and seed follow one another, so that a table fills evenly."""
    where = ",".join(map(str, folders))
    jobs = []
    for seed in seeds:
        for target, path in protocols.items():
            test = _cached(lambda path=path: (data.load_role(folders, path, "test"), manifest.read_protocol(path)))
            for arm, changes in arms.items():
                kept = {name: value for name, value in settings.items() if name not in ARMS[changes["arm"]]}  # the arm decides
                jobs.append(Job(target, arm, seed, {**kept, **changes, "data": where, "protocol": str(path)}, test))
    return jobs


def ingredients(root: Path, seeds: list[int], settings: dict) -> list[Job]:
    """Train and choose thresholds without an ingredient, test with all: ROOT/all and ROOT/without-NAME, rendered with one seed."""
    folders = {"all": root / "all"} | {p.name: p for p in sorted(root.glob("without-*")) if (p / "manifest.csv").is_file()}
    if len(folders) < 2 or not (folders["all"] / "manifest.csv").is_file():
        raise ValueError(f"{root}: needs all/ and at least one without-NAME/, each made by `render --out`, the latter with --without NAME")
    test = _cached(lambda: (data.load_split(folders["all"], "test"), None))
    return [Job("rendered", arm, seed, {**settings, "data": str(folder)}, test) for seed in seeds for arm, folder in folders.items()]


def _cached(load):
    """One copy of a test set's tables for all runs; its pictures stay on disk, in the system's cache."""
    kept = []

    def once():
        if not kept:
            kept.append(load())
        return kept[0]

    return once


class StudyRun(Run):
    """A run that ends with its weights in memory: a study keeps scores, not checkpoints."""

    kept: dict | None = None  # weights of the best evaluation

    def _save(self, name: str, extra: dict) -> None:
        if name == "best.pt":
            self.kept = {key: value.detach().clone() for key, value in self.net.state_dict().items()}

    def _finish(self) -> dict:
        if self.kept is not None:
            self.net.load_state_dict(self.kept)
        if self.journal:
            self.journal.close()
        return {"steps": self.step, "seconds": self.seconds()}


def run(jobs: list[Job], out: Path, keep_weights: bool = False, train: Callable | None = None) -> tuple[list[dict], list[str]]:
    """Results of all jobs, finished ones read from disk; and the names of those that failed, to be tried again by the next call.
    ``train``: (job, path of its result.json, keep_weights) -> result; a :class:`StudyRun` where none is given."""
    results, failed, start, trained = [], [], time.monotonic(), 0
    waiting = sum(not _result(out, job).is_file() for job in jobs)
    for number, job in enumerate(jobs, start=1):
        path = _result(out, job)
        if path.is_file():
            results.append(_same(json.loads(path.read_text()), job, path))
            continue
        try:
            results.append((train or _train)(job, path, keep_weights))
        except engine.NonFiniteLoss as error:
            failed.append(job.name)
            print(f"{number}/{len(jobs)}  {job.name}: {error}", flush=True)
            continue
        finally:
            trained += 1
        left = (time.monotonic() - start) / trained * (waiting - trained)
        print(f"{number}/{len(jobs)}  {_line(job, results[-1])}  {left / 60:.1f} min left", flush=True)
    return results, failed


def _result(out: Path, job: Job) -> Path:
    return out / "runs" / job.target / job.arm / str(job.seed) / "result.json"


def _line(job: Job, result: dict) -> str:
    realistic = f"{100 * result['hter_realistic']:.1f}" if result["hter_realistic"] is not None else "–"
    return (
        f"{job.name}: AUC {100 * result['auc']:.1f}, HTER {100 * result['hter_idealised']:.1f} idealised, "
        f"{realistic} realistic; {result['steps']} steps, {result['seconds']:.0f} s"
    )


def _same(result: dict, job: Job, path: Path) -> dict:
    config = config_of(job, path.parent)
    changed = differences(result["settings"], config.nested())
    if result["data_sha256"] != data.sha256(config):
        changed = "other crops, or another number a video"
    if changed:
        raise ValueError(f"{path} was made with other settings ({changed}): take another --out, or delete its folder")
    return result


def config_of(job: Job, folder: Path) -> TrainConfig:
    """No checkpoint before the end, which is seconds away, and no evaluation that nothing asks for."""
    quiet = {"checkpoint_minutes": 1e9, "tensorboard": "off"}
    if job.settings.get("keep") != "best" and not job.settings.get("patience"):
        quiet["eval_every"] = 10**9
    return TrainConfig.from_dict({**quiet, **job.settings, "seed": job.seed, "out": str(folder)})


def _train(job: Job, path: Path, keep_weights: bool) -> dict:
    shutil.rmtree(path.parent, ignore_errors=True)
    config = config_of(job, path.parent)
    start = time.monotonic()
    trainer = (Run if keep_weights else StudyRun)(config)
    told = trainer.train()
    result = {
        "target": job.target,
        "arm": job.arm,
        "seed": job.seed,
        "steps": trainer.step,
        "training_seconds": trainer.seconds(),
        "initial": trainer.initial.description,
        "revision": trainer.revision,
        "data_sha256": trainer.data_sha256,
        "settings": config.nested(),
        **_judge(job, trainer, config),
    }
    del trainer, told
    gc.collect()
    result["seconds"] = time.monotonic() - start
    whole.text(path, json.dumps(result, indent=2) + "\n")
    return result


def _judge(job: Job, trainer: Run, config: TrainConfig) -> dict:
    """Scores of dev and test in the run's own precision, a score a video."""
    crops, uses = job.test()
    parts = []
    for role, some in (("dev", trainer.dev_crops), ("test", crops)):
        rho = engine.scores(trainer.net, some.images, config, trainer.device)
        if not np.isfinite(rho).all():
            raise engine.NonFiniteLoss(f"{role} scores are not finite")
        parts.append(videos.of_protocol(uses, role, some, rho) if uses else videos.of_crops(role, some, rho))
    judged = judge.judge(*parts)
    realistic = judged["realistic"]
    rendered = scoring.is_rendered(data.folders(config), parts[1])
    return {
        "rendered": rendered,
        "auc": judged["test"]["auc"],
        "hter_idealised": judged["idealised"]["hter"],
        "hter_realistic": realistic["hter"] if realistic else None,
        "judged": judged,
    }
