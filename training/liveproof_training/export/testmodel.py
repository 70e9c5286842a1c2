"""Writes the tiny ONNX files that the scorer's tests load (scorer/testdata).

``tiny.onnx`` keeps the whole model contract with no weights at all: rho is the mean of all
pixel values over 255, so a test steers the score with the brightness of the picture. The
others each break one thing.

    python3 -m liveproof_training testmodels --out ../scorer/testdata
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .. import contract


def _metadata() -> contract.Metadata:
    return contract.Metadata(
        name="tiny-mean-brightness",
        threshold=0.5,
        threshold_source="fixed, for tests",
        training_data="none: rho is the mean brightness",
        training_data_sha256="0" * 64,
        revision="test",
        encoder="none",
        precision="fp32",
        demo=True,
    )


def _constant(name: str, value) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(value, dtype=np.float32), name)


def _nodes(rho_nodes: list) -> list:
    mean = [
        helper.make_node("Cast", ["faces"], ["faces_f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["faces_f"], ["mean255"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Div", ["mean255", "c255"], ["mean"]),
    ]
    # All mass on the first and the last atom keeps sum(c_i p_i) = rho (Eq. 4).
    spread = [
        helper.make_node("Unsqueeze", ["rho", "axis1"], ["rho_column"]),
        helper.make_node("Mul", ["rho_column", "slope"], ["sloped"]),
        helper.make_node("Add", ["sloped", "offset"], ["probabilities"]),
    ]
    return mean + rho_nodes + spread


def build(rho_nodes: list, size: int = contract.INPUT_SIZE) -> onnx.ModelProto:
    """A contract-shaped graph whose ``rho_nodes`` turn ``mean`` ([N], in [0, 1]) into ``rho``."""
    k = contract.K
    slope, offset = np.zeros(k + 1), np.zeros(k + 1)
    slope[0], slope[k], offset[0] = -1, 1, 1
    nodes = _nodes(rho_nodes)
    used = {name for node in nodes for name in node.input}
    constants = [
        _constant("c255", 255.0),
        _constant("one", 1.0),
        _constant("slope", slope),
        _constant("offset", offset),
        numpy_helper.from_array(np.array([1], dtype=np.int64), "axis1"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("faces", TensorProto.UINT8, ["N", size, size, 3])],
        [
            helper.make_tensor_value_info("rho", TensorProto.FLOAT, ["N"]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", k + 1]),
        ],
        [c for c in constants if c.name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", contract.OPSET)])
    model.ir_version = contract.IR_VERSION
    model.producer_name = "liveproof"
    contract.stamp(model, _metadata())
    onnx.checker.check_model(model)
    return model


def _identity() -> list:
    return [helper.make_node("Identity", ["mean"], ["rho"])]


def _not_a_number() -> list:
    return [
        helper.make_node("Sub", ["mean", "mean"], ["zero"]),
        helper.make_node("Div", ["zero", "zero"], ["rho"]),
    ]


def _above_one() -> list:
    return [helper.make_node("Add", ["mean", "one"], ["rho"])]


def _wrong_schema() -> onnx.ModelProto:
    model = build(_identity())
    for entry in model.metadata_props:
        if entry.key == "liveproof.schema":
            entry.value = "999"
    return model


def _missing_metadata() -> onnx.ModelProto:
    model = build(_identity())
    del model.metadata_props[:]
    return model


def write_all(out: Path) -> list[Path]:
    models = {
        "tiny.onnx": build(_identity()),
        "wrong_schema.onnx": _wrong_schema(),
        "wrong_shape.onnx": build(_identity(), size=112),
        "missing_metadata.onnx": _missing_metadata(),
        "nan.onnx": build(_not_a_number()),
        "out_of_range.onnx": build(_above_one()),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, model in models.items():
        (out / name).write_bytes(model.SerializeToString())
    return [out / name for name in models]
