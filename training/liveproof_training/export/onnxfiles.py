"""Checkpoint -> ONNX under the model contract, in fp32, fp16 and int8, each compared with PyTorch."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from liveproof_base import manifest, whole

from .. import contract
from ..fit import checkpoint, engine
from ..loading import data, pictures
from ..method.model import LivenessNet, atoms
from . import front, half, onnxgraph, parity, quantise
from .threshold import Rule

PRECISIONS = ("fp32", "fp16", "int8")
DEV_CROPS = 2000  # at most so many for threshold and parity


class Exported(nn.Module):
    """The contract's input and outputs around the network: uint8 NHWC in, normalisation inside. Balance of light is :mod:`.front`'s."""

    def __init__(self, net: LivenessNet):
        super().__init__()
        self.net = net
        mean, std = torch.tensor(contract.IMAGENET_MEAN), torch.tensor(contract.IMAGENET_STD)
        self.register_buffer("scale", (1 / (255 * std)).view(1, 3, 1, 1))
        self.register_buffer("offset", (-mean / std).view(1, 3, 1, 1))
        self.register_buffer("atoms", atoms(net.k))  # a constant of the graph, not computed from its shapes

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = faces.permute(0, 3, 1, 2).float() * self.scale + self.offset
        probabilities = self.net.evidence(x, balanced=True).probabilities
        return probabilities @ self.atoms, probabilities


def export_fp32(net: LivenessNet, path: Path) -> None:
    """The contract's file in single precision."""
    _export_bare(net, path)
    _complete(net, path)


def _complete(net: LivenessNet, path: Path) -> None:
    if net.balances:
        model = onnx.load(path)
        front.complete(model, net.views)
        onnxgraph.save(model, path)


def _export_bare(net: LivenessNet, path: Path) -> None:
    """Without the balance of light: what the other precisions are made from."""
    size = contract.INPUT_SIZE
    free = {name: {0: "N"} for name in (contract.INPUT_NAME, contract.RHO_NAME, contract.PROBABILITIES_NAME)}
    # PyTorch 2.x has a second exporter, which opset 17 and free axes given this way are not for.
    legacy = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(
        Exported(net.cpu()).eval(),  # of the whole: the exporter puts back the mode that it found
        torch.zeros(2, size, size, 3, dtype=torch.uint8),
        str(path),
        input_names=[contract.INPUT_NAME],
        output_names=[contract.RHO_NAME, contract.PROBABILITIES_NAME],
        dynamic_axes=free,
        opset_version=contract.OPSET,
        do_constant_folding=True,
        **legacy,
    )
    onnxgraph.save(onnx.load(path), path)


@dataclasses.dataclass
class Sources:
    """What the export needs beside the weights."""

    name: str
    training_data: str
    threshold_source: str
    demo: bool


@dataclasses.dataclass
class Options:
    precisions: tuple[str, ...] = PRECISIONS
    calibration: int = 256  # training crops for the ranges of int8
    half_arithmetic: bool = False  # fp16: half.compute, not half.store
    force: bool = False  # write what is beyond the limits, too
    rule: Rule | None = None  # of the threshold; None: equal error rate on the dev crops
    crops: dict[str, data.Crops] | None = None  # "train" and "dev", in place of those in folders


class BeyondLimits(ValueError):
    """An exported file scores too differently from PyTorch; nothing was written."""


def export_all(path: Path, folder: Path | None, out: Path, sources: Sources, options: Options | None = None) -> dict[str, Path]:
    """Writes OUT/NAME-PRECISION.onnx and OUT/NAME-parity.json.

    Ranges come from the train crops, thresholds and parity from the dev crops of ``folder``; where that is None or
    has no such crops, from the data and protocol that the checkpoint was trained with. Raises BeyondLimits.
    """
    options = options or Options()
    net, state = checkpoint.load_net(path)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as scratch:
        files = _convert(net, state, folder, Path(scratch), sources.name, options)
        told = _compare(net, state, folder, files, options)
        failures = parity.failures(told)
        if failures and not options.force:
            raise BeyondLimits("; ".join(failures) + "; nothing was written (--force writes all the same)")
        for precision, file in files.items():
            _stamp(file, precision, net.k, state, sources, told)
            os.replace(file, out / file.name)
    told["beyond_limits"] = failures
    _write_report(told, out / f"{sources.name}-parity.json")
    return {precision: out / file.name for precision, file in files.items()}


def _convert(net, state: dict, folder: Path | None, out: Path, name: str, options: Options) -> dict[str, Path]:
    files = {p: out / f"{name}-{p}.onnx" for p in options.precisions}
    full = files.get("fp32", out / "full.onnx")
    _export_bare(net, full)
    if "fp16" in files:
        (half.compute if options.half_arithmetic else half.store)(full, files["fp16"])
    if "int8" in files:
        crops = _crops(state, folder, "train", options)
        ids = np.unique(np.linspace(0, len(crops) - 1, options.calibration).astype(int))
        images = data.centre(crops.images.take(ids))
        quantise.to_int8(full, files["int8"], front.balanced(images, type(net.balance)) if net.balances else images)
    for file in files.values():
        _complete(net, file)
    return files


def _crops(state: dict, folder: Path | None, role: str, options: Options) -> data.Crops:
    if options.crops is not None:
        return options.crops[role]
    config = checkpoint.settings(state)
    if folder is None:
        return data.load(config, role)
    if role in {row.split for row in manifest.read(folder)}:
        return data.load_split(folder, role)
    return data.load(config, role)  # a folder with training crops only


def _compare(net, state: dict, folder: Path | None, files: dict[str, Path], options: Options) -> dict:
    crops, rule = _crops(state, folder, "dev", options), options.rule
    ids = engine.thinned(crops.labels, DEV_CROPS if len(crops) > DEV_CROPS else 0)
    config = checkpoint.settings(state).replace(precision="fp32")
    rho, labels = parity.scores(net, config, files, pictures.Chosen(crops.images, ids)), crops.labels[ids]
    told = parity.report(rho, labels)
    if rule:
        real = parity.scores(net, config, files, rule.real) if rule.real is not None else {}
        for name, row in told["scores"].items():
            row["threshold"] = rule.threshold(rho[name][labels == 1], *([real[name]] if real else []))
    return told


def _stamp(file: Path, precision: str, k: int, state: dict, sources: Sources, told: dict) -> None:
    """Each file has its own threshold: int8 moves the scores, and one chosen on others would not keep the rule."""
    model = onnx.load(file)
    metadata = contract.Metadata(
        name=sources.name,
        threshold=float(np.clip(told["scores"][precision]["threshold"], 1e-6, 1 - 1e-6)),
        threshold_source=f"{sources.threshold_source}; of this {precision} file's own scores on {told['crops']} dev crops",
        training_data=sources.training_data,
        training_data_sha256=state["data_sha256"],
        revision=state["revision"],
        encoder=f"{checkpoint.settings(state).network.encoder}, started from {state['initial']}",
        precision=precision,
        demo=sources.demo,
        k=k,
    )
    contract.stamp(model, metadata)
    onnxgraph.save(model, file)


def _write_report(told: dict, path: Path) -> None:
    whole.text(path, json.dumps(told, indent=1) + "\n")
