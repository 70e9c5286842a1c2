"""Commands: export, threshold, unpack, golden, speed, testmodels."""

from __future__ import annotations

import json
from pathlib import Path

from liveproof_base import whole
from liveproof_base.commandline import add_detector, command

EXPORT = """Writes OUT/NAME-PRECISION.onnx under docs/model-contract.md and OUT/NAME-parity.json: largest and mean difference of rho from
PyTorch on the dev crops, AUC and its loss, equal error rate and threshold of each file. Writes nothing and fails when a
file is beyond the limits (fp32 1e-4, fp16 2e-3 for any crop; int8 0.5 points of AUC), unless --force is given."""
AGAIN = """Writes another threshold into an exported file, by the rule of `export --bpcer` and the file's own scores on the dev crops of --data:
where there are more of them than at its export, or other real pictures. Weights and scores stay; its SHA-256 changes. NAME-parity.json and
manifest.json beside it are changed along; afterwards, for committed models: go test ./models -run CatalogueEqualsCommittedFiles -update"""
UNPACK = """The first of three steps to a threshold by crops of usable quality. The second, which this command prints, is `liveproof evaluate`: crops
that a session would not score (blurred, hazy, overexposed and others) get a reason in RESULTS/scores-eval.csv. The third is `threshold
--dev-reasons RESULTS/scores-eval.csv`. Each crop comes into the middle of a grey picture of 640 by 480 pixels, so that the product's detector
finds its face; where it finds none, the crop counts."""
RULE = "the largest threshold that rejects at most this share of the dev crops' bona fide"
DEMO_DATA = "crops rendered from portraits: bona fide, print, cut-out, screen replay"
DEMO_THRESHOLD = "equal error rate on rendered dev crops (held-out source grids)"


def _export(args) -> None:
    from ..export import golden, onnxfiles

    path, out = Path(args.checkpoint), Path(args.out)
    name = args.name or f"liveproof-demo-{_encoder(path)}"
    sources = _sources(args, name)
    options = onnxfiles.Options(tuple(args.precisions.split(",")), args.calibration, args.half_arithmetic, args.force, _rule(args))
    unknown = set(options.precisions) - set(onnxfiles.PRECISIONS)
    if unknown:
        raise ValueError(f"--precisions: {', '.join(sorted(unknown))}; there are {', '.join(onnxfiles.PRECISIONS)}")
    files = onnxfiles.export_all(path, Path(args.data) if args.data else None, out, sources, options)
    print((out / f"{name}-parity.json").read_text(), end="")
    for file in files.values():
        print(file)
    if args.golden:
        print(*golden.write(out, Path(args.data) if args.data else None, {name: path}), sep="\n")


def _rule(args):
    """None: the equal error rate."""
    from ..export.threshold import Rule

    if not args.bpcer:
        if args.pictures:
            raise ValueError("--pictures: they set the threshold by --bpcer, which is missing")
        return None
    if args.reasons and not args.pictures:
        raise ValueError("--reasons: they are of --pictures, which is missing")
    if not args.pictures:
        return Rule(args.bpcer)
    from liveproof_base.detector import RetinaFace

    from ..evaluation import realpictures

    refused = realpictures.refused(Path(args.reasons)) if args.reasons else frozenset()
    found = realpictures.read(Path(args.pictures), RetinaFace(Path(args.detector)), refused)
    return Rule(args.bpcer, found.images[found.labels == 1])


def _threshold(args) -> None:
    from ..evaluation import usable
    from ..export import golden, threshold
    from ..loading import data

    file = Path(args.model)
    if not 0 < args.bpcer < 1:
        raise ValueError(f"--bpcer {args.bpcer}: a share between 0 and 1")
    if not file.is_file():
        raise FileNotFoundError(f"--model {file}: no such file; `export` writes NAME-PRECISION.onnx")
    dev = data.load_split(Path(args.data), "dev")
    kept = usable.kept(dev, Path(args.dev_reasons)) if args.dev_reasons else None
    print(f"{threshold.again(file, dev, _rule(args), args.threshold_source, kept):.6f}")
    if (file.parent / "manifest.json").is_file():
        print(golden.manifest(file.parent))


def _unpack(args) -> None:
    from ..evaluation import usable
    from ..loading import data

    out = Path(args.out)
    count = usable.write(data.load_split(Path(args.data), args.split), out)
    print(f"{count} pictures; now: liveproof evaluate --csv {out / 'labels.csv'} --root {out} --column subject=series --out RESULTS")


def _sources(args, name: str):
    """What the file says of its origin; only the demo's own recipe may be left unsaid."""
    from ..export import onnxfiles

    said = bool(args.training_data) + bool(args.threshold_source)
    if said == 1 or args.licensed and not said:
        raise ValueError("--training-data and --threshold-source: say both, they go into the file")
    words = (args.training_data, args.threshold_source) if said else (DEMO_DATA, DEMO_THRESHOLD)
    return onnxfiles.Sources(name, *words, demo=not args.licensed)


def _encoder(path: Path) -> str:
    from ..fit import checkpoint

    return checkpoint.settings(checkpoint.load(path)).network.encoder.replace("_", "")


def _golden(args) -> None:
    from ..export import golden

    pairs = [word.partition("=") for word in args.checkpoint]
    if bad := [name for name, sign, _ in pairs if not sign]:
        raise ValueError(f"--checkpoint {bad[0]}: give NAME=FILE")
    checkpoints = {name: Path(path) for name, _, path in pairs}
    print(*golden.write(Path(args.models), Path(args.data) if args.data else None, checkpoints, args.per_pai), sep="\n")


def _speed(args) -> None:
    from ..export import speed

    models = {Path(file).stem: Path(file) for file in args.model}
    rows = speed.measure(models, _numbers(args.batches), _numbers(args.threads), args.rounds)
    if args.out:
        whole.text(Path(args.out), json.dumps(rows, indent=1) + "\n")
    print(speed.table(rows))


def _numbers(words: str) -> list[int]:
    return [int(word) for word in words.split(",")]


def _testmodels(args) -> None:
    from ..export import testmodel

    for path in testmodel.write_all(Path(args.out)):
        print(path)


def add(sub) -> None:
    _add_export(sub)
    _add_threshold(sub)
    _add_unpack(sub)
    p = command(
        sub,
        "golden",
        _golden,
        "Write golden/ and manifest.json for all models of a folder",
        "The Go tests compare every committed model with these scores. fp32 files are left out.",
    )
    p.add_argument("--models", default="../models", help="folder with NAME-PRECISION.onnx")
    p.add_argument("--data", default="", help="rendered crops, whose test split gives new pictures; empty: keep those in golden/")
    p.add_argument("--checkpoint", action="append", default=[], metavar="NAME=FILE", help="PyTorch's scores of model NAME too; may be repeated")
    p.add_argument("--per-pai", type=int, default=3, help="new pictures of bona fide and of each attack")
    p = command(sub, "speed", _speed, "Measure ms a crop of models on this CPU", "The models take turns; ratios are to the first one.")
    p.add_argument("model", nargs="+", help="ONNX files; the first is what the others are compared with")
    p.add_argument("--batches", default="1,4,8", help="crops a run")
    p.add_argument("--threads", default="1,2", help="threads of ONNX Runtime")
    p.add_argument("--rounds", type=int, default=20, help="turns of each model, of which the median is told")
    p.add_argument("--out", default="", help="JSON file")
    p = command(sub, "testmodels", _testmodels, "Write the tiny ONNX files of the scorer's tests")
    p.add_argument("--out", default="../scorer/testdata", help="folder")


def _add_export(sub) -> None:
    p = command(sub, "export", _export, "Write a checkpoint as ONNX in fp32, fp16 and int8 under the model contract", EXPORT)
    p.add_argument("--checkpoint", required=True, help="final.pt of a run")
    p.add_argument(
        "--data",
        default="",
        help="crops: train for int8 ranges, dev for threshold and parity, test for golden; empty: those that the checkpoint was trained with",
    )
    p.add_argument("--out", default="../models", help="folder for the files")
    p.add_argument("--name", default="", help="model name; empty: liveproof-demo-ENCODER")
    p.add_argument("--precisions", default="fp32,fp16,int8", help="which to write")
    p.add_argument("--calibration", type=int, default=256, help="training crops for int8 ranges")
    p.add_argument("--half-arithmetic", action="store_true", help="fp16 computes in half precision on a GPU, not only stored so")
    p.add_argument("--force", action="store_true", help="write files that are beyond the limits")
    p.add_argument("--bpcer", type=float, default=0.0, help=f"{RULE}; 0: equal error rate")
    _add_pictures(p)
    p.add_argument("--training-data", default="", help=f"goes into the metadata; empty: {DEMO_DATA}")
    p.add_argument("--threshold-source", default="", help=f"goes into the metadata; empty: {DEMO_THRESHOLD}")
    p.add_argument("--licensed", action="store_true", help="trained on licensed benchmark data: demo = false")
    p.add_argument("--golden", action="store_true", help="also write golden/ with crops and their scores, and manifest.json")


def _add_threshold(sub) -> None:
    p = command(sub, "threshold", _threshold, "Take the threshold of an exported file again, on more or other crops", AGAIN)
    p.add_argument("--model", required=True, help="NAME-PRECISION.onnx, which is changed")
    p.add_argument("--data", required=True, help="folder with manifest.csv, whose dev crops count")
    p.add_argument("--bpcer", type=float, default=0.1, help=RULE)
    p.add_argument("--threshold-source", default="", help="goes into the metadata; empty: as it was")
    reasons = "scores-eval.csv of `liveproof evaluate` of what `unpack` wrote of the dev crops; crops whose quality a session refuses do not count"
    p.add_argument("--dev-reasons", default="", help=reasons)
    _add_pictures(p)


def _add_unpack(sub) -> None:
    p = command(sub, "unpack", _unpack, "Write bona fide crops as PNG files, for `liveproof evaluate` to judge their quality", UNPACK)
    p.add_argument("--data", required=True, help="folder with manifest.csv")
    p.add_argument("--split", default="dev", choices=("train", "dev", "test"), help="of that folder")
    p.add_argument("--out", required=True, help="folder for the PNG files and labels.csv")


def _add_pictures(p) -> None:
    p.add_argument("--pictures", default="", help="with --bpcer: folder with labels.csv, of whose bona fide pictures the same must hold")
    reasons = "with --pictures: scores-eval.csv of `liveproof evaluate` of them; those that a session would not score do not count"
    p.add_argument("--reasons", default="", help=reasons)
    add_detector(p, "an error")
