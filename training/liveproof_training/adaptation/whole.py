"""From the user's table to a model of their own and a report, in one go.

OUT/NAME-PRECISION.onnx    what the scorer loads; NAME-parity.json: how far each is from PyTorch
OUT/final.pt               the checkpoint: a start for the next time
OUT/report.md              before and after, with scores.svg, report.json and scores.csv
OUT/skipped.txt            files that gave no crop
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from liveproof_base.detector import RetinaFace

from .. import metrics
from ..evaluation import scoring
from ..evaluation.videos import table
from ..export import onnxfiles
from ..export.threshold import Rule
from ..fit import checkpoint
from ..fit.train import revision
from ..simulation import pairs
from . import beforeafter, heldout, judged, listing, own, start, tune

KEPT_SEED = 7_000_003  # of the pairs that are scored before and after
FEW = 50  # files below which a warning is printed


@dataclasses.dataclass
class Plan:
    """What `adapt` was asked for."""

    csv: Path
    root: Path
    out: Path
    start: Path
    detector: Path
    portraits: Path | None
    name: str
    description: str
    precisions: tuple[str, ...]
    bpcer: float
    parts: int
    per_clip: int
    force: bool
    settings: tune.TuneSettings


@dataclasses.dataclass
class Pictures:
    """All crops with their roles."""

    own: own.Own
    roles: np.ndarray
    skipped: list[own.Skipped]
    grouped: bool

    def of(self, role: str) -> own.Own:
        return self.own.only(self.roles == role)


def adapt(plan: Plan) -> Path:
    """Returns OUT/report.md. Raises ValueError, FileNotFoundError for what the user can mend."""
    if (plan.out / "final.pt").exists():
        raise ValueError(f"{plan.out} holds an adapted model already: take another --out")
    found = read(plan)
    begun = start.load(plan.start)
    train = found.of("train")
    loaded = start.prepare(begun, train.images[train.labels == 1])
    print(f"start: {begun.path.name}, {loaded}", flush=True)
    pool, kept = simulated(plan)
    scores = [begun.rho(kept[0])] if kept else []
    config = tune.config(begun.config, plan.settings)
    plan.out.mkdir(parents=True, exist_ok=True)
    own.write_skipped(found.skipped, plan.out / "skipped.txt")
    tune.tune(begun.net, tune.Batches(train, pool, begun.net.k, plan.settings), config)
    scores += [begun.rho(kept[0])] if kept else []
    files = export(plan, found, begun, config)
    forgotten = dict(zip(("before", "after"), (_auc(rho, kept[1]) for rho in scores)))
    return report(plan, found, files, f"{begun.describe()}, {loaded}", forgotten)


def read(plan: Plan) -> Pictures:
    """The table's files as crops, and which are trained on, choose the threshold, are measured."""
    listed = listing.read(plan.csv, plan.root)
    found, skipped = own.extract(listed.entries, RetinaFace(plan.detector), plan.per_clip)
    for line in [s.line() for s in skipped[: beforeafter.LISTED]]:
        print(f"no crop: {line}", flush=True)
    print(f"{len(listed.entries)} files: {len(found)} crops of {len(found.files())}; {len(skipped)} gave none", flush=True)
    if len(found.files()) < FEW:
        print(f"warning: {len(found.files())} files with a face are few; from about {FEW} on the figures begin to mean something", flush=True)
    roles = heldout.roles(found.labels, found.series, found.sets, plan.parts, plan.settings.seed)
    return Pictures(found, roles, skipped, listed.grouped)


def simulated(plan: Plan) -> tuple[pairs.Pairs | None, tuple[np.ndarray, np.ndarray] | None]:
    """(pairs to train on, (crops, labels) to see what was forgotten); None without portraits or where none are wanted."""
    chosen = plan.settings
    if plan.portraits is None or chosen.simulated == 0:
        print("no simulated pairs: " + ("--simulated is 0" if plan.portraits else "no portraits (--portraits, or LIVEPROOF_SHARED)"), flush=True)
        return None, None
    pool = tune.pool(plan.portraits, "train", chosen.simulated_pairs, chosen.seed)
    if not chosen.kept_pairs:
        return pool, None
    drawn = tune.pool(plan.portraits, "dev", chosen.kept_pairs, KEPT_SEED)
    crops = np.concatenate([x.permute(0, 2, 3, 1).numpy() for x in (drawn.live, drawn.attack)])
    return pool, (crops, np.repeat([1, 0], chosen.kept_pairs))


def _auc(rho: np.ndarray, labels: np.ndarray) -> float:
    return metrics.auc(rho[labels == 1], rho[labels == 0])


def export(plan: Plan, found: Pictures, begun: start.Start, config) -> dict[str, Path]:
    """final.pt, and a file in each precision with a threshold of its own; precision -> file."""
    train, dev = found.of("train"), found.of("dev")
    rho = begun.rho(dev.images)
    chosen = {"threshold": beforeafter.threshold(rho, dev.labels, plan.bpcer), "auc": _auc(rho, dev.labels)}
    extra = {"dev": chosen, "initial": begun.describe(), "revision": revision(), "data_sha256": train.sha256()}
    checkpoint.save(plan.out / "final.pt", begun.net, config, plan.settings.steps, extra)
    held = f"bona fide crops of {len(np.unique(dev.series))} series that trained nothing"
    rule = f"largest threshold that rejects at most {100 * plan.bpcer:g} % of the {held}"
    sources = onnxfiles.Sources(plan.name, plan.description, rule, demo=False)
    crops = {"train": train.crops(), "dev": dev.crops()}
    options = onnxfiles.Options(plan.precisions, force=plan.force, rule=Rule(plan.bpcer), crops=crops)
    return onnxfiles.export_all(plan.out / "final.pt", None, plan.out, sources, options)


def report(plan: Plan, found: Pictures, files: dict[str, Path], begun: str, kept: dict[str, float]) -> Path:
    """By the first exported file, which is what will be run."""
    measured = "eval" if (found.roles == "eval").any() else "dev"
    shown, dev = found.of(measured), found.of("dev")
    before, after = scoring.Model(plan.start), scoring.Model(files[plan.precisions[0]])
    told = [judged.of_files(shown, model.rho(shown.images)) for model in (before, after)]
    rule = beforeafter.threshold(before.rho(dev.images), dev.labels, plan.bpcer)
    body = beforeafter.Report(
        title=f"{plan.name}: before and after",
        start=begun,
        counts={role: beforeafter.counts(found.of(role)) for role in ("train", "dev", "eval") if (found.roles == role).any()},
        judgements=beforeafter.judgements(*told, before.threshold, rule, after.threshold),
        attacks=judged.by_attack(told[1], after.threshold),
        measured=measured,
        nuisance=beforeafter.probe(found.of("train"), shown),
        kept=kept,
        skipped=found.skipped,
        settings=dataclasses.asdict(plan.settings) | {"bpcer": plan.bpcer, "parts": plan.parts, "per_clip": plan.per_clip},
        files=[path.name for path in files.values()],
        warnings=[],
    )
    body.warnings = beforeafter.warnings(body, found.grouped)
    write_scores(plan.out / "scores.csv", *told)
    print("\n".join(["", *beforeafter.table(body), "", *(f"! {text}" for text in body.warnings)]), flush=True)
    return beforeafter.write(body, *told, plan.out)


def write_scores(path: Path, before: judged.Scores, after: judged.Scores) -> None:
    columns = zip(before.names, before.series, before.attacks, before.rho, after.rho)
    lines = ([name, series, attack, f"{a:.6f}", f"{b:.6f}"] for name, series, attack, a, b in columns)
    table(path, ("filename", "series", "attack_type", "before", "after"), lines)
