"""Checkpoint -> ONNX under the model contract, in fp32, fp16 and int8."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from . import checkpoint, contract, data, engine
from .config import TrainConfig
from .model import LivenessNet

PRECISIONS = ("fp32", "fp16", "int8")
HALF_FROM = 256  # elements; smaller tensors stay float32


class Exported(nn.Module):
    """The contract's input and outputs around the network: uint8 NHWC in, normalisation inside."""

    def __init__(self, net: LivenessNet):
        super().__init__()
        self.net = net
        mean, std = torch.tensor(contract.IMAGENET_MEAN), torch.tensor(contract.IMAGENET_STD)
        self.register_buffer("scale", (1 / (255 * std)).view(1, 3, 1, 1))
        self.register_buffer("offset", (-mean / std).view(1, 3, 1, 1))

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = faces.permute(0, 3, 1, 2).float() * self.scale + self.offset
        return self.net(x)


def load_net(path: Path) -> tuple[LivenessNet, dict]:
    state = checkpoint.load(path)
    net = LivenessNet(state["config"]["k"])
    net.load_state_dict(state["model"])
    return net.eval(), state


def export_fp32(net: LivenessNet, path: Path) -> None:
    size = contract.INPUT_SIZE
    free = {name: {0: "N"} for name in (contract.INPUT_NAME, contract.RHO_NAME, contract.PROBABILITIES_NAME)}
    torch.onnx.export(
        Exported(net.cpu().eval()),
        torch.zeros(2, size, size, 3, dtype=torch.uint8),
        str(path),
        input_names=[contract.INPUT_NAME],
        output_names=[contract.RHO_NAME, contract.PROBABILITIES_NAME],
        dynamic_axes=free,
        opset_version=contract.OPSET,
        do_constant_folding=True,
    )
    model = onnx.load(path)
    model.ir_version = contract.IR_VERSION
    onnx.save(model, path)


def to_fp16(source: Path, path: Path) -> None:
    """Stores the large weights as float16 and casts them back when loaded.

    Half the file; the arithmetic stays float32, so scores move only by the rounding of weights
    and the speed is that of fp32.
    """
    model = onnx.load(source)
    casts = []
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < HALF_FROM:
            continue
        name = tensor.name
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], name=f"widen_{name}", to=TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
    onnx.checker.check_model(model)
    onnx.save(model, path)


class _Calibration(CalibrationDataReader):
    def __init__(self, images: np.ndarray, batch: int = 16):
        self.chunks = iter(np.array_split(images, max(1, len(images) // batch)))

    def get_next(self):
        chunk = next(self.chunks, None)
        return None if chunk is None else {contract.INPUT_NAME: chunk}


def to_int8(source: Path, path: Path, images: np.ndarray) -> None:
    """Static quantisation, QDQ, weights per channel, ranges from ``images`` (uint8 [N, 224, 224, 3]).

    The first convolution stays float32: it sees the finest texture, and its error is the largest (docs/training.md).
    Weights have 8 bits; 7 (``reduce_range``) would spare CPUs without VNNI from saturation but cost far more.
    """
    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared))
        quantize_static(
            str(prepared),
            str(path),
            _Calibration(images),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Add", "MaxPool", "GlobalAveragePool"],
            nodes_to_exclude=_float_part(prepared),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
    model = onnx.load(path)
    model.ir_version = contract.IR_VERSION
    onnx.save(model, path)


def _float_part(path: Path) -> list[str]:
    """Names of the nodes up to and including the first convolution."""
    names = []
    for node in onnx.load(path).graph.node:
        names.append(node.name)
        if node.op_type == "Conv":
            break
    return names


def run(path: Path, images: np.ndarray, batch: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """(rho, probabilities) of uint8 [N, 224, 224, 3] by ONNX Runtime on the CPU."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    parts = [
        session.run([contract.RHO_NAME, contract.PROBABILITIES_NAME], {contract.INPUT_NAME: images[i : i + batch]})
        for i in range(0, len(images), batch)
    ]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


@dataclasses.dataclass
class Sources:
    """What the export needs beside the weights."""

    name: str
    training_data: str
    threshold_source: str
    demo: bool


def export_all(path: Path, folder: Path, out: Path, sources: Sources, calibration: int = 256) -> dict[str, Path]:
    """Writes OUT/NAME-{fp32,fp16,int8}.onnx. ``folder``: the training crops, for the ranges of int8."""
    net, state = load_net(path)
    out.mkdir(parents=True, exist_ok=True)
    files = {p: out / f"{sources.name}-{p}.onnx" for p in PRECISIONS}
    export_fp32(net, files["fp32"])
    to_fp16(files["fp32"], files["fp16"])
    crops = data.load_split(folder, "train")
    ids = np.linspace(0, len(crops) - 1, calibration).astype(int)
    to_int8(files["fp32"], files["int8"], data.centre(crops.images[ids]))
    for precision, file in files.items():
        _stamp(file, precision, state, sources)
    return files


def _stamp(file: Path, precision: str, state: dict, sources: Sources) -> None:
    model = onnx.load(file)
    metadata = contract.Metadata(
        name=sources.name,
        threshold=state["dev"]["threshold"],
        threshold_source=sources.threshold_source,
        training_data=sources.training_data,
        training_data_sha256=state["data_sha256"],
        revision=state["revision"],
        encoder=f"resnet18, started from {state['initial']}",
        precision=precision,
        demo=sources.demo,
        k=state["config"]["k"],
    )
    contract.stamp(model, metadata)
    onnx.checker.check_model(model)
    onnx.save(model, file)


def parity(path: Path, files: dict[str, Path], images: np.ndarray) -> dict[str, dict[str, float]]:
    """Largest and mean |delta rho| of each file against PyTorch, on uint8 [N, 256, 256, 3]."""
    net, state = load_net(path)
    config = TrainConfig.from_dict({**state["config"], "precision": "fp32"})
    want = engine.scores(net, images, config, torch.device("cpu"))
    rows = {}
    for precision, file in files.items():
        delta = np.abs(run(file, data.centre(images))[0] - want)
        rows[precision] = {"max": float(delta.max()), "mean": float(delta.mean())}
    return rows
