"""What is before the lens or on the medium: a face with its own light, detail and backdrop. Both classes draw from the same."""

from __future__ import annotations

import torch

from . import colour, optics
from .bank import FACE
from .draws import Draws

WALLS = 0.4  # share of live faces before a plain wall
BACKDROPS = 0.5  # share of printed and shown pictures that were taken before a plain, often coloured backdrop
VIVID = (0.25, 0.65)  # share of coloured ones among the walls, among the backdrops


def detailed(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Crisper than the portraits, which are small: sharpened, with a grain of skin and hair. sRGB in and out."""
    amount = draws.sometimes(0.8, draws.uniform(0.3, 3.0))
    x = x + amount * (x - optics.blur(x, draws.uniform(0.6, 1.2)))
    grain = optics.blur(draws.white(x.shape[-1]), draws.uniform(0.4, 1.0))
    return (x * (1 + draws.sometimes(0.6, draws.log_uniform(0.01, 0.12)) * grain)).clamp(0, 1)


def alive(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """A person in a room, mostly brighter than the portraits' dark studios; sRGB in, linear light out."""
    x = _before(x, WALLS, plain(draws, x.shape[-1], 0.3, VIVID[0]), draws)
    return _lit(x, draws.uniform(0.35, 1.0), draws)


def portrayed(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """A picture worth printing or showing: often from a studio, with a plain backdrop and retouched skin; sRGB in, linear light out."""
    retouched = optics.smooth_edges_kept(x, draws.log_uniform(3e-4, 6e-3))
    x = x + draws.sometimes(0.5, draws.uniform(0.3, 1.0)) * (retouched - x)
    x = _before(x, BACKDROPS, plain(draws, x.shape[-1], 0.1, VIVID[1]), draws)
    return _lit(x, draws.uniform(0.5, 1.15), draws)


def _lit(x: torch.Tensor, saturation: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Tone, colour and light."""
    x = colour.saturate(colour.to_linear(x), saturation).clamp_min(0)
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


def plain(draws: Draws, side: int, darkest: float = 0.15, coloured: float = 0.5) -> torch.Tensor:
    """One colour, from grey over pastel to vivid, under a slow change of light; sRGB. ``coloured``: the share that is not grey."""
    vivid = draws.sometimes(coloured, draws.uniform(0.02, 0.5))
    tone = draws.uniform(darkest, 1.0) + vivid * (2 * torch.rand(draws.n, 3, 1, 1, device=draws.device, generator=draws.generator) - 1)
    return (tone * (1 + draws.uniform(0, 0.2) * draws.field(side, 2))).clamp(0, 1)


def _before(x: torch.Tensor, share: float, wall: torch.Tensor, draws: Draws) -> torch.Tensor:
    """That share of the heads before the wall."""
    return x + draws.chance(share) * (1 - head(draws, x.shape[-1])) * (wall - x)


def _light(draws: Draws, side: int) -> torch.Tensor:
    """Uneven light on the face: mostly gentle, sometimes from one side, sometimes from behind."""
    slope = draws.sometimes(0.6, draws.log_uniform(0.1, 1.2)) * draws.field(side, 1)
    patch = draws.sometimes(0.3, draws.log_uniform(0.05, 0.6)) * draws.field(side, 3)
    behind = draws.sometimes(0.35, draws.uniform(0.4, 3.0)) * (1 - head(draws, side))
    return torch.exp(slope + patch + behind)
