"""Small questions and cuts on an ONNX graph, shared by the precisions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from liveproof_base import whole

from .. import contract


def producers(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    return {name: node for node in graph.node for name in node.output}


def constants(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    return {tensor.name: tensor for tensor in graph.initializer}


def first(graph: onnx.GraphProto, kind: str) -> onnx.NodeProto:
    for node in graph.node:
        if node.op_type == kind:
            return node
    raise ValueError(f"the graph has no {kind}")


def upstream(graph: onnx.GraphProto, names: list[str]) -> list[onnx.NodeProto]:
    """The nodes that the tensors ``names`` are computed from, in the graph's order."""
    need, kept = set(names), []
    for node in reversed(graph.node):
        if need & set(node.output):
            kept.append(node)
            need |= set(node.input)
    return kept[::-1]


def up_to(model: onnx.ModelProto, names: list[str]) -> onnx.ModelProto:
    """A model whose outputs are the float tensors ``names``."""
    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    graph = cut.graph
    nodes = upstream(graph, names)
    used = {name for node in nodes for name in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in used]
    for field in (graph.node, graph.output, graph.initializer, graph.value_info):
        del field[:]
    graph.node.extend(nodes)
    graph.initializer.extend(weights)
    graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    return cut


def drop_unused(graph: onnx.GraphProto) -> None:
    """Leaves out the constants that no node reads, and what was said about tensors that may be gone."""
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    del graph.value_info[:]
    graph.initializer.extend(kept)


def session(model: onnx.ModelProto | Path, threads: int = 0, optimised: bool = True) -> onnxruntime.InferenceSession:
    """On the CPU. ``optimised`` False runs node by node, so that every tensor is rounded to its own type."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave the cores to others
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    options.add_session_config_entry("session.x64quantprecision", "1")  # exact sums without VNNI too, as the service has them
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def outputs(model: onnx.ModelProto, names: list[str], images: np.ndarray, batch: int = 16):
    """Yields the tensors ``names`` for each batch of uint8 [N, 224, 224, 3]."""
    run = session(up_to(model, names))
    for start in range(0, len(images), batch):
        yield run.run(names, {contract.INPUT_NAME: images[start : start + batch]})


def save(model: onnx.ModelProto, path: Path) -> None:
    """Checked, and whole or not at all."""
    model.ir_version = contract.IR_VERSION
    onnx.checker.check_model(model)
    with whole.file(path) as partial:
        onnx.save(model, partial)
