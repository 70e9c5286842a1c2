"""Block transform coding as JPEG and intra frames of video do it: colours halved, 8 x 8 cosines, steps by the standard's tables."""

from __future__ import annotations

import functools
import math

import torch
from torch.nn import functional

BLOCK = 8
# ITU-T T.81, Annex K.1: steps of luma and chroma.
_LUMA = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMA = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *((99,) * 8,) * 4,
)
_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))  # BT.601, ITU-T T.871


@functools.lru_cache(maxsize=4)
def _constants(device: torch.device) -> tuple[torch.Tensor, ...]:
    """(cosines [8, 8], steps of luma, of chroma, RGB to YCbCr and back)."""
    k, n = torch.arange(BLOCK).view(-1, 1), torch.arange(BLOCK).view(1, -1)
    cosines = torch.cos(math.pi * (2 * n + 1) * k / (2 * BLOCK)) * math.sqrt(2 / BLOCK)
    cosines[0] /= math.sqrt(2)
    matrix = torch.tensor(_YCBCR)
    return tuple(t.to(device) for t in (cosines, torch.tensor(_LUMA).float(), torch.tensor(_CHROMA).float(), matrix, torch.linalg.inv(matrix)))


def code(x: torch.Tensor, quality: torch.Tensor) -> torch.Tensor:
    """sRGB [N, 3, H, W] in [0, 1] after a codec of ``quality`` 1 to 100 [N, 1, 1, 1]; H and W multiples of 16."""
    cosines, luma_steps, chroma_steps, matrix, back = _constants(x.device)
    # libjpeg's rule from quality to the tables' scale.
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50).clamp_min(0.01)
    planes = torch.einsum("ij,njhw->nihw", matrix, 255 * x)
    luma = _round_blocks(planes[:, :1] - 128, luma_steps, scale, cosines) + 128
    chroma = _round_blocks(functional.avg_pool2d(planes[:, 1:], 2), chroma_steps, scale, cosines)
    chroma = functional.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    return (torch.einsum("ij,njhw->nihw", back, torch.cat([luma, chroma], dim=1)) / 255).clamp(0, 1)


def _round_blocks(plane: torch.Tensor, steps: torch.Tensor, scale: torch.Tensor, cosines: torch.Tensor) -> torch.Tensor:
    n, c, h, w = plane.shape
    blocks = plane.view(n, c, h // BLOCK, BLOCK, w // BLOCK, BLOCK).transpose(3, 4)
    coefficients = cosines @ blocks @ cosines.T
    step = (steps * scale[..., None, None]).clamp_min(1)
    return (cosines.T @ (torch.round(coefficients / step) * step) @ cosines).transpose(3, 4).reshape(n, c, h, w)
