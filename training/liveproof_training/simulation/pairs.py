"""Batches of pairs: a live picture, and an attack that shows the same face. What happens to either is drawn anew for each."""

from __future__ import annotations

import dataclasses

import torch
from torch.nn import functional

from liveproof_base import crop

from . import camera, colour, content, optics, prints, screens, shot
from .bank import FACE, SIDE, Bank
from .draws import Draws

SPECIES = ("none", "print", "cut", "replay")
PRINTS, CUTS = 0.6, 0.12  # shares of prints among attacks, of cut-outs among prints
EDGES = 0.35  # share of sheets and displays that end inside the frame
MARGINS = (0.82, 1.28)  # of the crop, over the contract's


@dataclasses.dataclass
class Pairs:
    """``live`` and ``attack`` uint8 [N, 3, 256, 256]; ``species`` [N]: the attack's, an index of SPECIES."""

    live: torch.Tensor
    attack: torch.Tensor
    species: torch.Tensor


@torch.no_grad()
def draw(bank: Bank, ids: torch.Tensor, generator: torch.Generator | None = None) -> Pairs:
    """Pairs of the portraits ``ids`` [N], in float32 on the bank's device."""
    draws = Draws(len(ids), bank.squares.device, generator)
    who, rooms = content.Person.draw(bank, ids, draws), content.room(bank, draws)
    order = draws.order()
    attack, species = _attack(content.portrayed(who, rooms[order], draws), who.picture[order], rooms, draws)
    return Pairs(_live(content.alive(who, rooms, draws), who.matte, rooms[order], draws), attack, species)


def _live(scene: torch.Tensor, matte: torch.Tensor, others: torch.Tensor, draws: Draws) -> torch.Tensor:
    """``others``: rooms that are seen beside a poster or door behind the person."""
    view = shot.Shot.draw(draws)
    places = view.places(SIDE)
    posters = draws.chance(EDGES * 0.6) * prints.rectangle(places, draws, 0.5, 1.0)
    seen = shot.look(optics.blur(scene, view.spread()), places)
    behind = _behind(others, places, draws)
    away = (1 - posters) * draws.chance(EDGES * 0.6) * (1 - shot.look(matte, places))
    return _finished(view.blurred(seen + away * (behind - seen)), view, draws)


def _attack(scene: torch.Tensor, others: torch.Tensor, rooms: torch.Tensor, draws: Draws) -> tuple[torch.Tensor, torch.Tensor]:
    """A print and a display are made for all, and one of them thrown away: that costs less than sorting."""
    view = shot.Shot.draw(draws)
    taken = _first_camera(scene, draws)
    cut, is_print = draws.chance(CUTS), draws.chance(PRINTS) > 0
    sheet = prints.inked(taken, draws)
    sheet = prints.worn(sheet, draws)
    sheet = torch.where(cut > 0, prints.eyeholes(sheet, colour.to_linear(others), draws), sheet)
    fineness = draws.log_uniform(0.45, 6.0)
    canvas = torch.where(is_print, sheet, screens.shown(taken, fineness, draws))
    flat = view.places(SIDE)
    places = torch.where(is_print, prints.curled(flat, draws), flat)
    seen = shot.look(optics.blur(canvas, view.spread()), places)
    room = colour.to_linear(others)
    seen = torch.where(is_print, prints.laid(seen, places, draws), screens.lit(seen, places, room, draws))
    inside = 1 - draws.chance(EDGES) * (1 - prints.rectangle(places, draws, 0.55, 1.05))
    seen = seen * torch.exp(draws.normal(0.35) - 0.75 * is_print)  # a sheet is in the shade of whoever holds the camera
    seen = view.blurred(inside * seen + (1 - inside) * _behind(rooms, places, draws))
    grid = torch.where(is_print, prints.dots(seen, places, view, draws), screens.pixels(seen, places, view, fineness, draws))
    species = torch.where(is_print, 1 + (cut > 0).long(), torch.full_like(cut, 3, dtype=torch.long)).view(-1)
    return _finished(inside * grid + (1 - inside) * seen, view, draws), species


def _behind(rooms: torch.Tensor, places: torch.Tensor, draws: Draws) -> torch.Tensor:
    """What is seen beside the medium or the head: a room, or something plain; linear, in the frame."""
    room = optics.blur(shot.look(rooms, 0.9 * places), draws.log_uniform(0.5, 15))
    return colour.to_linear(torch.where(draws.chance(0.6) > 0, room, content.plain(draws, SIDE)).clamp(0, 1)) * draws.log_uniform(0.2, 4.0)


def _first_camera(scene: torch.Tensor, draws: Draws) -> torch.Tensor:
    """The picture that is printed or shown was taken and kept somehow; linear in and out."""
    blurred = optics.blur(scene, draws.sometimes(0.6, draws.log_uniform(0.25, 1.5)))
    taken = colour.to_srgb(blurred / (colour.white(blurred) * draws.log_uniform(0.8, 1.5)))
    return colour.to_linear(camera.delivered(taken, draws))


def _finished(radiance: torch.Tensor, view: shot.Shot, draws: Draws) -> torch.Tensor:
    """Frame and crop, uint8."""
    return (255 * _crop(camera.picture(radiance, draws), view, draws) + 0.5).clamp(0, 255).to(torch.uint8)


def _crop(frame: torch.Tensor, view: shot.Shot, draws: Draws) -> torch.Tensor:
    """256 pixels about the face, by a detector that is not exact; a frame that ends beside the face repeats its border."""
    side = crop.MARGIN * FACE * view.scale * draws.uniform(*MARGINS)
    at = ((torch.arange(crop.SIZE, device=frame.device) + 0.5) / crop.SIZE - 0.5).view(1, 1, 1, -1)
    x = (side * (at + draws.normal(0.02))).expand(-1, -1, crop.SIZE, -1)
    y = (side * (at + draws.normal(0.02))).transpose(2, 3).expand(-1, -1, -1, crop.SIZE)
    ends = FACE * view.scale * draws.sometimes(0.45, draws.uniform(0.45, 0.75), 9.0)
    x = torch.minimum(torch.maximum(x, -ends), ends)
    return functional.grid_sample(
        frame,
        torch.cat([x, y], dim=1).permute(0, 2, 3, 1) / (frame.shape[-1] / 2),
        mode="bicubic",
        padding_mode="border",
        align_corners=False,
    )
