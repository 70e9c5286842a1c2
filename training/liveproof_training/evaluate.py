"""Scores of a checkpoint or an exported model, and tables of error rates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from . import data, engine, export, metrics
from .config import TrainConfig


def scores(model: Path, images: np.ndarray) -> np.ndarray:
    """rho of uint8 [N, 256, 256, 3] by a ``.pt`` checkpoint or an ``.onnx`` file."""
    if model.suffix == ".onnx":
        return export.run(model, data.centre(images))[0]
    net, state = export.load_net(model)
    config = TrainConfig.from_dict({**state["config"], "precision": "fp32"})
    torch.set_num_threads(config.threads or torch.multiprocessing.cpu_count())
    return engine.scores(net, images, config, torch.device("cpu"))


def threshold(model: Path) -> float:
    """The development threshold that the model carries."""
    if model.suffix == ".onnx":
        import onnx

        props = {p.key: p.value for p in onnx.load(model).metadata_props}
        return float(props["liveproof.threshold"])
    return float(export.load_net(model)[1]["dev"]["threshold"])


def on_split(model: Path, folder: Path, split: str) -> tuple[dict, np.ndarray, data.Crops]:
    crops = data.load_split(folder, split)
    rho = scores(model, crops.images)
    return metrics.report(rho, crops.labels, crops.media, threshold(model)), rho, crops


def markdown(rows: dict[str, dict[str, float]]) -> str:
    lines = [
        "| attacks | n attack | n bona fide | AUC | EER | APCER | BPCER |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, r in rows.items():
        rates = " | ".join(f"{100 * r[k]:.1f} %" for k in ("eer", "apcer", "bpcer"))
        lines.append(f"| {name} | {r['attacks']} | {r['bona_fide']} | {r['auc']:.4f} | {rates} |")
    return "\n".join(lines)


def write(out: Path, name: str, rows: dict, rho: np.ndarray, crops: data.Crops) -> None:
    """OUT/NAME.json (the table) and OUT/NAME.csv (one line per crop)."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(rows, indent=2) + "\n")
    lines = ["index,medium,label,rho"]
    lines += [f"{i},{m},{y},{r:.6f}" for i, (m, y, r) in enumerate(zip(crops.media, crops.labels, rho))]
    (out / f"{name}.csv").write_text("\n".join(lines) + "\n")
