"""A face on a display: its tones, its pixels before the sensor's, the room in its glass. Linear light in and out."""

from __future__ import annotations

import math

import torch

from . import colour, optics
from .draws import Draws
from .prints import spot
from .shot import Shot, look

THIRDS = (0.0, 2 * math.pi / 3, 4 * math.pi / 3)  # where red, green and blue lie in a pixel


def shown(x: torch.Tensor, fineness: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Emitted light of the picture ``x``; ``fineness``: display pixels per canvas pixel."""
    x = x / (colour.white(x) * draws.log_uniform(0.8, 1.5))
    x = optics.blur(x, torch.sqrt((0.42 / fineness) ** 2 + draws.sometimes(0.6, draws.log_uniform(0.3, 1.8)) ** 2))
    x = colour.saturate(colour.to_srgb(x), draws.uniform(1.0, 1.8)).clamp(0, 1)
    x = x.clamp_min(1e-4) ** draws.uniform(1.8, 2.7)
    black = draws.log_uniform(0.0005, 0.03)
    tint = colour.balanced(torch.exp(draws.normal(0.08, 3)) * torch.tensor([0.97, 1.0, 1.08], device=x.device).view(1, 3, 1, 1))
    washed = draws.sometimes(0.3, draws.uniform(0.02, 0.15))  # seen from the side
    return tint * (washed * 0.4 + (1 - washed) * (black + (1 - black) * x))


def lit(x: torch.Tensor, places: torch.Tensor, room: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Radiance in the frame: uneven backlight, bands before a rolling shutter, ``room`` (linear, canvas) mirrored in the glass."""
    side = x.shape[-1]
    x = x * (1 + draws.sometimes(0.5, draws.uniform(0.02, 0.25)) * draws.field(side, 2))
    x = x * _bands(draws, side) * (1 + draws.sometimes(0.2, draws.log_uniform(0.01, 0.08)) * draws.white(side))
    ghost = optics.blur(look(room, 0.8 * places), draws.log_uniform(2, 12))
    glass = draws.sometimes(0.5, draws.log_uniform(0.003, 0.08)) * ghost
    haze = draws.sometimes(0.4, draws.log_uniform(0.003, 0.08)) * (0.6 + 0.5 * draws.field(side, 3)).clamp_min(0)
    lamp = draws.sometimes(0.2, draws.log_uniform(0.1, 1.5)) * spot(draws, side)
    return x + glass + (haze + lamp) * colour.balanced(torch.exp(draws.normal(0.1, 3)))


def _bands(draws: Draws, side: int) -> torch.Tensor:
    y = torch.arange(side, device=draws.device).view(1, 1, -1, 1) / side
    wave = torch.sin(2 * math.pi * (draws.uniform(0.7, 9) * y + draws.uniform(0, 1)))
    return 1 + draws.sometimes(0.25, draws.log_uniform(0.01, 0.2)) * (1.5 * wave).clamp(-1, 1)


def pixels(x: torch.Tensor, places: torch.Tensor, shot: Shot, fineness: torch.Tensor, draws: Draws) -> torch.Tensor:
    """The grid of coloured stripes over the radiance ``x``, as the sensor reads it: seen, beating with it, or too fine."""
    angle = draws.normal(0.02) + draws.chance(0.4) * math.pi / 2  # a phone held upright has its rows across
    fx, fy = fineness * torch.cos(angle), fineness * torch.sin(angle)
    thirds = torch.tensor(THIRDS, device=x.device).view(1, 3, 1, 1)
    stripes = shot.grid(places, fx, fy, draws.uniform(0, 6.3) + thirds)
    rows = shot.grid(places, -fy, fx, draws.uniform(0, 6.3))
    strength = draws.sometimes(0.6, draws.uniform(0.1, 1.0))
    return x * (1 + strength * (1.5 * stripes + 0.5 * rows)).clamp_min(0)
