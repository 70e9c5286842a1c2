"""Command: study."""

from __future__ import annotations

import os
from pathlib import Path

from . import settings
from .common import command

DETAIL = """ablation: full, w/o LE, w/o PE, w/o both and BCE on each leave-one-out target. levels: K = 2, 5, 10, 17 (K = 10 and the baseline are
the ablation's runs when OUT is the same). ingredients: trained on DATA/without-NAME, tested on DATA/all. One run after the other; a second
call skips finished runs and repeats the interrupted one. Writes NAME.csv, NAME.md and plots into OUT. The defaults are the paper's long
training; small machines shorten it: --steps, --size, --precision bf16, --frames-per-video, --norm-images."""


def _study(args) -> None:
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # as for train; before torch is loaded
    from ..studies import study, study_report

    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    given = settings.given(args)
    if args.budget_minutes_per_run:
        given["budget_minutes"] = args.budget_minutes_per_run
    seeds = [int(s) for s in args.seeds.split(",")]
    jobs = study.ingredients(Path(args.data), seeds, given) if args.study == "ingredients" else _leave_one_out(args, out, seeds, given)
    results, failed = study.run(jobs, out, args.keep_weights)
    if results:
        print(study_report.write(args.study, results, _baseline(study, args, out, seeds), out))
    if failed:
        raise ValueError(f"{len(failed)} runs failed, the same command tries them again: {'; '.join(failed)}")


def _leave_one_out(args, out: Path, seeds: list[int], given: dict) -> list:
    from ..studies import study

    folders, protocols = _inputs(args, out)
    arms = study.arms_of(args.study, tuple(int(k) for k in args.levels.split(",")))
    wanted = [a for a in args.arms.split(",") if a]
    unknown = sorted(set(wanted) - set(arms))
    if unknown:
        raise ValueError(f"--arms: {unknown[0]} is not one of {', '.join(arms)}")
    arms = {a: v for a, v in arms.items() if not wanted or a in wanted}
    return study.leave_one_out(arms, protocols, folders, seeds, given)


def _inputs(args, out: Path) -> tuple[list[Path], dict[str, Path]]:
    """Folders of packed crops, and target -> protocol.csv."""
    from ..loading import pack
    from ..studies import benchmark

    sources = [Path(args.data) / name for name in benchmark.DATASETS.values()]
    missing = [str(f) for f in sources if not (f / "manifest.csv").is_file()]
    if missing:
        raise FileNotFoundError(f"{missing[0]}/manifest.csv is missing: `liveproof extract --out {missing[0]}` makes it")
    protocols = {}
    for target in args.targets.split(","):
        benchmark.datasets(target)  # names an unknown one
        path = Path(args.protocols or out / "protocols") / f"{target}.csv"
        if not path.is_file():
            benchmark.protocol(target, "split", sources, path)
        protocols[target] = path
    return [pack.pack(f, out / "crops" / f.name, args.frames_per_video) for f in sources], protocols


def _baseline(study, args, out: Path, seeds: list[int]) -> list[dict]:
    """The ablation's runs without patch exchange and label encoding, for the line in the plot over K; none, none."""
    import json

    paths = [out / "runs" / t / "no-pe-le" / str(s) / "result.json" for t in args.targets.split(",") for s in seeds]
    return [json.loads(p.read_text()) for p in paths if p.is_file()]


def add(sub) -> None:
    p = command(sub, "study", _study, "Compare arms over targets and seeds: the ablation, the levels K, the renderer's ingredients", DETAIL)
    p.add_argument("study", choices=("ablation", "levels", "ingredients"), help="which")
    p.add_argument("--data", required=True, help="folder with oulu/ casia/ replay/ msu/ as extracted; for ingredients with all/ and without-NAME/")
    p.add_argument("--out", required=True, help="folder for runs, tables and plots")
    p.add_argument("--seeds", default="1,2,3", help="comma-separated")
    p.add_argument("--targets", default="OCI-M,OMI-C,OCM-I,ICM-O", help="leave-one-out settings, comma-separated")
    p.add_argument("--arms", default="", help="only these, comma-separated, empty: all")
    p.add_argument("--levels", default="2,5,10,17", help="K of the levels study")
    p.add_argument("--protocols", default="", help="folder with TARGET.csv, empty: made by bin/liveproof in OUT/protocols")
    p.add_argument("--frames-per-video", type=int, default=0, help="crops kept of each video, in training and scoring, 0: all")
    p.add_argument("--budget-minutes-per-run", type=float, default=0.0, help="ends a run's training by then (not repeatable to the bit), 0: no limit")
    p.add_argument("--keep-weights", action="store_true", help="leave each run's final.pt, 45 MB and more")
    settings.add(p, skip=("seed", "arm", "k", "head", "loss", "label_encoding", "budget_minutes", "checkpoint_minutes", "checkpoint_every", "tensorboard"))
