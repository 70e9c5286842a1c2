"""What the GPU can do without ONNX Runtime: ResNet18 in PyTorch on pictures that lie on the GPU, and copies to the GPU.

Prints one line of JSON for each figure.
"""

from __future__ import annotations

import json
import sys
import time

import torch
import torchvision

DRY = "--dry-run" in sys.argv[1:]
DEVICE = torch.device("cpu" if DRY else "cuda")
SIDE = 224


def wait() -> None:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def rate(step, seconds: float) -> float:
    """Calls a second."""
    for _ in range(1 if DRY else 5):
        step()
    wait()
    began, calls = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        for _ in range(1 if DRY else 5):
            step()
            calls += 1
        wait()
    return calls / (time.monotonic() - began)


@torch.no_grad()
def inference(kind: str, batch: int) -> float:
    """Images a second, from uint8 pictures that lie on the device."""
    dtype = torch.float16 if kind == "half" and not DRY else torch.float32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = kind != "float32"
    net = torchvision.models.resnet18().eval().to(DEVICE, dtype, memory_format=torch.channels_last)
    pictures = torch.randint(0, 256, (batch, 3, SIDE, SIDE), dtype=torch.uint8, device=DEVICE).contiguous(memory_format=torch.channels_last)
    return batch * rate(lambda: net(pictures.to(dtype) / 255), 0.5 if DRY else 1.0)


def copies(pinned: bool) -> float:
    """GB/s when a batch of 256 crops is copied to the device."""
    host = torch.randint(0, 256, (256 * SIDE * SIDE * 3,), dtype=torch.uint8)
    host = host.pin_memory() if pinned else host
    target = torch.empty_like(host, device=DEVICE)
    return len(host) / 1e9 * rate(lambda: target.copy_(host, non_blocking=pinned), 0.5)


def main() -> None:
    torch.backends.cudnn.benchmark = True
    for kind in ("tf32", "half", "float32"):
        for batch in (1, 8) if DRY else (1, 8, 64, 256):
            print("pytorch " + json.dumps({"kind": kind, "batch": batch, "images_per_s": inference(kind, batch)}), flush=True)
    for pinned in (False,) if DRY else (False, True):
        print("copy " + json.dumps({"pinned": pinned, "gb_per_s": copies(pinned)}), flush=True)


if __name__ == "__main__":
    main()
