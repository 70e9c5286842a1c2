"""What light, lens and encoder do to a picture that is there already: the same face behind a veil, too bright, in a shadow, encoded coarsely.

None of it tells a person from an attack, so a model's score should not follow it. Both classes get all of it, and nothing here knows the class.
"""

from __future__ import annotations

import dataclasses

import torch

from ..settings import setting
from . import codec, colour, optics
from .draws import Draws


@dataclasses.dataclass
class Chances:
    """Share of the pictures that each disturbance is done to."""

    uneven: float = setting(0.4, "light from one side, and shadows", low=0, high=1)
    backlit: float = setting(0.4, "a dark face before a bright background", low=0, high=1)
    dark: float = setting(0.2, "a short exposure", low=0, high=1)
    bright: float = setting(0.0, "an exposure that is too long, cut off at white", low=0, high=1)
    veiled: float = setting(0.0, "a veil of stray light", low=0, high=1)
    encoded: float = setting(0.4, "noise and a codec's coarse steps, softened", low=0, high=1)


def disturbed(images: torch.Tensor, chances: Chances, generator: torch.Generator | None = None) -> torch.Tensor:
    """uint8 [N, 3, side, side] in and out, side a multiple of 16; each picture gets its own disturbances, some of them none."""
    draws = Draws(len(images), images.device, generator)
    side = images.shape[-1]
    x = colour.to_linear(images.float() / 255)
    x = x * _uneven(draws, side) ** draws.chance(chances.uneven) * _backlight(draws, side) ** draws.chance(chances.backlit)
    x = x * draws.sometimes(chances.dark, draws.log_uniform(0.15, 1.0), 1.0) * draws.sometimes(chances.bright, draws.log_uniform(1.0, 4.5), 1.0)
    x = colour.to_srgb(x.clamp(0, 1))
    x = x + draws.chance(chances.veiled) * (_veiled(x, draws) - x)
    return (255 * torch.where(draws.chance(chances.encoded) > 0, _encoded(x.clamp(0, 1), draws), x) + 0.5).clamp(0, 255).to(torch.uint8)


def _uneven(draws: Draws, side: int) -> torch.Tensor:
    """Light from one side, and shadows with soft edges."""
    slope = draws.sometimes(0.7, draws.uniform(0.1, 1.2)) * draws.field(side, 1)
    shadow = torch.sigmoid(draws.log_uniform(4, 40) * (draws.field(side, 2) - draws.normal(0.3)))
    return torch.exp(slope) * (1 - draws.sometimes(0.5, draws.uniform(0.2, 0.85)) * shadow)


def _backlight(draws: Draws, side: int) -> torch.Tensor:
    """An oval in the middle is dark, what surrounds it bright."""
    at = (torch.arange(side, device=draws.device) + 0.5) / side - 0.5
    x, y = at.view(1, 1, 1, -1) - draws.normal(0.04), at.view(1, 1, -1, 1) - draws.normal(0.04)
    radius = torch.sqrt((x / draws.uniform(0.25, 0.5)) ** 2 + (y / draws.uniform(0.35, 0.65)) ** 2)
    inside = torch.sigmoid((1 - radius) * draws.log_uniform(4, 40))
    face, around = draws.log_uniform(0.1, 1.0), draws.log_uniform(1.0, 4.0)
    return around + inside * (face - around)


def _veiled(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Behind stray light of any brightness and a slight colour, thicker here and thinner there."""
    tint = colour.balanced(torch.exp(draws.normal(0.05, 3)))
    share = draws.uniform(0.05, 0.65) * (1 + draws.sometimes(0.5, draws.uniform(0, 0.5)) * draws.field(x.shape[-1], 2))
    return x + share.clamp(0, 0.9) * (draws.uniform(0.35, 1.0) * tint - x)


def _encoded(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Coarse steps, then the softness of a deblocking filter."""
    noise = draws.sometimes(0.4, draws.log_uniform(0.002, 0.02)) * optics.blur(draws.white(x.shape[-1], 3), draws.uniform(0.0, 0.8))
    coarse = codec.code((x + noise).clamp(0, 1), draws.log_uniform(10, 90))
    return optics.blur(coarse, draws.sometimes(0.6, draws.log_uniform(0.3, 1.1)))
