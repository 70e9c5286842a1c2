"""Command: steady."""

from __future__ import annotations

from pathlib import Path

from liveproof_base.commandline import command

from ..fit.steady import SteadySettings
from ..simulation.conditions import Chances
from . import flags
from .adapt import START

DETAIL = """Self-distillation: a copy of the model learns to say of a picture in a shadow, before a bright window or after a coarse
encoder what the model says of the picture itself. No class is learned anew. Both classes must be among the crops: with bona fide ones
alone the copy would learn to say "live" of everything. Writes OUT/final.pt, for export, OUT/log.csv and OUT/curve.png.
A quarter of an hour on two cores with AVX-512 BF16 and --precision bf16."""


def _steady(args) -> None:
    from ..adaptation import start
    from ..fit.steady import SteadyRun
    from ..loading import data

    settings, chances = flags.read_own(args, SteadySettings), flags.read_own(args, Chances)
    begun, out = start.load(Path(args.start)), Path(args.out)
    config = begun.config.replace(data=args.data, protocol="")
    images = _images(data.folders(config))
    run = SteadyRun(begun.net, config, images, settings, chances)
    run.train(out)
    run.save(out / "final.pt", {"initial": begun.describe(), "data_sha256": data.sha256(config)})
    print(f"{len(images)} crops, {settings.steps} steps: {out / 'final.pt'}")


def _images(folders: list[Path]):
    """uint8 [N, 3, 256, 256] of the train splits; ValueError unless both classes are there."""
    import numpy as np
    import torch

    from ..loading import data

    if not folders:
        raise ValueError("--data: give at least one folder of crops")
    splits = [data.load_split(folder, "train") for folder in folders]
    labels = {int(label) for split in splits for label in split.labels}
    if labels != {0, 1}:
        raise ValueError(f"--data {','.join(map(str, folders))}: its train crops must be of both classes, and are of one class only")
    images = np.stack([split.images[n] for split in splits for n in range(len(split))])
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def add(sub) -> None:
    p = command(sub, "steady", _steady, "Teach a model to overlook shadows and back light", DETAIL)
    p.add_argument("--start", default=str(START), help="checkpoint (.pt) or exported model (.onnx) that the copy begins as and learns from")
    p.add_argument("--data", required=True, help="folders of crops with commas between, as `simulate` and `liveproof_render crops` write them")
    p.add_argument("--out", required=True, help="folder for final.pt, log.csv and curve.png")
    flags.add_own(p, "steady", SteadySettings)
    flags.add_own(p, "conditions", Chances)
