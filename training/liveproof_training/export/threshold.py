"""A threshold by a stated rule: so many bona fide pictures of each kind may be rejected at most; of a file that is there already, too."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import onnx

from liveproof_base import whole

from ..contract import THRESHOLD, THRESHOLD_SOURCE
from ..loading import data
from . import onnxgraph, parity


@dataclasses.dataclass
class Rule:
    """The largest threshold at which at most ``bpcer`` of the dev crops' bona fide, and of ``real`` ones, is rejected."""

    bpcer: float
    real: np.ndarray | None = None  # uint8 [N, 256, 256, 3]: crops of real bona fide pictures, which nothing was trained on

    def threshold(self, *bona_fide: np.ndarray) -> float:
        """Of rho of each kind of bona fide pictures; a score at the threshold is accepted."""
        return float(min(np.sort(rho)[int(self.bpcer * len(rho))] for rho in bona_fide))


def again(file: Path, dev: data.Crops, rule: Rule, source: str = "", usable: np.ndarray | None = None) -> float:
    """Gives the exported ``file`` the threshold of its scores on the bona fide of ``dev`` and on ``rule.real``, and returns it.

    ``usable``: bool [len(dev)], the crops that a session would score; None: all. ``source``: what the metadata say of the threshold;
    empty: what they said. Weights stay as they are. NAME-parity.json beside the file gets the threshold too. Raises ValueError where
    the file has no such metadata or no bona fide crop of ``dev`` counts.
    """
    model = onnx.load(file)
    said = {entry.key: entry for entry in model.metadata_props}
    if THRESHOLD not in said or THRESHOLD_SOURCE not in said:
        raise ValueError(f"{file}: its metadata have no {THRESHOLD}; only files that `export` wrote are given another")
    ids = np.flatnonzero((dev.labels == 1) & (True if usable is None else usable))
    if not len(ids):
        raise ValueError("no bona fide dev crop is left to take the threshold from: the folder has none, or the quality of all was refused")
    kinds = [dev.images.take(ids)] + ([rule.real] if rule.real is not None else [])
    found = float(np.clip(rule.threshold(*(parity.run(file, data.centre(images))[0] for images in kinds)), 1e-6, 1 - 1e-6))
    words = source or said[THRESHOLD_SOURCE].value.partition("; of this ")[0]
    said[THRESHOLD].value = f"{np.floor(1e6 * found) / 1e6:.6f}"  # rounded up it would reject the picture that it is the score of
    said[THRESHOLD_SOURCE].value = f"{words}; of this {said['liveproof.precision'].value} file's own scores on {len(ids)} bona fide dev crops"
    onnxgraph.save(model, file)
    _tell(file.with_name(f"{said['liveproof.name'].value}-parity.json"), said["liveproof.precision"].value, found)
    return found


def _tell(report: Path, precision: str, threshold: float) -> None:
    if not report.is_file():
        return
    told = json.loads(report.read_text())
    if row := told["scores"].get(precision):
        row["threshold"] = threshold
        whole.text(report, json.dumps(told, indent=1) + "\n")
