"""What stands before the network in a file: the balance of light, on bytes, alike in every precision."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from .. import contract
from ..loading import data
from ..method import balance
from . import onnxgraph

BALANCED = "balanced"


def balanced(images: np.ndarray) -> np.ndarray:
    """uint8 [N, H, W, 3] as the encoder sees them, rounded to bytes: what int8's ranges are measured on."""
    device, front, parts = torch.device("cpu"), balance.Balance().eval(), []
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (contract.IMAGENET_MEAN, contract.IMAGENET_STD))
    for chunk in np.array_split(images, max(1, len(images) // 32)):
        x = front(data.normalise(torch.from_numpy(np.ascontiguousarray(chunk.transpose(0, 3, 1, 2))), device))
        parts.append((255 * (x * deviation + mean)).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy())
    return np.concatenate(parts)


def prepend(model: onnx.ModelProto) -> None:
    """The nodes of :class:`balance.Balance` between the input and its readers: bytes in, bytes out."""
    graph = model.graph
    for node in graph.node:
        node.input[:] = [BALANCED if name == contract.INPUT_NAME else name for name in node.input]
    graph.initializer.extend(numpy_helper.from_array(value, f"{BALANCED}_{name}") for name, value in _constants().items())
    for node in reversed(_nodes()):
        graph.node.insert(0, node)


def stands_in(graph: onnx.GraphProto) -> bool:
    """Whether the graph balances light."""
    return BALANCED in onnxgraph.producers(graph)


def _constants() -> dict[str, np.ndarray]:
    square = balance.middle(contract.INPUT_SIZE)
    return {
        "starts": np.array([square.start, square.start], np.int64),
        "ends": np.array([square.stop, square.stop], np.int64),
        "axes": np.array([1, 2], np.int64),
        "aim": np.array(balance.AIM, np.float32),
        "darkest": np.float32(balance.DARKEST),
        "half": np.float32(0.5),
        "white": np.float32(255),
    }


def _nodes() -> list[onnx.NodeProto]:
    """Adding a half and cutting off the fraction rounds to bytes."""

    def node(kind: str, inputs: list[str], output: str, **attributes) -> onnx.NodeProto:
        return helper.make_node(kind, [f"{BALANCED}_{name}" for name in inputs], [f"{BALANCED}_{output}"], name=f"{BALANCED}_{output}", **attributes)

    nodes = [
        helper.make_node("Cast", [contract.INPUT_NAME], [f"{BALANCED}_bytes"], name=f"{BALANCED}_bytes", to=TensorProto.FLOAT),
        node("Slice", ["bytes", "starts", "ends", "axes"], "square"),
        node("ReduceMean", ["square"], "mean", axes=[1, 2], keepdims=1),
        node("Max", ["mean", "darkest"], "level"),
        node("Div", ["aim", "level"], "gain"),
        node("Mul", ["bytes", "gain"], "lit"),
        node("Add", ["lit", "half"], "rounded"),
        node("Min", ["rounded", "white"], "cut"),
        node("Cast", ["cut"], "", to=TensorProto.UINT8),
    ]
    nodes[-1].output[0] = BALANCED
    return nodes
