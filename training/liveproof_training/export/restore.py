"""An exported file -> the PyTorch network again, to train on from a model of which only the ONNX file is there.

Batch norms were folded into the convolutions when the file was written, so each comes back as the identity plus a bias:
``model.reestimate_batch_norm`` gives it statistics again. int8 files come back with their rounded weights.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from .. import contract
from ..method.encoders import ENCODERS
from ..method.model import LivenessNet
from . import front, onnxgraph
from .quantise import MIDDLE

ONE_SIDED = [0, 0, 1, 1]  # padding of TensorFlow's strided convolutions, as int8 files have it


class NotRestorable(ValueError):
    """The file is no export of this trainer, or of an encoder that it does not know."""


def restore(path: Path) -> tuple[LivenessNet, dict[str, str]]:
    """(network in evaluation mode, the file's metadata). Raises NotRestorable."""
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf's own DecodeError, which onnx does not name
        raise NotRestorable(f"{path}: not an ONNX file ({error})") from None
    said = {p.key: p.value for p in model.metadata_props}
    net = _network(path, said, front.kind(model.graph))
    try:
        _fill(net, model.graph)
    except (KeyError, IndexError, RuntimeError, StopIteration, ValueError) as error:
        raise NotRestorable(f"{path}: its graph is not what `export` writes for {said['liveproof.encoder']} ({error})") from None
    return net.eval(), said


def _network(path: Path, said: dict[str, str], balance: str) -> LivenessNet:
    encoder = said.get("liveproof.encoder", "").partition(",")[0]
    if encoder not in ENCODERS:
        raise NotRestorable(
            f"{path}: its encoder is {encoder or 'not told'}, and only {', '.join(ENCODERS)} can be read back; give a checkpoint (.pt)"
        )
    k = said.get("liveproof.k", "")
    if not k.isdigit() or int(k) < 2:
        raise NotRestorable(f"{path}: K is {k or 'not told'}; only a network with K+1 outputs, K of at least 2, can be read back")
    return LivenessNet(int(k), encoder=encoder, balance=balance)


@torch.no_grad()
def _fill(net: LivenessNet, graph: onnx.GraphProto) -> None:
    tensors = Tensors(graph)
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    if hasattr(net.encoder, "as_tensorflow"):
        net.encoder.as_tensorflow(_is_tensorflow(graph, convolutions))
    layers, named = _layers(net), dict(net.named_modules())
    if len(layers) != len(convolutions):
        raise ValueError(f"{len(convolutions)} convolutions instead of {len(layers)}")
    for n, node in enumerate(convolutions):
        conv = named[_module(node.name)]
        weight, bias = (tensors.value(name) for name in node.input[1:3])
        if n == 0 and "border" in tensors.stored:
            weight, bias = _unfolded(net, weight, bias)
        _restore(conv, layers[conv], weight, bias)
    gemm = onnxgraph.first(graph, "Gemm")
    for parameter, name in zip((net.head.weight, net.head.bias), gemm.input[1:3]):
        _copy(parameter, tensors.value(name))


class Tensors:
    """A graph's constants as float32, through the casts and the dequantisation that stand between them and their readers."""

    def __init__(self, graph: onnx.GraphProto):
        self.stored, self.made = onnxgraph.constants(graph), onnxgraph.producers(graph)

    def value(self, name: str) -> np.ndarray:
        if name in self.stored:
            return numpy_helper.to_array(self.stored[name]).astype(np.float32)
        node = self.made[name]
        if node.op_type in ("Cast", "Identity"):  # one constant may stand for several that are equal
            return self.value(node.input[0])
        if node.op_type != "DequantizeLinear":
            raise ValueError(f"{name} is made by {node.op_type}, it is no constant")
        stored, scale, zero = (self.value(n) for n in node.input[:3])
        over = (-1, *[1] * (stored.ndim - 1)) if scale.size > 1 else ()
        return (stored - zero.reshape(over)) * scale.reshape(over)


def _is_tensorflow(graph: onnx.GraphProto, convolutions: list[onnx.NodeProto]) -> bool:
    """Padded on two sides only: by an operator of its own, or in the convolution."""
    made = onnxgraph.producers(graph)
    return any(
        (node.input[0] in made and made[node.input[0]].op_type == "Pad")
        or any(a.name == "pads" and list(a.ints) == ONE_SIDED for a in node.attribute)
        for node in convolutions
    )


def _module(node: str) -> str:
    """Name of the module whose call became a node: /encoder/layer2/layer2.0/conv1/Conv is encoder.layer2.0.conv1."""
    return ".".join(part.rpartition(".")[2] for part in node.strip("/").split("/")[:-1])


def _layers(net: LivenessNet) -> dict[nn.Conv2d, nn.BatchNorm2d]:
    """Every convolution with the batch norm that is run after it."""
    called: list[nn.Module] = []
    kinds = (nn.Conv2d, nn.BatchNorm2d)
    hooks = [m.register_forward_hook(lambda m, *_: called.append(m)) for m in net.modules() if isinstance(m, kinds)]
    try:
        net.eval()(torch.zeros(1, 3, 64, 64))
    finally:
        for hook in hooks:
            hook.remove()
    return dict(zip(called[::2], called[1::2]))


def _unfolded(net: LivenessNet, weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Takes the normalisation of bytes out of the first convolution, where int8 files have it."""
    mean, std = np.array(contract.IMAGENET_MEAN), np.array(contract.IMAGENET_STD)
    scale, offset = 1 / (255 * std), -mean / std
    if getattr(net.encoder, "tensorflow", False):  # pixels in [-1, 1]
        scale, offset = np.full(3, 2 / 255), np.full(3, -1.0)
    bias = bias - (weight * (offset / scale + MIDDLE)[:, None, None]).sum((1, 2, 3))
    return weight / scale[:, None, None], bias


def _restore(conv: nn.Conv2d, norm: nn.BatchNorm2d, weight: np.ndarray, bias: np.ndarray) -> None:
    """The folded bias becomes the norm's."""
    _copy(conv.weight, weight)
    if conv.bias is not None:
        conv.bias.zero_()
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
    norm.weight.fill_(1)
    _copy(norm.bias, bias)


def _copy(parameter: torch.Tensor, values: np.ndarray) -> None:
    if tuple(parameter.shape) != values.shape:
        raise ValueError(f"a tensor of {list(values.shape)} where {list(parameter.shape)} belongs")
    parameter.copy_(torch.from_numpy(np.ascontiguousarray(values, np.float32)))
