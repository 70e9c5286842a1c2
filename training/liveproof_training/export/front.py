"""What stands before the network in a file: the balance of light, on bytes, alike in every precision; and the mean of two views behind it."""

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
FEATURES = "mean_of_views"


def balanced(images: np.ndarray, kind: type[balance.Balance] = balance.Balance) -> np.ndarray:
    """uint8 [N, H, W, 3] as the encoder sees them, rounded to bytes, with each view: what int8's ranges are measured on."""
    device, front, parts = torch.device("cpu"), kind().eval(), []
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in (contract.IMAGENET_MEAN, contract.IMAGENET_STD))
    for chunk in np.array_split(images, max(1, len(images) // 32)):
        x = front(data.normalise(torch.from_numpy(np.ascontiguousarray(chunk.transpose(0, 3, 1, 2))), device))
        parts.append((255 * (x * deviation + mean)).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy())
    return np.concatenate(parts)


def complete(model: onnx.ModelProto, views: int) -> None:
    """The nodes of :class:`balance.Balance`, or with two views of :class:`balance.Views`, between the input and its readers: bytes in, bytes out."""
    graph = model.graph
    if views > 1:
        _average(graph, views)
    for node in graph.node:
        node.input[:] = [BALANCED if name == contract.INPUT_NAME else name for name in node.input]
    graph.initializer.extend(numpy_helper.from_array(value, f"{BALANCED}_{name}") for name, value in _constants().items())
    for node in reversed(_nodes(views)):
        graph.node.insert(0, node)


def kind(graph: onnx.GraphProto) -> str:
    """The network's setting ``balance``, read from its graph."""
    made = onnxgraph.producers(graph)
    if BALANCED not in made:
        return "off"
    return "views" if FEATURES in made else "face"


def _average(graph: onnx.GraphProto, views: int) -> None:
    """The mean over the views of what goes into the head."""
    head = onnxgraph.first(graph, "Gemm")
    pooled, place = head.input[0], list(graph.node).index(head)
    head.input[0] = FEATURES
    graph.initializer.append(numpy_helper.from_array(np.array([views, -1, _width(graph, head)], np.int64), "views_first"))
    graph.node.insert(place, helper.make_node("Reshape", [pooled, "views_first"], ["views"], name="views"))
    graph.node.insert(place + 1, helper.make_node("ReduceMean", ["views"], [FEATURES], name=FEATURES, axes=[0], keepdims=0))


def _width(graph: onnx.GraphProto, head: onnx.NodeProto) -> int:
    """Number of features; a weight that is stored in half precision is widened before the head reads it."""
    made, stored, name = onnxgraph.producers(graph), onnxgraph.constants(graph), head.input[1]
    while name not in stored:
        name = made[name].input[0]
    return max(stored[name].dims)


def _constants() -> dict[str, np.ndarray]:
    """Products stay below 2^31: 255 x AIM / DARKEST x GAIN x WHOLE is 1.25e9. Whole numbers of 32 bits, because OpenVINO has none of 64."""
    side = contract.INPUT_SIZE
    square, kept = balance.middle(side), balance.colourful(side)[None, ..., None]
    area = balance.area(side)
    return {
        "starts": np.array([square.start, square.start], np.int64),
        "ends": np.array([square.stop, square.stop], np.int64),
        "rows_and_columns": np.array([1, 2], np.int64),
        "colours": np.array([3], np.int64),
        "darkest": np.int32(balance.DARKEST * area),
        "aim": np.array(balance.AIM, np.int32) * np.int32(balance.GAIN * area),
        "luma": np.array(balance.LUMA, np.int32),
        "whole": np.int32(balance.WHOLE),
        "kept": kept.astype(np.uint16),
        "lost": (balance.WHOLE - kept).astype(np.uint16),
        "half": np.int32(balance.GAIN // 2),
        "one": np.int32(balance.GAIN),
        "white": np.int32(255),
    }


def _node(kind: str, inputs: list[str], output: str, **attributes) -> onnx.NodeProto:
    return helper.make_node(kind, [f"{BALANCED}_{name}" for name in inputs], [f"{BALANCED}_{output}"], name=f"{BALANCED}_{output}", **attributes)


def _nodes(views: int) -> list[onnx.NodeProto]:
    """The arithmetic of :mod:`balance`, in whole numbers: a processor that computes in bfloat16 leaves them as they are."""
    nodes = [
        helper.make_node("Cast", [contract.INPUT_NAME], [f"{BALANCED}_bytes"], name=f"{BALANCED}_bytes", to=TensorProto.INT32),
        _node("Slice", ["bytes", "starts", "ends", "rows_and_columns"], "square"),
        _node("ReduceSum", ["square", "rows_and_columns"], "sum", keepdims=1),
        _node("Max", ["sum", "darkest"], "level"),
        _node("Div", ["aim", "level"], "gain"),
        _node("Mul", ["bytes", "gain"], "lit"),
        *_grey_around(),
        *(_without_colour() if views > 1 else []),
        _node("Add", ["views" if views > 1 else "coloured", "half"], "with_half"),
        _node("Div", ["with_half", "one"], "rounded"),
        _node("Min", ["rounded", "white"], "cut"),
        _node("Cast", ["cut"], "", to=TensorProto.UINT8),
    ]
    nodes[-1].output[0] = BALANCED
    return nodes


def _grey_around() -> list[onnx.NodeProto]:
    return [
        _node("Mul", ["lit", "luma"], "parts"),
        _node("ReduceSum", ["parts", "colours"], "parts_sum", keepdims=1),
        _node("Div", ["parts_sum", "whole"], "grey"),
        _node("Cast", ["kept"], "kept_whole", to=TensorProto.INT32),
        _node("Cast", ["lost"], "lost_whole", to=TensorProto.INT32),
        _node("Mul", ["lit", "kept_whole"], "colour"),
        _node("Mul", ["grey", "lost_whole"], "grey_part"),
        _node("Add", ["colour", "grey_part"], "mixed"),
        _node("Div", ["mixed", "whole"], "coloured"),
    ]


def _without_colour() -> list[onnx.NodeProto]:
    return [
        _node("Concat", ["grey", "grey", "grey"], "grey_picture", axis=3),
        _node("Concat", ["coloured", "grey_picture"], "views", axis=0),
    ]
