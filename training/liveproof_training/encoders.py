"""The encoders: ResNet18 (the paper's) and MobileNetV2. Input float [N, 3, H, W], ImageNet-normalised RGB; output features [N, F].

Both keep torchvision's parameter names, so that its files load as they are.
"""

from __future__ import annotations

import torch
import torchvision
from torch import nn
from torch.nn import functional

from . import contract

STAGES = ("none", "conv1", "layer1", "layer2", "layer3")  # of freezing: outputs at stride 4, 4, 8, 16 (conv1 of MobileNetV2: 2)


class ResNet18(torchvision.models.ResNet):
    size = 512
    classes = "fc."  # prefix of the classifier's parameters, which is left out
    weights = "ResNet18_Weights"
    shared = "resnet18_trunk_l3.pth"
    tensorflow_files = False

    def __init__(self):
        super().__init__(torchvision.models.resnet.BasicBlock, [2, 2, 2, 2])
        self.fc = nn.Identity()

    def stages(self) -> dict[str, list[nn.Module]]:
        conv1 = [self.conv1, self.bn1]
        layer1, layer2 = conv1 + [self.layer1], conv1 + [self.layer1, self.layer2]
        return {"none": [], "conv1": conv1, "layer1": layer1, "layer2": layer2, "layer3": layer2 + [self.layer3]}


class StridedConv(nn.Conv2d):
    """A 3 x 3 convolution of stride 2 that can pad as TensorFlow's SAME does for even inputs: right and bottom, not left and top."""

    same = False

    @staticmethod
    def like(conv: nn.Conv2d) -> "StridedConv":
        other = StridedConv(conv.in_channels, conv.out_channels, 3, 2, 1, groups=conv.groups, bias=conv.bias is not None)
        other.load_state_dict(conv.state_dict())
        return other

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.same:
            return super().forward(x)
        padded = functional.pad(x, (0, 1, 0, 1))
        return functional.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


class MobileNetV2(nn.Module):
    """1280 features at a sixth of ResNet18's multiply-adds.

    Weights from TensorFlow want pixels in [-1, 1] and SAME padding: :meth:`as_tensorflow` turns both on, the first as an
    affine change of the input, so that zero padding stays zero where TensorFlow has it. State dicts carry the switch.
    """

    size = 1280
    classes = "classifier."
    weights = "MobileNet_V2_Weights"
    shared = "mobilenet_v2_qat_dequant.pth"
    tensorflow_files = True  # the shared file is TensorFlow's

    def __init__(self):
        super().__init__()
        self.features = torchvision.models.mobilenet_v2(weights=None).features
        for parent in list(self.features.modules()):
            for name, child in parent.named_children():
                if isinstance(child, nn.Conv2d) and child.stride == (2, 2):
                    setattr(parent, name, StridedConv.like(child))
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
