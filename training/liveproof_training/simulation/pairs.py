"""Batches of pairs: a live picture, and an attack that shows the same face. What happens to either is drawn anew for each."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch.nn import functional

from liveproof_base import crop

from . import camera, colour, content, optics, prints, screens, shot
from .bank import FACE, Bank
from .draws import Draws

SPECIES = ("none", "print", "cut", "replay")
PRINTS, CUTS = 0.6, 0.12  # shares of prints among attacks, of cut-outs among prints
EDGES = 0.35  # share of sheets and displays that end inside the frame
WIDE = 1.6  # margin of crops that show more of what surrounds the face than the contract's
MARGINS = (0.82, 1.28)  # of the crop, over the one that is asked for: a detector is not exact


@dataclasses.dataclass
class Pairs:
    """``live`` and ``attack`` uint8 [N, 3, 256, 256]; ``species`` [N]: the attack's, an index of SPECIES."""

    live: torch.Tensor
    attack: torch.Tensor
    species: torch.Tensor


def draw(bank: Bank, ids: torch.Tensor, generator: torch.Generator | None = None) -> Pairs:
    """Pairs of the portraits ``ids`` [N], in float32 on the bank's device."""
    return draw_at((crop.MARGIN,), bank, ids, generator)[0]


@torch.no_grad()
def draw_at(margins: tuple[float, ...], bank: Bank, ids: torch.Tensor, generator: torch.Generator | None = None) -> list[Pairs]:
    """The same pairs cropped at each of ``margins``. ``bank``'s squares must reach as far: :func:`side_for`."""
    draws = Draws(len(ids), bank.squares.device, generator)
    who, rooms = content.Person.draw(bank, ids, draws), content.room(bank, draws)
    order = draws.order()
    frames, species = _attack(content.portrayed(who, rooms[order], draws), who.picture[order], rooms, draws)
    attacks = _finished(*frames, draws, margins)
    lives = _finished(*_live(content.alive(who, rooms, draws), who.matte, rooms[order], draws), draws, margins)
    return [Pairs(live, attack, species) for live, attack in zip(lives, attacks)]


def side_for(margin: float) -> int:
    """Of the bank's squares, so that the widest crop at ``margin`` is filled; a multiple of 16."""
    return 16 * math.ceil(FACE * margin * MARGINS[1] / 16)


def _live(scene: torch.Tensor, matte: torch.Tensor, others: torch.Tensor, draws: Draws) -> tuple[torch.Tensor, shot.Shot]:
    """What reaches the sensor, and how the camera stands. ``others``: rooms that are seen beside a poster or door behind the person."""
    view = shot.Shot.draw(draws)
    places = view.places(scene.shape[-1])
    posters = draws.chance(EDGES * 0.6) * prints.rectangle(places, draws, 0.5, 1.0)
    seen = shot.look(optics.blur(scene, view.spread()), places)
    behind = _behind(others, places, draws)
    away = (1 - posters) * draws.chance(EDGES * 0.6) * (1 - shot.look(matte, places))
    return view.blurred(seen + away * (behind - seen)), view


def _attack(scene: torch.Tensor, others: torch.Tensor, rooms: torch.Tensor, draws: Draws) -> tuple[tuple[torch.Tensor, shot.Shot], torch.Tensor]:
    """As :func:`_live`, and the species. A print and a display are made for all, and one of them thrown away: that costs less than sorting."""
    view = shot.Shot.draw(draws)
    taken = _first_camera(scene, draws)
    cut, is_print = draws.chance(CUTS), draws.chance(PRINTS) > 0
    sheet = prints.inked(taken, draws)
    sheet = prints.worn(sheet, draws)
    sheet = torch.where(cut > 0, prints.eyeholes(sheet, colour.to_linear(others), draws), sheet)
    fineness = draws.log_uniform(0.45, 6.0)
    canvas = torch.where(is_print, sheet, screens.shown(taken, fineness, draws))
    flat = view.places(scene.shape[-1])
    places = torch.where(is_print, prints.curled(flat, draws), flat)
    seen = shot.look(optics.blur(canvas, view.spread()), places)
    room = colour.to_linear(others)
    seen = torch.where(is_print, prints.laid(seen, places, draws), screens.lit(seen, places, room, draws))
    inside = 1 - draws.chance(EDGES) * (1 - prints.rectangle(places, draws, 0.55, 1.05))
    seen = seen * torch.exp(draws.normal(0.35) - 0.75 * is_print)  # a sheet is in the shade of whoever holds the camera
    seen = view.blurred(inside * seen + (1 - inside) * _behind(rooms, places, draws))
    grid = torch.where(is_print, prints.dots(seen, places, view, draws), screens.pixels(seen, places, view, fineness, draws))
    species = torch.where(is_print, 1 + (cut > 0).long(), torch.full_like(cut, 3, dtype=torch.long)).view(-1)
    return (inside * grid + (1 - inside) * seen, view), species


def _behind(rooms: torch.Tensor, places: torch.Tensor, draws: Draws) -> torch.Tensor:
    """What is seen beside the medium or the head: a room, or something plain; linear, in the frame."""
    room = optics.blur(shot.look(rooms, 0.9 * places), draws.log_uniform(0.5, 15))
    return colour.to_linear(torch.where(draws.chance(0.6) > 0, room, content.plain(draws, rooms.shape[-1])).clamp(0, 1)) * draws.log_uniform(0.2, 4.0)


def _first_camera(scene: torch.Tensor, draws: Draws) -> torch.Tensor:
    """The picture that is printed or shown was taken and kept somehow; linear in and out."""
    blurred = optics.blur(scene, draws.sometimes(0.6, draws.log_uniform(0.25, 1.5)))
    taken = colour.to_srgb(blurred / (colour.white(blurred) * draws.log_uniform(0.8, 1.5)))
    return colour.to_linear(camera.delivered(taken, draws))


def _finished(radiance: torch.Tensor, view: shot.Shot, draws: Draws, margins: tuple[float, ...]) -> list[torch.Tensor]:
    """Frame and its crops, uint8."""
    return [(255 * x + 0.5).clamp(0, 255).to(torch.uint8) for x in _crops(camera.picture(radiance, draws), view, draws, margins)]


def _crops(frame: torch.Tensor, view: shot.Shot, draws: Draws, margins: tuple[float, ...]) -> list[torch.Tensor]:
    """256 pixels about the face at each margin, by a detector that is not exact; a frame that ends beside the face repeats its border."""
    found, off = draws.uniform(*MARGINS), torch.cat([draws.normal(0.02), draws.normal(0.02)], dim=1)  # shares of the contract's crop
    ends = FACE * view.scale * draws.sometimes(0.45, draws.uniform(0.45, 0.75), 9.0)
    return [_square(frame, margin * FACE * view.scale * found, crop.MARGIN / margin * off, ends) for margin in margins]


def _square(frame: torch.Tensor, side: torch.Tensor, off: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """``side`` [N, 1, 1, 1] frame pixels wide, ``off`` [N, 2 (x, y), 1, 1] of them from the middle; nothing is seen left and right of ``ends``."""
    at = (torch.arange(crop.SIZE, device=frame.device) + 0.5) / crop.SIZE - 0.5
    x = (side * (at.view(1, 1, 1, -1) + off[:, :1])).expand(-1, -1, crop.SIZE, -1)
    x = torch.minimum(torch.maximum(x, -ends), ends)
    y = (side * (at.view(1, 1, -1, 1) + off[:, 1:])).expand(-1, -1, -1, crop.SIZE)
    return functional.grid_sample(
        frame,
        torch.cat([x, y], dim=1).permute(0, 2, 3, 1) / (frame.shape[-1] / 2),
        mode="bicubic",
        padding_mode="border",
        align_corners=False,
    )
