"""float32 graph -> half precision: halves on disk only, or in the arithmetic too (docs/model-contract.md says which when)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from . import onnxgraph

HALF_FROM = 256  # elements; smaller tensors stay float32 on disk


def store(source: Path, path: Path) -> None:
    """Stores the large weights as float16 and widens them when loaded: half the file, float32 arithmetic."""
    model = onnx.load(source)
    graph, casts = model.graph, []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type == TensorProto.FLOAT and values.size >= HALF_FROM:
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(round_together(values), f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], name=f"widen_{name}", to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    onnxgraph.save(model, path)


def round_together(weights: np.ndarray) -> np.ndarray:
    """float16 of weights [out, ...], each rounded so that it makes up for the error of those before it in the same output.

    Inputs of a rectified network are mostly positive and alike, so an output's error follows the sum of its weights' errors, which
    stays below one rounding step. It halves the largest |delta rho| of rounding each weight for itself.
    """
    rows = weights.reshape(weights.shape[0], -1).astype(np.float64)
    out, error = np.empty(rows.shape, np.float16), np.zeros(len(rows))
    for column in range(rows.shape[1]):
        wanted = rows[:, column] + error
        out[:, column] = wanted
        error = wanted - out[:, column]
    return out.reshape(weights.shape)


def compute(source: Path, path: Path) -> None:
    """Half arithmetic after the first convolution, up to the head's product.

    The rounding of pixels would show in the scores, so the first convolution stays float32, as do softmax and expectation.
    ONNX Runtime on a CPU has no half arithmetic: there it computes in float32 all the same.
    """
    model = onnx.load(source)
    middle = _middle(model.graph)
    _narrow_constants(model.graph, middle)
    _cast_across(model.graph, middle)
    onnxgraph.save(model, path)


def _middle(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    nodes = list(graph.node)
    end = max(n for n, node in enumerate(nodes) if node.op_type == "Gemm")
    return nodes[nodes.index(onnxgraph.first(graph, "Conv")) + 1 : end + 1]


def _narrow_constants(graph: onnx.GraphProto, middle: list[onnx.NodeProto]) -> None:
    read = {name for node in middle for name in node.input}
    for tensor in [t for t in graph.initializer if t.name in read] + _inline(graph, read):
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), tensor.name))


def _inline(graph: onnx.GraphProto, read: set[str]) -> list[onnx.TensorProto]:
    """Values of Constant nodes (the bounds of Clip)."""
    nodes = [node for node in graph.node if node.op_type == "Constant" and node.output[0] in read]
    return [a.t for node in nodes for a in node.attribute if a.name == "value"]


def _cast_across(graph: onnx.GraphProto, middle: list[onnx.NodeProto]) -> None:
    """A cast to half where a tensor enters, one to float where one leaves."""
    inside = {id(node) for node in middle}
    made = {name for node in middle for name in node.output}
    outside = [node for node in graph.node if id(node) not in inside]
    enter = {node.input[0] for node in middle if node.op_type != "Constant"} - made
    leave = made & {name for node in outside for name in node.input}
    for name in sorted(enter):
        _cast(graph, middle, name, "half", TensorProto.FLOAT16)
    for name in sorted(leave):
        _cast(graph, outside, name, "wide", TensorProto.FLOAT)


def _cast(graph: onnx.GraphProto, readers: list[onnx.NodeProto], name: str, suffix: str, kind: int) -> None:
    for node in readers:
        for n, read in enumerate(node.input):
            if read == name:
                node.input[n] = f"{name}_{suffix}"
    at = next(n for n, node in enumerate(graph.node) if name in node.output)
    graph.node.insert(at + 1, helper.make_node("Cast", [name], [f"{name}_{suffix}"], name=f"{suffix}_{name}", to=kind))
