"""The renderer's commands: portraits, crops and sheet, video and media, dataset."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from liveproof_base import commandline, manifest
from liveproof_base.commandline import command

from . import dataset, drawn, film, ingredients, media, portraits, sheet, store

DESCRIPTION = "Presentation attacks from portraits and clips: as crops to train on, as videos, as whole benchmarks."
EPILOG = """simple faces, where there are no portraits: data/faces for --shared data below

  python3 -m liveproof_render portraits --out data/faces

crops for the demo model, and pairs of them in one picture:

  python3 -m liveproof_render crops --out data/demo
  python3 -m liveproof_render sheet --data data/demo --out sheet.jpg

a screen replay of a clip, filmed by a virtual camera:

  python3 -m liveproof_render video --attack replay --in me.mp4 --out attack.mkv

Run in training/ with the project's virtual environment (../.venv/bin/python3). Every command has --help.
"""
ONE_CLIP = "Medium and camera are drawn once per clip from the seed; a hand moves slightly."


def _portraits(args) -> None:
    print(drawn.write(Path(args.out), args.count, args.seed))


def _faces(args) -> Path:
    """Folder of the portraits that are rendered."""
    if not args.shared:
        raise FileNotFoundError(
            f"portraits are read from FOLDER/faces: give --shared FOLDER or set {commandline.SHARED}. {portraits.WHERE_FROM.format('FOLDER/faces')}"
        )
    return Path(args.shared) / "faces"


def _crops(args) -> None:
    items = portraits.read(_faces(args))
    if args.portraits:
        items = items[:: max(1, len(items) // args.portraits)][: args.portraits]
    variants = {"train": args.variants, "dev": args.held_out_variants, "test": args.held_out_variants}
    rendering = store.Rendering(Path(args.out), args.seed, ingredients.ALL.without(*args.without))
    store.render_all(items, rendering, variants, args.workers)


def _sheet(args) -> None:
    sheet.write(Path(args.data), args.split, Path(args.out))


def _locator(model: str):
    """Finds the face to present; None when there is no detector."""
    if not Path(model).is_file():
        where = f"{model} is missing" if model else f"no --detector is given and {commandline.SHARED} is not set"
        print(f"{where}: the middle of the picture is taken for the face", file=sys.stderr)
        return None
    from liveproof_base.detector import RetinaFace  # ONNX Runtime, which no other command needs

    return RetinaFace(Path(model)).largest


def _video(args) -> None:
    source = Path(args.source)
    film.film(source, Path(args.out), args.attack, args.seed, film.find(source, _locator(args.detector)), args.seconds, args.rate)


def _media(args) -> None:
    clips = commandline.shared_path(args.shared, "media", "clips")
    for path in film.film_all(clips, Path(args.out), args.seed, args.seconds, args.rate, _locator(args.detector)):
        print(path)


def _dataset(args) -> None:
    production = dataset.Production(Path(args.root), _faces(args), args.frames, args.seed)
    print(f"{dataset.shoot_all(production, args.workers)} videos below {args.root}")


def _add_portraits(sub) -> None:
    p = command(
        sub,
        "portraits",
        _portraits,
        "Draw simple faces in code, for whoever has no portraits",
        "OUT/faces.csv lists them. With `--out FOLDER/faces`, the commands that need portraits take `--shared FOLDER`. They run the whole chain "
        "without any data; they show nobody, and a model learns nothing about real faces from them.",
    )
    p.add_argument("--out", required=True, help="folder for the pictures and faces.csv; must not hold a faces.csv yet")
    p.add_argument("--count", type=int, default=240, help="faces; 240 are enough for four small benchmarks with no face in two of them")
    p.add_argument("--seed", type=int, default=1, help="same seed, same faces")


def _add_crops(sub) -> None:
    p = command(
        sub,
        "crops",
        _crops,
        "Render bona fide and attack crops from portraits to disk",
        "Each variant of a portrait is rendered twice with the same content, pose and camera: bona fide, and as "
        "print, replay or cut-out. Whole source grids, printers, displays and cameras are held out for dev and test.",
    )
    commandline.add_shared(p, "faces/faces.csv")
    p.add_argument("--out", default="data/demo", help="folder for manifest.csv and <split>.npy, 0.2 MB a crop")
    p.add_argument("--variants", type=int, default=6, help="renderings per training portrait")
    p.add_argument("--held-out-variants", type=int, default=4, help="the same for dev and test")
    p.add_argument("--portraits", type=int, default=0, help="use only so many portraits, evenly chosen, 0: all")
    names = ", ".join(ingredients.NAMES)
    p.add_argument("--without", action="append", default=[], metavar="INGREDIENT", help=f"leave out a part of the renderer, may be repeated: {names}")
    p.add_argument("--seed", type=int, default=1, help="same seed, same bytes")
    p.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")


def _add_sheet(sub) -> None:
    p = command(sub, "sheet", _sheet, "Show rendered pairs in one picture: bona fide above, attack below")
    p.add_argument("--data", default="data/demo", help="folder that `crops` made")
    p.add_argument("--split", default="test", choices=manifest.SPLITS, help="which crops")
    p.add_argument("--out", required=True, help="JPEG or PNG file")


def _add_video(sub) -> None:
    p = command(sub, "video", _video, "Film a print, a cut-out or a replay of a clip (or the clip itself) with a virtual camera", ONE_CLIP)
    p.add_argument("--attack", required=True, choices=media.KINDS, help="the medium")
    p.add_argument("--in", dest="source", required=True, help="clip")
    p.add_argument("--out", required=True, help=".mkv or .mp4 (H.264), .avi or .mov (Motion JPEG), .webm (VP8)")
    _add_filming(p)


def _add_media(sub) -> None:
    p = command(sub, "media", _media, "Film a print, a cut-out and a replay of every clip of SHARED/media", ONE_CLIP)
    commandline.add_shared(p, "media/")
    p.add_argument("--out", required=True, help="folder for CLIP_print.mkv, CLIP_replay.mkv, CLIP_cut.mkv")
    _add_filming(p)


def _add_filming(p: argparse.ArgumentParser) -> None:
    commandline.add_detector(p, "the middle of the picture is taken for the face")
    p.add_argument("--seed", type=int, default=1, help="same seed, same pictures")
    p.add_argument("--seconds", type=float, default=0.0, help="length, 0: all")
    p.add_argument("--rate", type=float, default=0.0, help="frames per second of the result, 0: the clip's")


def _add_dataset(sub) -> None:
    p = command(
        sub,
        "dataset",
        _dataset,
        "Film every video that ROOT/plan.csv wants",
        "`liveproof layout` writes the plan, lists and sidecar files; each dataset has cameras, printers and displays of "
        "its own. Goes on where it stopped. Rendered data are for tests and studies of method, not for claims about real attacks.",
    )
    p.add_argument("--root", required=True, help="folder with plan.csv")
    commandline.add_shared(p, "faces/faces.csv")
    p.add_argument("--frames", type=int, default=20, help="pictures a video")
    p.add_argument("--seed", type=int, default=1, help="same seed, same videos")
    p.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")


def parser() -> argparse.ArgumentParser:
    formatter = argparse.RawDescriptionHelpFormatter
    p = argparse.ArgumentParser(prog="python3 -m liveproof_render", description=DESCRIPTION, epilog=EPILOG, formatter_class=formatter)
    sub = p.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (_add_portraits, _add_crops, _add_sheet, _add_video, _add_media, _add_dataset):
        add(sub)
    return p


def main(argv: list[str] | None = None) -> int:
    return commandline.run(parser(), argv)
