"""Linear light, luma, saturation. Pictures are float [N, 3, H, W] RGB, 1 = white."""

from __future__ import annotations

import torch

LUMA = (0.2126, 0.7152, 0.0722)  # BT.709


def to_linear(x: torch.Tensor) -> torch.Tensor:
    """sRGB to linear light."""
    return torch.where(x <= 0.04045, x / 12.92, ((x.clamp_min(0) + 0.055) / 1.055) ** 2.4)


def to_srgb(x: torch.Tensor) -> torch.Tensor:
    """Linear light to sRGB, clipped to [0, 1]."""
    x = x.clamp(0, 1)
    return torch.where(x <= 0.0031308, x * 12.92, 1.055 * x.clamp_min(1e-8) ** (1 / 2.4) - 0.055)


def luma(x: torch.Tensor) -> torch.Tensor:
    """[N, 1, H, W]."""
    return LUMA[0] * x[:, :1] + LUMA[1] * x[:, 1:2] + LUMA[2] * x[:, 2:]


def white(x: torch.Tensor) -> torch.Tensor:
    """Luma of a picture's bright parts, [N, 1, 1, 1]: what a printer or a display makes its white."""
    small = torch.nn.functional.avg_pool2d(luma(x), 8).flatten(1)
    return small.quantile(0.97, dim=1).clamp_min(0.05).view(-1, 1, 1, 1)


def saturate(x: torch.Tensor, amount: torch.Tensor) -> torch.Tensor:
    """Chroma times ``amount``; 1 changes nothing, 0 is grey."""
    grey = luma(x)
    return grey + amount * (x - grey)


def balanced(gain: torch.Tensor) -> torch.Tensor:
    """Channel gains [N, 3, 1, 1] that keep the luma of white."""
    return gain / luma(gain)
