"""Commands: evaluate, clips, plot."""

from __future__ import annotations

from pathlib import Path

from .common import command, shared_folder


def _evaluate(args) -> None:
    from .. import evaluate, plots

    rows, rho, crops = evaluate.on_split(Path(args.model), Path(args.data), args.split)
    print(f"threshold {evaluate.threshold(Path(args.model)):.6f}, {args.split}\n\n{evaluate.markdown(rows)}")
    if args.out:
        evaluate.write(Path(args.out), args.split, rows, rho, crops)
    if args.plot:
        plots.histogram(rho, crops.media, evaluate.threshold(Path(args.model)), Path(args.plot))


def _clips(args) -> None:
    from .. import clips

    detector = clips.RetinaFace(Path(args.detector))
    print(clips.HEADER)
    for path in args.clips:
        print(clips.score(Path(path), Path(args.model), detector, args.per_second).line(), flush=True)


def _plot(args) -> None:
    from .. import plots

    plots.curves(Path(args.log), Path(args.out))


def add(sub) -> None:
    p = command(sub, "evaluate", _evaluate, "Error rates on a split at the model's own threshold, per medium")
    p.add_argument("--model", required=True, help="final.pt or an exported .onnx")
    p.add_argument("--data", default="data/demo", help="crops")
    p.add_argument("--split", default="test", choices=("train", "dev", "test"), help="which crops")
    p.add_argument("--out", default="", help="folder for SPLIT.json and SPLIT.csv")
    p.add_argument("--plot", default="", help="PNG file with the scores' histogram")
    c = command(sub, "clips", _clips, "Score whole clips frame by frame")
    c.add_argument("clips", nargs="+", help="video files")
    c.add_argument("--model", required=True, help="final.pt or an exported .onnx")
    c.add_argument("--detector", default=f"{shared_folder()}/models/retinaface_mobilenet025.onnx", help="RetinaFace ONNX file")
    c.add_argument("--per-second", type=float, default=5.0, help="frames looked at")
    p = command(sub, "plot", _plot, "Plot a run's log.csv")
    p.add_argument("--log", required=True, help="log.csv")
    p.add_argument("--out", required=True, help="PNG file")
