"""What is before the lens or on the medium: a face with its own light, detail and backdrop. Both classes draw from the same."""

from __future__ import annotations

import dataclasses
import math

import torch

from . import colour, optics
from .bank import FACE, Bank
from .draws import Draws

OWN = (0.35, 0.4)  # share of living people, of pictures on media, that keep the portrait's own backdrop
WALLS = (0.45, 0.75)  # share of plain walls and studio backdrops among the others; the rest are rooms
VIVID = (0.25, 0.65)  # share of coloured ones among plain walls, among studio backdrops
MASKS = (0.08, 0.03)  # share of people with a cloth before mouth and nose
SHARPENED, SHARPER = (0.4, 0.7), 6.0  # pixels that sharpening reaches; how much of the finest it adds, at most
GRAINED = 1.4  # the grain's filter takes half of the power of white noise in the finest octave


@dataclasses.dataclass
class Person:
    """``picture`` sRGB [N, 3, side, side]; ``matte`` [N, 1, side, side], 1 where the person is."""

    picture: torch.Tensor
    matte: torch.Tensor

    @staticmethod
    def draw(bank: Bank, ids: torch.Tensor, draws: Draws) -> Person:
        """The portraits ``ids``, half of them mirrored, crisper than they are."""
        picture, matte, grain = bank.take(ids)
        mirrored = draws.chance(0.5) > 0
        picture, matte = (torch.where(mirrored, x.flip(-1), x) for x in (picture, matte))
        return Person(_detailed(picture, grain, draws), matte)


def _detailed(x: torch.Tensor, grain: torch.Tensor, draws: Draws) -> torch.Tensor:
    """What lenses and cameras will take of the finest octave is added first: by sharpening, which follows hair and edges and leaves coarser
    detail as it is, and by the grain [N, 1, 1, 1] that the skin of a portrait lacks (:func:`skin.lack`)."""
    side = x.shape[-1]
    fine = 1 - optics.gaussian(draws.uniform(*SHARPENED), side)
    x = optics.apply(x, 1 + draws.sometimes(0.8, draws.uniform(0.0, SHARPER)) * fine**2)
    amount = draws.sometimes(0.8, draws.uniform(0.3, 1.5)) * grain + draws.sometimes(0.3, draws.log_uniform(0.005, 0.03))
    pores = (1 - optics.gaussian(torch.full_like(amount, 1.6), side)) * optics.gaussian(draws.uniform(0.2, 0.5), side)
    return (x * (1 + GRAINED * amount * optics.apply(draws.white(side), pores))).clamp(0, 1)


def alive(who: Person, rooms: torch.Tensor, draws: Draws) -> torch.Tensor:
    """A person in a room, mostly brighter than the portraits' dark studios; linear light. ``rooms`` sRGB [N, 3, side, side]."""
    wall = plain(draws, rooms.shape[-1], 0.3, VIVID[0])
    x = _masked(who.picture, draws, MASKS[0])
    x = _before(x, who.matte, torch.where(draws.chance(WALLS[0]) > 0, wall, rooms), OWN[0], draws)
    return _lit(x, draws.uniform(0.35, 1.0), draws) * _light(who.matte, draws, draws.uniform(0.5, 1.0))


def portrayed(who: Person, rooms: torch.Tensor, draws: Draws) -> torch.Tensor:
    """A picture worth printing or showing: often from a studio, with a plain backdrop, even light and retouched skin; linear light."""
    x = _masked(who.picture, draws, MASKS[1])
    retouched = optics.smooth_edges_kept(x, draws.log_uniform(3e-4, 6e-3))
    x = x + draws.sometimes(0.5, draws.uniform(0.3, 1.0)) * (retouched - x)
    wall = plain(draws, rooms.shape[-1], 0.1, VIVID[1])
    x = _before(x, who.matte, torch.where(draws.chance(WALLS[1]) > 0, wall, rooms), OWN[1], draws)
    return _lit(x, draws.uniform(0.5, 1.15), draws) * _light(who.matte, draws, draws.uniform(0.0, 1.0))


def room(bank: Bank, draws: Draws) -> torch.Tensor:
    """sRGB [N, 3, side, side]: rooms of the bank, mirrored, shifted, in other tones, sharp or out of focus."""
    x = bank.rooms[torch.randint(len(bank.rooms), (draws.n,), device=draws.device, generator=draws.generator)].float() / 255
    x = torch.where(draws.chance(0.5) > 0, x.flip(-1), x)
    x = x.roll(int(torch.randint(x.shape[-1], (1,), device=draws.device, generator=draws.generator)), dims=-1)
    x = optics.blur(x, draws.sometimes(0.7, draws.log_uniform(0.5, 8.0), 0.3)).clamp(0, 1)
    return x ** draws.log_uniform(0.5, 2.0)


def plain(draws: Draws, side: int, darkest: float = 0.15, coloured: float = 0.5) -> torch.Tensor:
    """One colour, from grey over pastel to vivid, under a slow change of light; sRGB. ``coloured``: the share that is not grey."""
    vivid = draws.sometimes(coloured, draws.uniform(0.02, 0.5))
    tone = draws.uniform(darkest, 1.0) + vivid * (2 * torch.rand(draws.n, 3, 1, 1, device=draws.device, generator=draws.generator) - 1)
    return (tone * (1 + draws.uniform(0, 0.2) * draws.field(side, 2))).clamp(0, 1)


def _before(x: torch.Tensor, matte: torch.Tensor, backdrop: torch.Tensor, own: float, draws: Draws) -> torch.Tensor:
    """People before another backdrop, but for the share ``own``. The matte is drawn in a little: its rim has the old backdrop's colour."""
    inside = ((matte - 0.25) / 0.75).clamp(0, 1)
    return x + draws.chance(1 - own) * (1 - inside) * (backdrop - x)


def _masked(x: torch.Tensor, draws: Draws, share: float) -> torch.Tensor:
    """A cloth with folds before mouth and nose of that share."""
    at = (torch.arange(x.shape[-1], device=x.device) - x.shape[-1] / 2 + 0.5) / FACE
    ax, ay = at.view(1, 1, 1, -1), at.view(1, 1, -1, 1)
    reach = torch.maximum(ax.abs() / draws.uniform(0.34, 0.44), (ay - draws.uniform(0.28, 0.34)).abs() / draws.uniform(0.2, 0.27))
    edge = torch.sigmoid((1 - reach - 0.15 * (ax / 0.4) ** 2) / 0.03)
    folds = 1 + draws.uniform(0.03, 0.25) * torch.sin(2 * math.pi * ay * draws.uniform(6, 22) + draws.uniform(0, 6.3)) - 0.6 * ax**2
    return x + draws.chance(share) * edge * (plain(draws, x.shape[-1], 0.05) * folds - x)


def _lit(x: torch.Tensor, saturation: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Linear light in other tones and colours."""
    x = colour.saturate(colour.to_linear(x), saturation).clamp_min(0)
    return x.clamp_min(1e-5) ** draws.log_uniform(0.75, 1.5)


def _light(matte: torch.Tensor, draws: Draws, uneven: torch.Tensor) -> torch.Tensor:
    """Light on the face: mostly gentle, sometimes from one side, sometimes from behind; ``uneven`` times as much of it."""
    side = matte.shape[-1]
    slope = draws.sometimes(0.6, draws.log_uniform(0.1, 1.2)) * draws.field(side, 1)
    patch = draws.sometimes(0.3, draws.log_uniform(0.05, 0.6)) * draws.field(side, 3)
    behind = draws.sometimes(0.35, draws.uniform(0.4, 3.0)) * (1 - matte)
    return torch.exp(uneven * (slope + patch + behind))
