"""What is before the lens or on the medium: a face with its own light, detail and backdrop. Both classes draw from the same."""

from __future__ import annotations

import torch

from . import colour, optics
from .bank import FACE
from .draws import Draws

WALLS = 0.3  # share of pictures before a plain wall


def detailed(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Crisper than the portraits, which are small: sharpened, with a grain of skin and hair. sRGB in and out."""
    amount = draws.sometimes(0.8, draws.uniform(0.3, 2.5))
    x = x + amount * (x - optics.blur(x, draws.uniform(0.7, 1.3)))
    grain = optics.blur(draws.white(x.shape[-1]), draws.uniform(0.4, 1.0))
    return (x * (1 + draws.sometimes(0.6, draws.log_uniform(0.01, 0.12)) * grain)).clamp(0, 1)


def dressed(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Tone, colour, light and backdrop; sRGB in, linear light out."""
    x = _walled(x, draws)
    x = colour.saturate(colour.to_linear(x), draws.uniform(0.35, 1.0)).clamp_min(0)
    x = x.clamp_min(1e-5) ** draws.log_uniform(0.75, 1.5)
    return x * _light(draws, x.shape[-1])


def head(draws: Draws, side: int) -> torch.Tensor:
    """1 in the head and shoulders of the face in the middle, soft at the rim; [N, 1, side, side]."""
    at = (torch.arange(side, device=draws.device) - side / 2 + 0.5) / FACE
    x, y = at.view(1, 1, 1, -1) + draws.normal(0.02), at.view(1, 1, -1, 1) + draws.normal(0.02)
    wobble = 1 + 0.08 * draws.field(side, 4)
    skull = (x / draws.uniform(0.4, 0.58)) ** 2 + ((y + 0.06) / draws.uniform(0.58, 0.75)) ** 2
    trunk = (x / draws.uniform(0.6, 1.0)) ** 2 + ((y - draws.uniform(0.9, 1.1)) / 0.4) ** 2
    soft = draws.log_uniform(0.02, 0.15)
    return torch.sigmoid((wobble - torch.minimum(skull, trunk)) / soft)


def plain(draws: Draws, side: int) -> torch.Tensor:
    """One colour, from grey over pastel to vivid, under a slow change of light; sRGB."""
    vivid = draws.sometimes(0.5, draws.uniform(0, 0.5))
    tone = draws.uniform(0.15, 1.0) + vivid * (2 * torch.rand(draws.n, 3, 1, 1, device=draws.device, generator=draws.generator) - 1)
    return (tone * (1 + draws.uniform(0, 0.2) * draws.field(side, 2))).clamp(0, 1)


def _walled(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    side = x.shape[-1]
    behind = draws.chance(WALLS) * (1 - head(draws, side))
    return x + behind * (plain(draws, side) - x)


def _light(draws: Draws, side: int) -> torch.Tensor:
    """Uneven light on the face: mostly gentle, sometimes from one side, sometimes from behind."""
    slope = draws.sometimes(0.6, draws.log_uniform(0.1, 1.2)) * draws.field(side, 1)
    patch = draws.sometimes(0.3, draws.log_uniform(0.05, 0.6)) * draws.field(side, 3)
    behind = draws.sometimes(0.3, draws.uniform(0.4, 3.0)) * (1 - head(draws, side))
    return torch.exp(slope + patch + behind)
