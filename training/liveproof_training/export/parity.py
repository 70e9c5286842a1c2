"""Scores of the exported files beside PyTorch's, on the same crops: how far they are, and how far they may be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from liveproof_base.progress import Progress

from .. import contract, metrics
from ..config import TrainConfig
from ..fit import engine
from ..loading import data
from . import onnxgraph

LARGEST = {"fp32": 1e-4, "fp16": 2e-3}  # |delta rho| of any crop
AUC_LOSS = {"int8": 0.5}  # points of 100
ENOUGH = 50  # crops of each class; with fewer a single pair that changes places weighs too much to judge the AUC
CHUNK = 64


def run(path: Path, images: np.ndarray, batch: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """(rho, probabilities) of uint8 [N, 224, 224, 3] by ONNX Runtime on the CPU."""
    session = onnxgraph.session(path)
    parts = [
        session.run([contract.RHO_NAME, contract.PROBABILITIES_NAME], {contract.INPUT_NAME: images[i : i + batch]})
        for i in range(0, len(images), batch)
    ]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def scores(net, config: TrainConfig, files: dict[str, Path], images) -> dict[str, np.ndarray]:
    """rho [N] by "pytorch" and by each file, of 256 x 256 crops; a chunk at a time, so that any number fits."""
    sessions = {name: onnxgraph.session(path) for name, path in files.items()}
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("pytorch", *files)}
    progress = Progress("parity", len(images))
    for start in range(0, len(images), CHUNK):
        chunk = images[start : start + CHUNK]
        parts["pytorch"].append(engine.scores(net, chunk, config, torch.device("cpu")))
        faces = data.centre(chunk)
        for name, session in sessions.items():
            parts[name] += [session.run([contract.RHO_NAME], {contract.INPUT_NAME: faces[i : i + 8]})[0] for i in range(0, len(faces), 8)]
        progress.step(len(chunk))
    return {name: np.concatenate(p) for name, p in parts.items()}


def report(rho: dict[str, np.ndarray], labels: np.ndarray) -> dict:
    """Per file: largest and mean |delta rho| from PyTorch, AUC and its loss in points, and its own equal error rate's threshold."""
    rows = {name: _row(values, rho["pytorch"], labels) for name, values in rho.items()}
    for row in rows.values():
        row["auc_loss"] = 100 * (rows["pytorch"]["auc"] - row["auc"])
    return {"crops": len(labels), "bona_fide": int((labels == 1).sum()), "scores": rows}


def _row(rho: np.ndarray, want: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    bona_fide, attacks = rho[labels == 1], rho[labels == 0]
    threshold, eer = metrics.equal_error(bona_fide, attacks)
    delta = np.abs(rho.astype(np.float64) - want)
    return {"max": float(delta.max()), "mean": float(delta.mean()), "auc": metrics.auc(bona_fide, attacks), "eer": eer, "threshold": float(threshold)}


def failures(told: dict) -> list[str]:
    """What is beyond the limits, a line each."""
    lines = []
    for name, row in told["scores"].items():
        if name in LARGEST and not row["max"] <= LARGEST[name]:
            lines.append(f"{name}: |delta rho| up to {row['max']:.2g} from PyTorch, the limit is {LARGEST[name]:g}")
        if name in AUC_LOSS and judgeable(told) and not row["auc_loss"] <= AUC_LOSS[name]:
            lines.append(f"{name}: AUC {row['auc_loss']:.2f} points below PyTorch's, the limit is {AUC_LOSS[name]:g}")
    return lines


def judgeable(told: dict) -> bool:
    """Whether there are enough dev crops to tell half a point of AUC."""
    return min(told["bona_fide"], told["crops"] - told["bona_fide"]) >= ENOUGH
