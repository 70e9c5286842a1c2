"""What is adapted: a checkpoint of this trainer, or an exported file such as those that are shipped."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import torch

from ..config import TrainConfig
from ..export import parity, restore
from ..fit import checkpoint, engine
from ..loading import data
from ..method import model

CPU = torch.device("cpu")
LARGEST = 1e-2  # |delta rho| of any crop between an exported file and the network read back from it
MEAN_INT8 = 0.04  # of int8 files the mean: their activations are rounded, the network's are not
COMPARED = 32  # crops
NORM_IMAGES = 64  # bona fide crops that folded batch norms are re-estimated on


@dataclasses.dataclass
class Start:
    """``net`` in evaluation mode; ``config`` is what a checkpoint of it needs."""

    path: Path
    net: model.LivenessNet
    config: TrainConfig
    precision: str  # of the file: fp32, fp16, int8; "" for a checkpoint

    def describe(self) -> str:
        return f"{self.path.name} sha256 {hashlib.sha256(self.path.read_bytes()).hexdigest()[:16]}"

    def rho(self, images: np.ndarray) -> np.ndarray:
        """Of uint8 [N, 256, 256, 3], in float32."""
        return rho(self.net, self.config, images)


def rho(net: model.LivenessNet, config: TrainConfig, images: np.ndarray) -> np.ndarray:
    return engine.scores(net, images, config.replace(precision="fp32"), next(net.parameters()).device)


def load(path: Path) -> Start:
    """Raises FileNotFoundError, ValueError."""
    if not path.is_file():
        raise FileNotFoundError(f"--start {path}: no such file; give a checkpoint (.pt) of this trainer or an exported model (.onnx)")
    if path.suffix != ".onnx":
        net, state = checkpoint.load_net(path)
        return Start(path, net, checkpoint.settings(state), "")
    net, said = restore.restore(path)
    encoder = said["liveproof.encoder"].partition(",")[0]
    config = TrainConfig().replace(encoder=encoder, k=net.k, balance=net.balance_name)
    return Start(path, net, config, said["liveproof.precision"])


def prepare(start: Start, images: np.ndarray) -> str:
    """Checks a network that was read back from a file against that file, and gives its norms statistics of some of ``images``
    (bona fide crops, uint8 [N, 256, 256, 3]). Returns what was found; raises ValueError where the scores differ."""
    images = images[:NORM_IMAGES]
    if not start.precision:
        return "a checkpoint of this trainer"
    found = _compared(start, images[:COMPARED])
    with torch.no_grad():
        faces = torch.from_numpy(data.centre(images)).permute(0, 3, 1, 2)
        model.reestimate_batch_norm(start.net, data.normalise(faces, CPU))
    return found


def _compared(start: Start, images: np.ndarray) -> str:
    apart = np.abs(start.rho(images) - parity.run(start.path, data.centre(images))[0])
    told = f"read back from the {start.precision} file: |Δρ| on {len(images)} crops at most {apart.max():.2g}, mean {apart.mean():.2g}"
    if apart.mean() > MEAN_INT8 if start.precision == "int8" else apart.max() > LARGEST:
        raise ValueError(f"{start.path}: {told}, which is too much: take the fp16 file or a checkpoint as --start")
    return told
