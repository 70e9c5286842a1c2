"""Writes small networks that are, or are not, shaped like the RetinaFace file.

Needs the PyPI package onnx. They compute nothing useful: each output is a piece of the input,
multiplied by a constant, of the length that a 320 x 256 input has (3360 priors).
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PRIORS = 3360
OUTPUTS = {"output0": 4, "593": 2, "592": 10}


def network(path, factor=0.0, rename=None, widths=None, side=("h", "w"), priors=PRIORS):
    """factor multiplies all outputs; rename maps output names; widths their last dimensions."""
    rename, widths = rename or {}, {**OUTPUTS, **(widths or {})}
    consts = {"flat": np.array([1, -1]), "start": np.array([0]), "axis": np.array([1]), "factor": np.float32(factor)}
    nodes = [helper.make_node("Reshape", ["input0", "flat"], ["all"])]
    outputs = []
    for name, width in widths.items():
        out = rename.get(name, name)
        consts[f"{name}.end"] = np.array([priors * width])
        consts[f"{name}.shape"] = np.array([1, -1, width])
        nodes += [
            helper.make_node("Slice", ["all", "start", f"{name}.end", "axis"], [f"{name}.part"]),
            helper.make_node("Mul", [f"{name}.part", "factor"], [f"{name}.scaled"]),
            helper.make_node("Reshape", [f"{name}.scaled", f"{name}.shape"], [out]),
        ]
        outputs.append(helper.make_tensor_value_info(out, TensorProto.FLOAT, [1, "n", width]))
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("input0", TensorProto.FLOAT, [1, 3, *side])],
        outputs,
        [numpy_helper.from_array(np.asarray(v), k) for k, v in consts.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, pathlib.Path(__file__).with_name(path))


if __name__ == "__main__":
    network("nothing.onnx")  # finds no face anywhere
    network("nan.onnx", factor=float("nan"))
    network("infinite.onnx", factor=float("inf"))
    network("names.onnx", rename={"593": "confidence"})
    network("landmarks.onnx", widths={"592": 8})  # four points
    network("fixed.onnx", side=(256, 320))
    network("priors.onnx", priors=3000)  # only seen when it runs
