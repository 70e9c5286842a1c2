"""Commands: render, sheet."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .common import command, shared_folder


def _render(args) -> None:
    from ..render import ingredients, portraits, store

    items = portraits.read(Path(args.shared) / "faces")
    if args.portraits:
        items = items[:: max(1, len(items) // args.portraits)][: args.portraits]
    variants = {"train": args.variants, "dev": args.held_out_variants, "test": args.held_out_variants}
    rendering = store.Rendering(Path(args.out), args.seed, ingredients.ALL.without(*args.without))
    store.render_all(items, rendering, variants, args.workers)


def _sheet(args) -> None:
    from .. import plots
    from ..loading import data

    crops = data.load_split(Path(args.data), args.split)
    plots.sheet(crops.images, crops.pai, Path(args.out))


def add(sub) -> None:
    p = command(sub, "render", _render, "Render bona fide and attack crops from portraits to disk",
             "Each variant of a portrait is rendered twice with the same content, pose and camera: bona fide, and as "
             "print, replay or cut-out. Whole source grids, printers, displays and cameras are held out for dev and test.")  # fmt: skip
    p.add_argument("--shared", default=shared_folder(), help="folder with faces/faces.csv")
    p.add_argument("--out", default="data/demo", help="folder for manifest.csv and <split>.npy, 0.2 MB a crop")
    p.add_argument("--variants", type=int, default=6, help="renderings per training portrait")
    p.add_argument("--held-out-variants", type=int, default=4, help="the same for dev and test")
    p.add_argument("--portraits", type=int, default=0, help="use only so many portraits, evenly chosen, 0: all")
    p.add_argument("--without", action="append", default=[], metavar="INGREDIENT", help=_ingredients())
    p.add_argument("--seed", type=int, default=1, help="same seed, same bytes")
    p.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    p.formatter_class = argparse.ArgumentDefaultsHelpFormatter
    p = command(sub, "sheet", _sheet, "Show rendered pairs in one picture: bona fide above, attack below")
    p.add_argument("--data", default="data/demo", help="crops")
    p.add_argument("--split", default="test", choices=("train", "dev", "test"), help="which crops")
    p.add_argument("--out", required=True, help="JPEG or PNG file")


def _ingredients() -> str:
    from ..render import ingredients

    return f"leave out a part of the renderer, again and again for more: {', '.join(ingredients.NAMES)}"
