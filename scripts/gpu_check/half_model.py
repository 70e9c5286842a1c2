"""SOURCE FOLDER: turns a committed fp16 file (half weights, float32 arithmetic) into FOLDER/…-half-fp16.onnx with half arithmetic.

The result is for measurements. It equals that of `liveproof_training export --half-arithmetic`, except that the weights were rounded
before, in SOURCE.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import onnx
from liveproof_training.export import half, onnxgraph
from onnx import numpy_helper


def widen(model: onnx.ModelProto) -> None:
    """Replaces each half constant and the cast to float32 behind it by a float32 constant."""
    constants = onnxgraph.constants(model.graph)
    for node in [n for n in model.graph.node if n.op_type == "Cast" and n.input[0] in constants]:
        tensor = constants[node.input[0]]
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), node.output[0]))
        model.graph.node.remove(node)


def main() -> None:
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    model = onnx.load(source)
    widen(model)
    path = folder / f"{source.stem.removesuffix('-fp16')}-half-fp16.onnx"
    with tempfile.TemporaryDirectory() as scratch:
        wide = Path(scratch) / "wide.onnx"
        onnx.save(model, wide)
        half.compute(wide, path)
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
