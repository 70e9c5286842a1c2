"""Commands: adapt, adapt-curve."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from liveproof_base.commandline import add_detector, command, shared_folder

from ..adaptation.tune import TuneSettings
from ..contract import CROP_SIZE
from ..export.onnxfiles import PRECISIONS
from . import flags

START = Path(__file__).resolve().parents[3] / "models" / "liveproof-demo-mobilenetv2-int8.onnx"  # the default of the server
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")

ADAPT = """The table lists pictures and clips as for `liveproof evaluate --csv`: filename, attack_type (empty: bona fide), and, if
known, series (or subject: files of one person or capture share a name) and set (train, dev, eval). One of --parts parts of the
series is held out, chooses the threshold and is reported on, unless the table names a set dev. Writes NAME-PRECISION.onnx, which
LIVEPROOF_SCORER_MODEL=OUT/NAME-int8.onnx makes the server's, final.pt, report.md, scores.svg, scores.csv and skipped.txt.
docs/adapt.md has an example."""

CURVE = """Cross-validation over whole series: every fold is scored by models fitted to some pictures of the other folds. The weights are
thrown away. Writes curve.csv, curve.md, curve.svg."""


def _adapt(args) -> None:
    from ..adaptation import whole

    print(f"report: {whole.adapt(_plan(args))}")


def _plan(args):
    from ..adaptation import whole

    if not NAME.fullmatch(args.name):
        raise ValueError(f"--name {args.name!r}: letters, digits, points, hyphens and underscores, as it becomes the name of files")
    if not 0 < args.bpcer < 1:
        raise ValueError(f"--bpcer {args.bpcer}: a share between 0 and 1")
    return whole.Plan(
        csv=Path(args.csv),
        root=_root(args),
        out=Path(args.out),
        start=Path(args.start),
        detector=Path(args.detector),
        portraits=_portraits(args),
        name=args.name,
        description=args.description.strip() or f"the pictures of {Path(args.csv).name}, on top of {Path(args.start).name}",
        precisions=_precisions(args.precisions),
        bpcer=args.bpcer,
        parts=_at_least("--parts", args.parts, 2),
        per_clip=_at_least("--per-clip", args.per_clip, 1),
        force=args.force,
        settings=_settings(args),
    )


def _curve(args) -> None:
    from ..adaptation import curve

    counts = _counts(args.counts)
    curve.write(curve.run(_study(args), counts), Path(args.out))


def _study(args):
    """Refuses what it can before anything is computed."""
    import numpy as np

    from liveproof_base.detector import RetinaFace

    from ..adaptation import curve, heldout, listing, own, start, tune

    settings, folds, portraits = _settings(args), _at_least("--folds", args.folds, 2), _portraits(args)
    entries = listing.read(Path(args.csv), _root(args)).entries
    curve.chosen(entries, args.subset)
    begun = start.load(Path(args.start))
    found, skipped = own.extract(entries, RetinaFace(Path(args.detector)), _at_least("--per-clip", args.per_clip, 1))
    print(f"{len(found)} crops; {len(skipped)} files gave none", flush=True)
    heldout.deal(found.labels, found.series, folds, settings.seed)
    print(f"start: {start.prepare(begun, found.images[found.labels == 1])}", flush=True)
    wanted = portraits is not None and settings.simulated > 0
    pool = tune.pool(portraits, "train", settings.simulated_pairs, settings.seed) if wanted else None
    return curve.Study(found, begun, pool, folds, np.array(curve.chosen(found.entries, args.subset)), settings)


def _root(args) -> Path:
    return Path(args.root) if args.root else Path(args.csv).parent


def _settings(args) -> TuneSettings:
    settings = flags.read_own(args, TuneSettings)
    if settings.size % 32:
        raise ValueError(f"--size {settings.size}: a multiple of 32, up to {CROP_SIZE - 32}")
    return settings


def _portraits(args) -> Path | None:
    """None where there are none; a folder that was asked for must have them."""
    folder = Path(args.portraits) if args.portraits else Path(shared_folder()) / "faces" if shared_folder() else None
    if folder is not None and not (folder / "faces.csv").is_file():
        if args.portraits:
            raise FileNotFoundError(f"--portraits {folder}: has no faces.csv")
        return None
    return folder


def _precisions(words: str) -> tuple[str, ...]:
    chosen = tuple(word.strip() for word in words.split(","))
    if unknown := sorted(set(chosen) - set(PRECISIONS)):
        raise ValueError(f"--precisions: {', '.join(unknown)}; there are {', '.join(PRECISIONS)}")
    return chosen


def _counts(words: str) -> list[int]:
    try:
        counts = sorted({int(word) for word in words.split(",")})
    except ValueError:
        raise ValueError(f"--counts {words}: numbers with commas, such as 50,100,150") from None
    _at_least("--counts", counts[0], 2)
    return counts


def _at_least(flag: str, value: int, least: int) -> int:
    if value < least:
        raise ValueError(f"{flag} {value}: at least {least}")
    return value


def add(sub) -> None:
    p = command(sub, "adapt", _adapt, "Fit a shipped model to your own pictures and clips, and report before and after", ADAPT)
    _add_shared(p, 5)
    p.add_argument("--name", default="my-liveproof", help="of the model, in its metadata and its files' names")
    p.add_argument("--description", default="", help="of what it was trained on, for the metadata; empty: the names of table and start")
    p.add_argument("--precisions", default="int8,fp16", help=f"files to write, of {', '.join(PRECISIONS)}; the first is reported on")
    p.add_argument(
        "--bpcer", type=float, default=0.1, help="the threshold is the largest that rejects at most this share of held-out bona fide crops"
    )
    p.add_argument("--parts", type=int, default=4, help="the series are dealt into so many parts, of which one is held out")
    p.add_argument("--force", action="store_true", help="write files that are beyond the limits of parity, too")
    flags.add_own(p, "fine-tuning", TuneSettings)
    c = command(sub, "adapt-curve", _curve, "What 50, 100, 150 own pictures are worth, by cross-validation", CURVE)
    _add_shared(c, 1)
    c.add_argument("--counts", default="50,100,150", help="numbers of pictures, half of each class")
    c.add_argument("--folds", type=int, default=5, help="parts of the series, each scored by models that did not see it")
    c.add_argument("--subset", default="", metavar="COLUMN=VALUE", help="tell the AUC of these files, too")
    flags.add_own(c, "fine-tuning", TuneSettings)


def _add_shared(p: argparse.ArgumentParser, per_clip: int) -> None:
    p.add_argument("--csv", required=True, help="table of your files")
    p.add_argument("--root", default="", help="folder of the files; empty: the table's")
    p.add_argument("--out", required=True, help="folder for what is written")
    p.add_argument("--start", default=str(START), help="model to begin from: an exported .onnx file or a checkpoint (.pt)")
    p.add_argument("--portraits", default="", help="folder with faces.csv for simulated pairs; empty: $LIVEPROOF_SHARED/faces, else none")
    p.add_argument("--per-clip", type=int, default=per_clip, help="frames taken of each clip, evenly spread")
    add_detector(p, "an error")
