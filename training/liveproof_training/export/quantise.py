"""float32 graph -> static int8 (QDQ): weights per channel, activations per tensor with ranges from training crops.

Three things beyond ONNX Runtime's quantiser make it faster and nearer to float32 (docs/model-contract.md has the figures):

* the first convolution reads the bytes of the picture: normalisation is folded into its weights, so pixels are not rounded
  again and no float picture is made. Its padding, zero after normalisation, becomes the nearest byte to the mean of each colour;
* rectifiers fold into the convolution or sum before them, whose range then spends no levels on what is cut off anyway;
* biases are corrected: rounded weights shift the mean of each channel, layer by layer, and the bias takes the shift back.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from liveproof_base.progress import Progress

from .. import contract
from . import onnxgraph

OPERATORS = ["Conv", "Relu", "Clip", "Add", "MaxPool", "GlobalAveragePool"]
MIDDLE = 128  # zero point of the bytes
CORRECTION_CROPS = 64
PIXELS = "centred_pixels"


class _Calibration(CalibrationDataReader):
    def __init__(self, images: np.ndarray, batch: int = 16):
        self.chunks = iter(np.array_split(images, max(1, len(images) // batch)))

    def get_next(self):
        chunk = next(self.chunks, None)
        return None if chunk is None else {contract.INPUT_NAME: chunk}


def to_int8(source: Path, path: Path, images: np.ndarray) -> None:
    """``images``: training crops, uint8 [N, 224, 224, 3], for ranges and biases."""
    with tempfile.TemporaryDirectory() as folder:
        prepared, raw = Path(folder) / "prepared.onnx", Path(folder) / "raw.onnx"
        quant_pre_process(str(source), str(prepared))
        reference = onnx.load(prepared)
        _pool_by_operator(reference.graph)
        _pad_in_convolutions(reference.graph)
        _read_bytes(reference)
        onnx.save(reference, prepared)
        _quantise(prepared, raw, images)
        model = onnx.load(raw)
    _drop_rounding_of_pixels(model.graph)
    _correct_biases(model, reference, _thin(images, CORRECTION_CROPS))
    onnxgraph.drop_unused(model.graph)
    onnxgraph.save(model, path)


def _quantise(prepared: Path, out: Path, images: np.ndarray) -> None:
    pixels = {"scale": np.array(1, np.float32), "zero_point": np.array(MIDDLE, np.uint8), "quant_type": QuantType.QUInt8}
    quantize_static(
        str(prepared),
        str(out),
        _Calibration(images),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=OPERATORS,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"TensorQuantOverrides": {PIXELS: [pixels]}},
    )


def _thin(images: np.ndarray, count: int) -> np.ndarray:
    return images[np.unique(np.linspace(0, len(images) - 1, min(count, len(images))).astype(int))]


def _pool_by_operator(graph: onnx.GraphProto) -> None:
    """A mean over height and width is a GlobalAveragePool, which can stay in bytes, and a Flatten."""
    for n, node in enumerate(graph.node):
        axes = next((list(a.ints) for a in node.attribute if a.name == "axes"), None)
        if node.op_type == "ReduceMean" and axes in ([2, 3], [-1, -2], [-2, -1]):
            pooled = f"{node.output[0]}_pooled"
            flat = helper.make_node("Flatten", [pooled], list(node.output), name=f"{node.name}_flat", axis=1)
            graph.node[n].CopyFrom(helper.make_node("GlobalAveragePool", [node.input[0]], [pooled], name=node.name))
            graph.node.insert(n + 1, flat)
            return


def _pad_in_convolutions(graph: onnx.GraphProto) -> None:
    """TensorFlow's one-sided padding is an operator of its own, which would stay float: the convolution after it takes it over."""
    made, tensors = onnxgraph.producers(graph), onnxgraph.constants(graph)
    for conv in [node for node in graph.node if node.op_type == "Conv"]:
        pad = made.get(conv.input[0])
        if pad is None or pad.op_type != "Pad":
            continue
        if len(pad.input) > 2 and pad.input[2] and numpy_helper.to_array(tensors[pad.input[2]]).any():
            raise ValueError(f"{pad.name}: pads with something else than zero, which a convolution cannot")
        border = numpy_helper.to_array(tensors[pad.input[1]])[[2, 3, 6, 7]]  # of N, C, H, W: first H and W at the start, then at the end
        pads = next(a for a in conv.attribute if a.name == "pads")
        pads.ints[:] = [int(own + more) for own, more in zip(pads.ints, border)]
        conv.input[0] = pad.input[0]
        graph.node.remove(pad)


def _read_bytes(model: onnx.ModelProto) -> None:
    """Bytes minus MIDDLE straight into the first convolution, whose weights take over the normalisation."""
    graph = model.graph
    conv = onnxgraph.first(graph, "Conv")
    pads = next(a for a in conv.attribute if a.name == "pads")
    border = list(pads.ints)
    scale, offset = _normalisation(model, conv.input[0])
    _fold(graph, conv, scale, offset)
    for node in onnxgraph.upstream(graph, [conv.input[0]]):
        graph.node.remove(node)
    pads.ints[:] = [0, 0, 0, 0]
    conv.input[0] = PIXELS
    for node in reversed(_padded_planes(graph, border, np.clip(np.round(-offset / scale), 0, 255).astype(np.uint8))):
        graph.node.insert(0, node)
    onnxgraph.drop_unused(graph)


def _normalisation(model: onnx.ModelProto, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(scale, offset) [3] of the float tensor ``name`` as a function of the bytes, found by trying."""
    size = contract.INPUT_SIZE
    images = np.stack([np.full((size, size, 3), level, np.uint8) for level in (0, 100, 255)])
    low, middle, high = (v[:, 0, 0].astype(np.float64) for v in next(onnxgraph.outputs(model, [name], images))[0])
    scale = (high - low) / 255
    if not np.allclose(low + 100 * scale, middle, atol=1e-4):
        raise ValueError("the pixels' normalisation is not affine: int8 folds only scale and offset into the first convolution")
    return scale, low


def _fold(graph: onnx.GraphProto, conv: onnx.NodeProto, scale: np.ndarray, offset: np.ndarray) -> None:
    tensors = onnxgraph.constants(graph)
    weight, bias = (numpy_helper.to_array(tensors[name]).astype(np.float64) for name in conv.input[1:3])
    bias = bias + (weight * (offset + MIDDLE * scale)[:, None, None]).sum((1, 2, 3))
    for name, values in zip(conv.input[1:3], (weight * scale[:, None, None], bias)):
        tensors[name].CopyFrom(numpy_helper.from_array(values.astype(np.float32), name))


def _padded_planes(graph: onnx.GraphProto, border: list[int], means: np.ndarray) -> list[onnx.NodeProto]:
    """Nodes from the input to PIXELS: each colour padded with its mean, then as float minus MIDDLE."""
    colours = ("red", "green", "blue")
    top, left, bottom, right = border
    pads = np.array([0, 0, top, left, 0, 0, bottom, right], np.int64)
    graph.initializer.append(numpy_helper.from_array(pads, "border"))
    graph.initializer.append(numpy_helper.from_array(np.float32(MIDDLE), "middle"))
    graph.initializer.extend(numpy_helper.from_array(mean, f"mean_{c}") for c, mean in zip(colours, means))
    return [
        helper.make_node("Transpose", [contract.INPUT_NAME], ["channels_first"], name="channels_first", perm=[0, 3, 1, 2]),
        helper.make_node("Split", ["channels_first"], list(colours), name="colours", axis=1),
        *[helper.make_node("Pad", [c, "border", f"mean_{c}"], [f"{c}_padded"], name=f"pad_{c}") for c in colours],
        helper.make_node("Concat", [f"{c}_padded" for c in colours], ["pixels"], name="pixels", axis=1),
        helper.make_node("Cast", ["pixels"], ["pixels_float"], name="pixels_float", to=TensorProto.FLOAT),
        helper.make_node("Sub", ["pixels_float", "middle"], [PIXELS], name=PIXELS),
    ]


def _drop_rounding_of_pixels(graph: onnx.GraphProto) -> None:
    """Cast, minus MIDDLE and rounding to bytes with zero point MIDDLE give back the bytes: the convolution reads them as they are."""
    made = onnxgraph.producers(graph)
    rounding = next(node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] == PIXELS)
    reader = next(node for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] == rounding.output[0])
    reader.input[0] = "pixels"
    for node in (made["pixels_float"], made[PIXELS], rounding):
        graph.node.remove(node)


def _correct_biases(model: onnx.ModelProto, reference: onnx.ModelProto, images: np.ndarray) -> None:
    """From the first convolution to the last: takes the mean error of each output channel off the (int32) bias."""
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    outputs = {node.name: node.output[0] for node in reference.graph.node if node.op_type == "Conv"}
    wanted = _channel_means(reference, [outputs[node.name] for node in convolutions], images)
    made, tensors = onnxgraph.producers(model.graph), onnxgraph.constants(model.graph)
    progress = Progress("int8: biases", len(convolutions))
    for node, want in zip(convolutions, wanted):
        (found,) = _channel_means(model, [node.output[0]], images)
        stored, step = (tensors[name] for name in made[node.input[2]].input[:2])
        corrected = numpy_helper.to_array(stored) - np.round((found - want) / numpy_helper.to_array(step))
        stored.CopyFrom(numpy_helper.from_array(corrected.astype(np.int32), stored.name))
        progress.step()


def _channel_means(model: onnx.ModelProto, names: list[str], images: np.ndarray) -> list[np.ndarray]:
    sums = [0.0] * len(names)
    for values in onnxgraph.outputs(model, names, images):
        sums = [s + v.mean(axis=(2, 3), dtype=np.float64).sum(axis=0) for s, v in zip(sums, values)]
    return [s / len(images) for s in sums]
