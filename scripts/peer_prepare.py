#!/usr/bin/env python3
"""Makes the files that the peer needs, with the peer's own prepare.py: the clip, the detector and a scorer in fp32.

The scorer has our network (ResNet18 or MobileNetV2, expectation over 11 classes) with random weights: it costs as much as
ours, but its scores mean nothing. Its normalisation layers take their statistics from noise, so that no layer's values vanish.
"""

import argparse
import pathlib
import sys

import torch
import torchvision

CLASSES = 11


class Scorer(torch.nn.Module):
    def __init__(self, name):
        super().__init__()
        self.body = getattr(torchvision.models, name)(weights=None, num_classes=CLASSES)
        self.register_buffer("c", torch.linspace(0, 1, CLASSES).view(1, CLASSES))

    def forward(self, x):
        return (torch.softmax(self.body(x), 1) * self.c).sum(1, keepdim=True)


def export_scorer(name, path):
    torch.manual_seed(0)
    scorer = Scorer(name)
    for layer in scorer.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None  # the mean of all batches
    with torch.no_grad():
        for _ in range(4):
            scorer(torch.randn(8, 3, 224, 224))
    torch.onnx.export(scorer.eval(), torch.zeros(1, 3, 224, 224), str(path), input_names=["x"], output_names=["rho"],
                      dynamic_axes={"x": {0: "n"}, "rho": {0: "n"}}, opset_version=13)  # fmt: skip


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--peer", required=True, help="folder of the peer's programs")
    p.add_argument("--clip", required=True, help="Motion JPEG, 640x480 at 30 fps, that does not repeat itself")
    p.add_argument("--detector", required=True, help="RetinaFace-MobileNet0.25, ONNX with free height and width")
    p.add_argument("--network", choices=("resnet18", "mobilenet_v2"), default="resnet18")
    p.add_argument("--out", type=pathlib.Path, required=True)
    a = p.parse_args()
    sys.path.insert(0, a.peer)
    import prepare

    a.out.mkdir(parents=True, exist_ok=True)
    prepare.make_clip(a.clip, str(a.out / prepare.CLIP))
    prepare.fix_detector(a.detector, str(a.out / prepare.DETECTOR))
    export_scorer(a.network, a.out / prepare.SCORER)


if __name__ == "__main__":
    main()
