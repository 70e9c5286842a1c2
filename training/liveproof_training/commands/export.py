"""Commands: export, testmodels."""

from __future__ import annotations

import json
from pathlib import Path

from .common import command


def _export(args) -> None:
    import numpy as np

    from .. import data, export, golden

    sources = export.Sources(args.name, args.training_data, args.threshold_source, demo=not args.licensed)
    files = export.export_all(Path(args.checkpoint), Path(args.data), Path(args.out), sources)
    dev = data.load_split(Path(args.data), "dev")
    images = dev.images[np.linspace(0, len(dev) - 1, min(64, len(dev))).astype(int)]
    print(json.dumps(export.parity(Path(args.checkpoint), files, images), indent=2))
    if args.golden:
        committed = {p: files[p] for p in ("fp16", "int8")}
        print(golden.write(committed, Path(args.data), Path(args.out) / "golden"))
        print(golden.manifest(committed, Path(args.out)))


def _testmodels(args) -> None:
    from .. import testmodel

    for path in testmodel.write_all(Path(args.out)):
        print(path)


def add(sub) -> None:
    p = command(sub, "export", _export, "Write a checkpoint as ONNX in fp32, fp16 and int8 under the model contract",
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
    p = command(sub, "testmodels", _testmodels, "Write the tiny ONNX files of the scorer's tests")
    p.add_argument("--out", default="../scorer/testdata", help="folder")
