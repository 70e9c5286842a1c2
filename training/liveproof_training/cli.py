"""From portraits (or extracted crops) to a model that the scorer loads."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path

from .config import TrainConfig

EPILOG = """the demo model, from portraits alone:

  python3 -m liveproof_training render   --out data/demo
  python3 -m liveproof_training train    --data data/demo --out out/demo
  python3 -m liveproof_training evaluate --model out/demo/final.pt --data data/demo --split test
  python3 -m liveproof_training export   --checkpoint out/demo/final.pt --data data/demo --out ../models

attacks on a clip, filmed by a virtual camera:

  python3 -m liveproof_training render-video --attack replay --in me.mp4 --out attack.mkv

Run in training/ with the project's virtual environment (../.venv/bin/python3). Every command has --help.
"""


def shared_folder() -> str:
    return os.environ.get("LIVEPROOF_SHARED", str(Path(__file__).resolve().parents[3] / "shared"))


def _render(args) -> None:
    from .render import portraits, store

    items = portraits.read(Path(args.shared) / "faces")
    if args.portraits:
        items = items[:: max(1, len(items) // args.portraits)][: args.portraits]
    variants = {"train": args.variants, "dev": args.held_out_variants, "test": args.held_out_variants}
    store.render_all(items, Path(args.out), variants, args.seed, args.workers)


def _train(args) -> None:
    # OpenMP threads that spin at barriers waste half of a machine that others use too. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from .train import Run

    values = {f.name: getattr(args, f.name) for f in dataclasses.fields(TrainConfig)}
    print(json.dumps(Run(TrainConfig.from_dict(values), args.resume).train(), indent=2))


def _export(args) -> None:
    import numpy as np

    from . import data, export, golden

    sources = export.Sources(args.name, args.training_data, args.threshold_source, demo=not args.licensed)
    files = export.export_all(Path(args.checkpoint), Path(args.data), Path(args.out), sources)
    dev = data.load_split(Path(args.data), "dev")
    images = dev.images[np.linspace(0, len(dev) - 1, min(64, len(dev))).astype(int)]
    print(json.dumps(export.parity(Path(args.checkpoint), files, images), indent=2))
    if args.golden:
        committed = {p: files[p] for p in ("fp16", "int8")}
        print(golden.write(committed, Path(args.data), Path(args.out) / "golden"))
        print(golden.manifest(committed, Path(args.out)))


def _evaluate(args) -> None:
    from . import evaluate, plots

    rows, rho, crops = evaluate.on_split(Path(args.model), Path(args.data), args.split)
    print(f"threshold {evaluate.threshold(Path(args.model)):.6f}, {args.split}\n\n{evaluate.markdown(rows)}")
    if args.out:
        evaluate.write(Path(args.out), args.split, rows, rho, crops)
    if args.plot:
        plots.histogram(rho, crops.media, evaluate.threshold(Path(args.model)), Path(args.plot))


def _clips(args) -> None:
    from . import clips

    detector = clips.RetinaFace(Path(args.detector))
    print(clips.HEADER)
    for path in args.clips:
        print(clips.score(Path(path), Path(args.model), detector, args.per_second).line(), flush=True)


def _nuisance(args) -> None:
    from . import data, nuisance

    folder, x, y = Path(args.data), {}, {}
    for split in ("train", "dev"):
        crops = data.load_split(folder, split)
        x[split], y[split] = nuisance.cached_table(folder, split, crops.images), crops.labels
    print(json.dumps(nuisance.report(x["train"], y["train"], x["dev"], y["dev"], args.seed), indent=2))


def _render_video(args) -> None:
    from .render import video

    video.film(Path(args.source), Path(args.out), args.attack, args.seed, args.seconds, args.rate)


def _render_media(args) -> None:
    from .render import video

    for path in video.film_all(Path(args.shared), Path(args.out), args.seed, args.seconds, args.rate):
        print(path)


def _testmodels(args) -> None:
    from . import testmodel

    for path in testmodel.write_all(Path(args.out)):
        print(path)


def _plot(args) -> None:
    from . import plots

    plots.curves(Path(args.log), Path(args.out))


def _sheet(args) -> None:
    from . import data, plots

    crops = data.load_split(Path(args.data), args.split)
    plots.sheet(crops.images, crops.media, Path(args.out))


def _add(sub, name: str, run, summary: str, detail: str = "") -> argparse.ArgumentParser:
    p = sub.add_parser(name, help=summary, description=f"{summary}. {detail}".strip(),
                       formatter_class=argparse.ArgumentDefaultsHelpFormatter)  # fmt: skip
    p.set_defaults(run=run)
    return p


def _add_render(sub) -> None:
    p = _add(sub, "render", _render, "Render bona fide and attack crops from portraits to disk",
             "Each variant of a portrait is rendered twice with the same content, pose and camera: bona fide, "
             "and as print or replay. Whole source grids are held out for dev and test.")  # fmt: skip
    p.add_argument("--shared", default=shared_folder(), help="folder with faces/faces.csv")
    p.add_argument("--out", default="data/demo", help="folder for manifest.csv and <split>.npy, 0.2 MB a crop")
    p.add_argument("--variants", type=int, default=6, help="renderings per training portrait")
    p.add_argument("--held-out-variants", type=int, default=4, help="the same for dev and test")
    p.add_argument("--portraits", type=int, default=0, help="use only so many portraits, evenly chosen, 0: all")
    p.add_argument("--seed", type=int, default=1, help="same seed, same bytes")
    p.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")


def _add_train(sub) -> None:
    p = _add(sub, "train", _train, "Train on crops", "The defaults are the paper's settings. Writes log.csv, "
             "config.json, last.pt (every few minutes, for --resume) and final.pt.")  # fmt: skip
    defaults = dataclasses.replace(TrainConfig(), shared=shared_folder())
    for field in dataclasses.fields(TrainConfig):
        default = getattr(defaults, field.name)
        p.add_argument("--" + field.name.replace("_", "-"), type=type(default), default=default,
                       choices=field.metadata["choices"] or None, help=field.metadata["help"])  # fmt: skip
    p.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")


def _add_export(sub) -> None:
    p = _add(sub, "export", _export, "Write a checkpoint as ONNX in fp32, fp16 and int8 under the model contract",
             "See docs/model-contract.md. Prints the largest and mean difference of rho from PyTorch.")  # fmt: skip
    p.add_argument("--checkpoint", required=True, help="final.pt of a run")
    p.add_argument("--data", default="data/demo", help="crops: train for int8 ranges, dev for parity, test for golden")
    p.add_argument("--out", default="../models", help="folder for NAME-PRECISION.onnx")
    p.add_argument("--name", default="liveproof-demo-resnet18", help="model name")
    p.add_argument("--training-data", default="crops rendered from generated portraits (SFHQ, MIT): bona fide, print, screen replay",
                   help="goes into the metadata")  # fmt: skip
    p.add_argument("--threshold-source", default="equal error rate on rendered dev crops (held-out source grids)",
                   help="goes into the metadata")  # fmt: skip
    p.add_argument("--licensed", action="store_true", help="trained on licensed benchmark data: demo = false")
    p.add_argument("--golden", action="store_true", help="also write golden/ with crops and their scores, and manifest.json")


def _add_evaluate(sub) -> None:
    p = _add(sub, "evaluate", _evaluate, "Error rates on a split at the model's own threshold, per medium")
    p.add_argument("--model", required=True, help="final.pt or an exported .onnx")
    p.add_argument("--data", default="data/demo", help="crops")
    p.add_argument("--split", default="test", choices=("train", "dev", "test"), help="which crops")
    p.add_argument("--out", default="", help="folder for SPLIT.json and SPLIT.csv")
    p.add_argument("--plot", default="", help="PNG file with the scores' histogram")
    c = _add(sub, "clips", _clips, "Score whole clips frame by frame")
    c.add_argument("clips", nargs="+", help="video files")
    c.add_argument("--model", required=True, help="final.pt or an exported .onnx")
    c.add_argument("--detector", default=f"{shared_folder()}/models/retinaface_mobilenet025.onnx", help="RetinaFace ONNX file")
    c.add_argument("--per-second", type=float, default=5.0, help="frames looked at")


def _add_video(sub) -> None:
    for name, run, summary in (
        ("render-video", _render_video, "Film a print or a replay of a clip (or the clip itself) with a virtual camera"),
        ("render-media", _render_media, "Film a print and a replay of every clip of SHARED/media"),
    ):
        p = _add(sub, name, run, summary, "Medium and camera are drawn once per clip from the seed; a hand moves slightly.")
        if run is _render_video:
            p.add_argument("--attack", required=True, choices=("none", "print", "replay"), help="the medium")
            p.add_argument("--in", dest="source", required=True, help="clip")
            p.add_argument("--out", required=True, help=".mkv or .mp4 (H.264) or .webm (VP8)")
        else:
            p.add_argument("--shared", default=shared_folder(), help="folder with media/")
            p.add_argument("--out", required=True, help="folder for CLIP_print.mkv and CLIP_replay.mkv")
        p.add_argument("--seed", type=int, default=1, help="same seed, same pictures")
        p.add_argument("--seconds", type=float, default=0.0, help="length, 0: all")
        p.add_argument("--rate", type=float, default=0.0, help="frames per second of the result, 0: the clip's")


def _add_helpers(sub) -> None:
    p = _add(sub, "nuisance", _nuisance, "How far blur, exposure, contrast and colour alone tell the classes apart (AUC)")
    p.add_argument("--data", default="data/demo", help="crops")
    p.add_argument("--seed", type=int, default=1, help="of the matched draw")
    p = _add(sub, "plot", _plot, "Plot a run's log.csv")
    p.add_argument("--log", required=True, help="log.csv")
    p.add_argument("--out", required=True, help="PNG file")
    p = _add(sub, "sheet", _sheet, "Show rendered pairs in one picture: bona fide above, attack below")
    p.add_argument("--data", default="data/demo", help="crops")
    p.add_argument("--split", default="test", choices=("train", "dev", "test"), help="which crops")
    p.add_argument("--out", required=True, help="JPEG file")
    p = _add(sub, "testmodels", _testmodels, "Write the tiny ONNX files of the scorer's tests")
    p.add_argument("--out", default="../scorer/testdata", help="folder")


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="python3 -m liveproof_training", description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    sub = p.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_add_render, _add_train, _add_export, _add_evaluate, _add_video, _add_helpers):
        add(sub)
    return p


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        args.run(args)
    except (FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
