"""The encoders: ResNet18 (the paper's) and MobileNetV2. Input float [N, 3, H, W], ImageNet-normalised RGB; output features [N, F].

Both keep torchvision's parameter names, so that its files load as they are.
"""

from __future__ import annotations

import torch
import torchvision
from torch import nn
from torch.nn import functional

from .. import contract

STAGES = ("none", "conv1", "layer1", "layer2", "layer3")  # of freezing: outputs at stride 4, 4, 8, 16 (conv1 of MobileNetV2: 2)


class ResNet18(torchvision.models.ResNet):
    summary = "the paper's"
    size = 512
    classes = "fc."  # prefix of the classifier's parameters, which is left out
    weights = "ResNet18_Weights"
    shared = "resnet18_trunk_l3.pth"
    tensorflow_files = False

    def __init__(self):
        super().__init__(torchvision.models.resnet.BasicBlock, [2, 2, 2, 2])
        self.fc = nn.Identity()
        _replace(self.layer4, lambda m: isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3), DeepConv.like)

    def stages(self) -> dict[str, list[nn.Module]]:
        conv1 = [self.conv1, self.bn1]
        layer1, layer2 = conv1 + [self.layer1], conv1 + [self.layer1, self.layer2]
        return {"none": [], "conv1": conv1, "layer1": layer1, "layer2": layer2, "layer3": layer2 + [self.layer3]}


class Conv3x3(nn.Conv2d):
    """A 3 x 3 convolution with padding 1 under another forward pass; the parameters stay torchvision's."""

    @classmethod
    def like(cls, conv: nn.Conv2d) -> Conv3x3:
        other = cls(conv.in_channels, conv.out_channels, 3, conv.stride, 1, groups=conv.groups, bias=conv.bias is not None)
        other.load_state_dict(conv.state_dict())
        return other


class DeepConv(Conv3x3):
    """Many channels on a map of a few pixels: there oneDNN's bfloat16 convolution is half as fast as one matrix product."""

    largest = 4  # side of the output map; from 7 on the convolution is as fast

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, c, h, w = x.shape
        s = self.stride[0]
        if x.is_cuda or x.dtype is not torch.bfloat16 or h > self.largest * s:
            return super().forward(x)
        rows, columns = (h - 1) // s + 1, (w - 1) // s + 1
        padded = functional.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))
        shifted = [padded[:, i : i + s * (rows - 1) + 1 : s, j : j + s * (columns - 1) + 1 : s] for i in range(3) for j in range(3)]
        weight = self.weight.permute(0, 2, 3, 1).reshape(self.out_channels, 9 * c)
        product = functional.linear(torch.cat(shifted, dim=-1).reshape(-1, 9 * c), weight.to(x.dtype))
        return product.view(n, rows, columns, self.out_channels).permute(0, 3, 1, 2)


class StridedConv(Conv3x3):
    """Of stride 2; can pad as TensorFlow's SAME does for even inputs: right and bottom, not left and top."""

    same = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.same:
            return super().forward(x)
        padded = functional.pad(x, (0, 1, 0, 1))
        return functional.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class _Relu6(torch.autograd.Function):
    """PyTorch 1.13 has no backward pass of relu6 in bfloat16 on a CPU; clamp's is three times slower than this."""

    @staticmethod
    def forward(ctx, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu6(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        (y,) = ctx.saved_tensors
        passes = torch.ops.aten.threshold_backward
        return passes(passes(gradient, y, 0), 6 - y, 0)


class Relu6(nn.ReLU6):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.requires_grad and not x.is_cuda and x.dtype is torch.bfloat16:
            return _Relu6.apply(x)
        return super().forward(x)


def _replace(root: nn.Module, which, make) -> None:
    for parent in list(root.modules()):
        for name, child in parent.named_children():
            if which(child):
                setattr(parent, name, make(child))


class MobileNetV2(nn.Module):
    """1280 features at a sixth of ResNet18's multiply-adds.

    Weights from TensorFlow want pixels in [-1, 1] and SAME padding: :meth:`as_tensorflow` turns both on, the first as an
    affine change of the input, so that zero padding stays zero where TensorFlow has it. State dicts carry the switch.
    """

    summary = "six times fewer multiply-adds"
    size = 1280
    classes = "classifier."
    weights = "MobileNet_V2_Weights"
    shared = "mobilenet_v2_qat_dequant.pth"
    tensorflow_files = True  # the shared file is TensorFlow's

    def __init__(self):
        super().__init__()
        self.features = torchvision.models.mobilenet_v2(weights=None).features
        _replace(self.features, lambda m: isinstance(m, nn.Conv2d) and m.stride == (2, 2), StridedConv.like)
        _replace(self.features, lambda m: isinstance(m, nn.ReLU6), lambda m: Relu6(inplace=True))
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (contract.IMAGENET_MEAN, contract.IMAGENET_STD))
        self.register_buffer("scale", 2 * std, persistent=False)
        self.register_buffer("shift", 2 * mean - 1, persistent=False)
        self.tensorflow = False

    def as_tensorflow(self, on: bool = True) -> None:
        self.tensorflow = on
        for module in self.features.modules():
            if isinstance(module, StridedConv):
                module.same = on

    def get_extra_state(self) -> torch.Tensor:
        return torch.tensor(self.tensorflow)

    def set_extra_state(self, state: torch.Tensor) -> None:
        self.as_tensorflow(bool(state))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.tensorflow:
            x = x * self.scale + self.shift
        return self.features(x).mean(dim=(2, 3))

    def stages(self) -> dict[str, list[nn.Module]]:
        ends = {"none": 0, "conv1": 1, "layer1": 4, "layer2": 7, "layer3": 14}
        return {name: list(self.features[:end]) for name, end in ends.items()}


ENCODERS = {"resnet18": ResNet18, "mobilenet_v2": MobileNetV2}


def build(name: str) -> nn.Module:
    if name not in ENCODERS:
        raise ValueError(f"encoder: {name!r} is not one of {', '.join(ENCODERS)}")
    return ENCODERS[name]()
