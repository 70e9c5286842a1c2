"""Command: nuisance."""

from __future__ import annotations

import json
from pathlib import Path

from .common import command


def _nuisance(args) -> None:
    from .. import data, nuisance

    folder, x, y = Path(args.data), {}, {}
    for split in ("train", "dev"):
        crops = data.load_split(folder, split)
        x[split], y[split] = nuisance.cached_table(folder, split, crops.images), crops.labels
    print(json.dumps(nuisance.report(x["train"], y["train"], x["dev"], y["dev"], args.seed), indent=2))


def add(sub) -> None:
    p = command(sub, "nuisance", _nuisance, "How far blur, exposure, contrast and colour alone tell the classes apart (AUC)")
    p.add_argument("--data", default="data/demo", help="crops")
    p.add_argument("--seed", type=int, default=1, help="of the matched draw")
