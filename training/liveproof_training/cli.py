"""python3 -m liveproof_training COMMAND: render, train, export, evaluate and helpers."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path

from .config import TrainConfig

EPILOG = """a demo model from nothing but portraits:

  python3 -m liveproof_training render   --shared ../../shared --out data/demo
  python3 -m liveproof_training train    --data data/demo --out out/demo --precision bf16
  python3 -m liveproof_training evaluate --checkpoint out/demo/final.pt --data data/demo --split test
  python3 -m liveproof_training export   --checkpoint out/demo/final.pt --data data/demo --out ../models

Run them in training/ with the Python of the project's virtual environment (.venv).
"""


def _shared() -> str:
    return os.environ.get("LIVEPROOF_SHARED", str(Path(__file__).resolve().parents[3] / "shared"))


def _render(args) -> None:
    from .render import portraits, store

    items = portraits.read(Path(args.shared) / "faces")
    if args.portraits:
        items = items[:: max(1, len(items) // args.portraits)][: args.portraits]
    variants = {"train": args.variants, "dev": args.held_out_variants, "test": args.held_out_variants}
    store.render_all(items, Path(args.out), variants, args.seed, args.workers)


def _train(args) -> None:
    from .train import Run

    values = {f.name: getattr(args, f.name) for f in dataclasses.fields(TrainConfig)}
    print(json.dumps(Run(TrainConfig.from_dict(values), args.resume).train(), indent=2))


def _add_render(sub) -> None:
    p = sub.add_parser("render", help="render bona fide and attack crops from portraits to disk",
                       description="Each variant of a portrait is rendered twice with the same content, pose and camera: "
                       "bona fide, and as print or replay. Splits hold whole source grids apart.")  # fmt: skip
    p.add_argument("--shared", default=_shared(), help="folder with faces/faces.csv (default: %(default)s)")
    p.add_argument("--out", default="data/demo", help="default: %(default)s")
    p.add_argument("--variants", type=int, default=6, help="renderings per training portrait (default: %(default)s)")
    p.add_argument("--held-out-variants", type=int, default=4, help="the same for dev and test (default: %(default)s)")
    p.add_argument("--portraits", type=int, default=0, help="use only so many portraits, evenly chosen (0: all)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--workers", type=int, default=os.cpu_count())
    p.set_defaults(run=_render)


def _add_train(sub) -> None:
    p = sub.add_parser("train", help="train on rendered (or extracted) crops",
                       description="PDLE labels, expected-score MSE, ResNet18. Defaults are the paper's. "
                       "Writes log.csv, config.json, last.pt (every few minutes) and final.pt.",
                       formatter_class=argparse.ArgumentDefaultsHelpFormatter)  # fmt: skip
    defaults = dataclasses.replace(TrainConfig(), shared=_shared())
    for field in dataclasses.fields(TrainConfig):
        default = getattr(defaults, field.name)
        p.add_argument("--" + field.name.replace("_", "-"), type=type(default), default=default, help=" ")
    p.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")
    p.set_defaults(run=_train)


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="python3 -m liveproof_training", description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    sub = p.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_render(sub)
    _add_train(sub)
    return p


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        args.run(args)
    except (FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
