"""Command: study."""

from __future__ import annotations

import json
from pathlib import Path

from liveproof_base.commandline import add_detector, command

from . import flags

DETAIL = """ablation: full, w/o LE, w/o PE, w/o both and BCE on each leave-one-out target. levels: K = 2, 5, 10, 17 (K = 10 and the baseline are
the ablation's runs when OUT is the same). ingredients: trained on DATA/without-NAME, tested on DATA/all. pairs: the ablation on what
`simulate` wrote into DATA, exchanged in pairs as train-simulated does (--batch pairs a step), pictures scaled to --size. options: on such
pairs the full method, and four times the full method with one change: --families worst; --adversary on (domains: families of attacks); crops
at margin 1.6; crops at both margins, the mean of their features. One run after the other; a second call skips finished runs and repeats the
interrupted one. Writes NAME.csv, NAME.md and plots into OUT. The defaults are the paper's long training; small machines shorten it: --steps,
--size, --precision bf16, --frames-per-video, --norm-images."""

# Flags of `train` that make no sense here: arms decide, and a study keeps scores, not checkpoints.
NOT_HERE = ("seed", "arm", "k", "head", "loss", "label_encoding", "budget_minutes", "checkpoint_minutes", "checkpoint_every", "tensorboard")


def _study(args) -> None:
    from ..studies import comparison, runs

    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    given = flags.of_step(args)
    if args.budget_minutes_per_run:
        given["budget_minutes"] = args.budget_minutes_per_run
    seeds = [int(s) for s in args.seeds.split(",")]
    if args.study in ("pairs", "options"):
        results, failed = _pairs(args, out, seeds, given)
    else:
        jobs = runs.ingredients(Path(args.data), seeds, given) if args.study == "ingredients" else _leave_one_out(args, out, seeds, given)
        results, failed = runs.run(jobs, out, args.keep_weights)
    if results:
        print(comparison.write(args.study, results, _baseline(out, results), out))
    if failed:
        raise ValueError(f"{len(failed)} runs failed, the same command tries them again: {'; '.join(failed)}")


def _pairs(args, out: Path, seeds: list[int], given: dict) -> tuple[list[dict], list[str]]:
    from ..config import TrainConfig
    from ..studies import pairs, runs

    if args.study == "options" and (set_by_arms := runs.decided(runs.OPTIONS) & given.keys()):
        raise ValueError(f"--{min(set_by_arms)}: the arms of options set it; leave it out")
    size = given.pop("size", TrainConfig().crops.size)
    wide = Path(args.wide) if args.wide else None
    study = pairs.Study(Path(args.data), args.leave_out, args.own_prob, size, lambda margins: _other_tests(args, size, margins), wide)
    results, failed = runs.run(study.jobs(_arms(args), seeds, given), out, args.keep_weights, study.train)
    if other := [r for r in results if r["own_prob"] != args.own_prob]:
        raise ValueError(f"{out}: its runs were made with --own-prob {other[0]['own_prob']}: take another --out")
    return pairs.rows(results), failed


def _other_tests(args, size: int, margins: tuple[float, ...]) -> list:
    from liveproof_base import crop

    from ..studies import pairs

    found = [pairs.of_stills(Path(args.stills), size)] if args.stills and margins == (crop.MARGIN,) else []
    if args.pictures:
        from liveproof_base.detector import RetinaFace

        from ..evaluation import realpictures

        detector = RetinaFace(Path(args.detector))
        found.append(pairs.of_real([realpictures.read(Path(args.pictures), detector, margin=margin) for margin in margins], size))
    return found


def _leave_one_out(args, out: Path, seeds: list[int], given: dict) -> list:
    from ..studies import runs

    folders, protocols = _inputs(args, out)
    return runs.leave_one_out(_arms(args), protocols, folders, seeds, given)


def _arms(args) -> dict[str, dict]:
    from ..studies import runs

    arms = runs.arms_of(args.study, tuple(int(k) for k in args.levels.split(",")))
    wanted = [a for a in args.arms.split(",") if a]
    unknown = sorted(set(wanted) - set(arms))
    if unknown:
        raise ValueError(f"--arms: {unknown[0]} is not one of {', '.join(arms)}")
    return {a: v for a, v in arms.items() if not wanted or a in wanted}


def _inputs(args, out: Path) -> tuple[list[Path], dict[str, Path]]:
    """Folders of packed crops, and target -> protocol.csv."""
    from ..loading import pack
    from ..studies import goprogram

    listing = goprogram.listing()
    targets = [name for name in args.targets.split(",") if name] or listing.cross()
    sources = [Path(args.data) / name for name in listing.needed(targets)]
    missing = [str(f) for f in sources if not (f / "manifest.csv").is_file()]
    if missing:
        raise FileNotFoundError(f"{missing[0]}/manifest.csv is missing: `liveproof extract --out {missing[0]}` makes it")
    protocols = {}
    for target in targets:
        path = Path(args.protocols or out / "protocols") / f"{target}.csv"
        if not path.is_file():
            goprogram.write_protocol(target, "split", sources, path)
        protocols[target] = path
    return [pack.pack(f, out / "crops" / f.name, args.frames_per_video) for f in sources], protocols


def _baseline(out: Path, results: list[dict]) -> list[dict]:
    """The ablation's runs without patch exchange and label encoding, for the line in the plot over K; none, none."""
    runs = dict.fromkeys((result["target"], str(result["seed"])) for result in results)
    paths = [out / "runs" / target / "no-pe-le" / seed / "result.json" for target, seed in runs]
    return [json.loads(p.read_text()) for p in paths if p.is_file()]


def add(sub) -> None:
    p = command(
        sub,
        "study",
        _study,
        "Compare arms over targets and seeds: the ablation (on simulated pairs, too), options there, the levels K, the renderer's ingredients",
        DETAIL,
    )
    p.add_argument("study", choices=("ablation", "levels", "ingredients", "pairs", "options"), help="which")
    p.add_argument(
        "--data",
        required=True,
        help="folder with a folder of crops per dataset; for ingredients with all/ and without-NAME/; for pairs and options as `simulate` writes it",
    )
    p.add_argument("--out", required=True, help="folder for runs, tables and plots")
    p.add_argument("--seeds", default="1,2,3", help="comma-separated")
    p.add_argument("--targets", default="", help="leave-one-out settings such as OCI-M, comma-separated; empty: all")
    p.add_argument("--arms", default="", help="only these, comma-separated, empty: all")
    p.add_argument("--levels", default="2,5,10,17", help="K of the levels study")
    p.add_argument("--protocols", default="", help="folder with TARGET.csv, empty: made by bin/liveproof in OUT/protocols")
    p.add_argument("--frames-per-video", type=int, default=0, help="crops kept of each video, in training and scoring, 0: all")
    p.add_argument("--budget-minutes-per-run", type=float, default=0.0, help="ends a run's training by then (not repeatable to the bit), 0: no limit")
    p.add_argument("--keep-weights", action="store_true", help="leave each run's final.pt, 45 MB and more")
    _add_pairs(p)
    flags.add(p, (*flags.STEP, *NOT_HERE))


def _add_pairs(p) -> None:
    group = p.add_argument_group("pairs", "What the studies pairs and options train on and are tested on.")
    group.add_argument("--leave-out", default="", choices=("", "print", "cut", "replay"), help="medium that is not trained on, empty: all are")
    group.add_argument("--wide", default="", help="what `simulate --wide` wrote beside --data, for the arms wide and both-margins")
    group.add_argument("--own-prob", type=float, default=1.0, help="share of mixed pictures whose partner shows the same face")
    stills = "also tested on the test crops of this folder, which `liveproof_render crops` wrote, at the contract's margin alone; empty: not"
    group.add_argument("--stills", default="", help=stills)
    group.add_argument("--pictures", default="", help="also tested on real pictures, a folder with labels.csv; empty: not")
    add_detector(group, "an error")
