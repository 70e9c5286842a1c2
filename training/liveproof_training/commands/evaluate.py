"""Commands: evaluate, clips, plot."""

from __future__ import annotations

from pathlib import Path

from liveproof_base.commandline import add_detector, command

OWN = "own"


def _evaluate(args) -> None:
    if args.protocol:
        return _report(args)
    from .. import plots
    from ..evaluation import scoring

    rows, rho, crops = scoring.on_split(Path(args.model), Path(args.data), args.split, args.device)
    threshold = scoring.threshold(Path(args.model))
    print(f"threshold {threshold:.6f}, {args.split}\n\n{scoring.markdown(rows)}")
    if args.out:
        scoring.write(Path(args.out), args.split, rows, rho, crops)
    if args.plot:
        plots.histogram(rho, crops.pai, threshold, Path(args.plot))


def _report(args) -> None:
    from ..evaluation import report, scoring

    if not args.out:
        raise ValueError("--protocol needs --out, the folder for the report")
    model, folders = scoring.Model(Path(args.model), args.device), [Path(w) for w in args.data.split(",")]
    if args.protocol == OWN:
        name, parts = "own splits", scoring.on_splits(model, folders)
    else:
        name, parts = Path(args.protocol).stem, scoring.on_protocol(model, folders, Path(args.protocol))
    header = report.about(args.name or name, args.population, scoring.is_rendered(folders, parts["test"].videos), model.describe())
    print(report.lines(report.write(Path(args.out), header, scoring.judged(model, parts), parts)))


def _clips(args) -> None:
    from liveproof_base.detector import RetinaFace

    from ..evaluation import clips

    detector = RetinaFace(Path(args.detector))
    print(clips.HEADER)
    for path in args.clips:
        print(clips.score(Path(path), Path(args.model), detector, args.per_second).line(), flush=True)


def _plot(args) -> None:
    from .. import plots

    plots.curves(Path(args.log), Path(args.out))


def add(sub) -> None:
    p = command(
        sub,
        "evaluate",
        _evaluate,
        "Error rates of a model on a protocol, or crop by crop on a split",
        "With --protocol: a score a video, the idealised, the realistic (dev) and the model's threshold, by attack "
        "instrument and camera, as scores.csv, frames.csv, report.json and report.html in OUT. Videos without a crop score 0 and "
        "are listed. Without: a table by crops of one split at the model's threshold.",
    )
    p.add_argument("--model", required=True, help="final.pt or an exported .onnx")
    p.add_argument("--data", default="data/demo", help="folder with manifest.csv; with --protocol several, comma-separated")
    p.add_argument("--protocol", default="", help=f"protocol.csv of `liveproof protocol`, or {OWN}: the data's own dev and test splits")
    p.add_argument("--name", default="", help="of the protocol in the report, empty: the file's name")
    p.add_argument("--population", default="split", help="that the protocol was made with, for the report")
    p.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="for checkpoints")
    p.add_argument("--split", default="test", choices=("train", "dev", "test"), help="without --protocol: which crops")
    p.add_argument("--out", default="", help="folder for the report, or for SPLIT.json and SPLIT.csv")
    p.add_argument("--plot", default="", help="without --protocol: PNG file with the scores' histogram")
    c = command(sub, "clips", _clips, "Score whole clips frame by frame")
    c.add_argument("clips", nargs="+", help="video files")
    c.add_argument("--model", required=True, help="final.pt or an exported .onnx")
    add_detector(c, "an error")
    c.add_argument("--per-second", type=float, default=5.0, help="frames looked at")
    p = command(sub, "plot", _plot, "Plot a run's log.csv")
    p.add_argument("--log", required=True, help="log.csv")
    p.add_argument("--out", required=True, help="PNG file")
