"""Commands: nuisance, robustness."""

from __future__ import annotations

import json
from pathlib import Path

from liveproof_base import whole
from liveproof_base.commandline import command


def _crops(args, role: str):
    """One role of a protocol, or one split of a folder."""
    from ..loading import data

    folders = [Path(w) for w in args.data.split(",")]
    if args.protocol:
        return data.load_role(folders, Path(args.protocol), role)
    if len(folders) > 1:
        raise ValueError("several folders need --protocol")
    return data.load_split(folders[0], role)


def _nuisance(args) -> None:
    from ..loading import nuisance

    x, y = {}, {}
    for role in ("train", args.judge):
        crops = _crops(args, role)
        x[role] = nuisance.table(crops.images) if args.protocol else nuisance.cached_table(Path(args.data), role, crops.images)
        y[role] = crops.labels
    result = nuisance.report(x["train"], y["train"], x[args.judge], y[args.judge], args.seed)
    text = json.dumps(result, indent=2)
    if args.out:
        whole.text(Path(args.out), text + "\n")
    print(text)


def _robustness(args) -> None:
    from ..evaluation import robustness, scoring

    model = scoring.Model(Path(args.model), args.device)
    result = robustness.run(model, _crops(args, args.split), args.per_class, Path(args.out))
    print(robustness.markdown(result))


def _data(p) -> None:
    p.add_argument("--data", default="data/demo", help="folder with manifest.csv; with --protocol several, comma-separated")
    p.add_argument("--protocol", default="", help="protocol.csv that says which videos are train, dev and test, empty: the data's own splits")


def add(sub) -> None:
    p = command(
        sub,
        "nuisance",
        _nuisance,
        "How far blur, exposure, contrast and colour alone tell the classes apart (AUC)",
        "Fitted on train, judged on dev or test; 0.5 tells nothing.",
    )
    _data(p)
    p.add_argument("--judge", default="dev", choices=("dev", "test"), help="judged on these crops")
    p.add_argument("--seed", type=int, default=1, help="of the matched draw")
    p.add_argument("--out", default="", help="also to this JSON file")
    p = command(
        sub,
        "robustness",
        _robustness,
        "How rho and the error rates move with blur, JPEG, exposure, scale, colour and noise",
        "Each disturbance is swept over the same bona fide and attack crops. Writes robustness.json, robustness-rho.png and "
        "robustness-errors.png, and prints the table with rank correlations of rho with natural nuisance factors.",
    )
    p.add_argument("--model", required=True, help="final.pt or an exported .onnx")
    _data(p)
    p.add_argument("--split", default="test", choices=("train", "dev", "test"), help="split or role whose crops are disturbed")
    p.add_argument("--per-class", type=int, default=100, help="crops of each class")
    p.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="for checkpoints")
    p.add_argument("--out", required=True, help="folder")
