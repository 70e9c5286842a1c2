"""A face on paper: what ink keeps of a picture, and what light does on a sheet. Linear light in and out."""

from __future__ import annotations

import math

import torch

from . import colour, optics
from .bank import FACE
from .draws import Draws
from .shot import Shot

CREASES = 3  # at most


def inked(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Reflectance of the printed picture ``x`` (linear, about 1 = white): soft, of few tones, in the colours that the ink has.

    A good photo printer's errors of colour are a fraction of an office printer's.
    """
    error = draws.sometimes(0.5, draws.uniform(0.05, 0.5), 1.0)
    x = x / (colour.white(x) * draws.log_uniform(0.9, 2.0))  # printed with its own exposure
    x = optics.blur(x, draws.log_uniform(0.3, 2.6))
    grey = draws.chance(0.08)
    saturation = (1 - grey) * draws.log_uniform(0.9, 3.4)
    x = colour.saturate(colour.to_srgb(x), saturation).clamp(0, 1)
    x = torch.einsum("nij,njhw->nihw", _crosstalk(error, draws), x).clamp(0, 1)
    x = colour.to_linear(x) ** draws.log_uniform(0.6, 1.25)
    x = x * colour.balanced(torch.exp(error * draws.sometimes(0.6, draws.normal(0.15, 3))))
    ink, paper = draws.log_uniform(0.004, 0.07), draws.uniform(0.45, 0.95) * colour.balanced(torch.exp(draws.normal(0.04, 3)))
    return ink * torch.exp(error * draws.normal(0.1, 3)) + (paper - ink) * x


def worn(x: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Creases, scratches, specks and places where the picture has come off; canvas in and out."""
    side = x.shape[-1]
    paper = draws.uniform(0.4, 0.95)
    for _ in range(CREASES):
        x = x * (1 + draws.sometimes(0.12, draws.uniform(-0.35, 0.5)) * _line(draws, side))
    off = draws.sometimes(0.07, torch.sigmoid((draws.field(side, 14) - draws.uniform(0.8, 1.1)) * draws.log_uniform(20, 120)))
    x = x + off * (paper - x)
    specks = optics.blur((draws.white(side) > 2.6).float(), draws.log_uniform(0.4, 1.2))
    x = x * (1 + draws.sometimes(0.15, draws.uniform(-0.8, 2.5)) * specks)
    return x.clamp(0, 1.2)


def _line(draws: Draws, side: int) -> torch.Tensor:
    """1 along a line across the picture that is there in parts only; [N, 1, side, side]."""
    at = torch.arange(side, device=draws.device) - side / 2
    angle = draws.uniform(0, math.pi)
    across = torch.cos(angle) * at.view(1, 1, 1, -1) + torch.sin(angle) * at.view(1, 1, -1, 1)
    away = across + 3 * draws.field(side, 5) - draws.normal(0.2 * side)
    return torch.exp(-((away / draws.log_uniform(0.5, 2.5)) ** 2)) * (0.5 + draws.field(side, 8)).clamp(0, 1)


def _crosstalk(error: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Inks are not the colours that a picture is made of: [N, 3, 3], rows sum to 1."""
    off = 0.1 * error.view(-1, 1, 1) * torch.randn(draws.n, 3, 3, device=draws.device, generator=draws.generator)
    return torch.eye(3, device=draws.device) + off - off.mean(dim=2, keepdim=True)


def laid(reflectance: torch.Tensor, places: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Radiance of the sheet as it lies before the lens, in the frame: fibres, droplets, bands of the print head, light, gloss."""
    side = reflectance.shape[-1]
    x = reflectance
    middle = 4 * x.clamp(0, 1) * (1 - x.clamp(0, 1))
    droplets = draws.sometimes(0.35, draws.log_uniform(0.004, 0.12)) * optics.blur(draws.white(side, 3), draws.log_uniform(0.3, 1.2))
    fibres = draws.sometimes(0.35, draws.log_uniform(0.004, 0.05)) * optics.blur(draws.white(side), draws.uniform(0.5, 2.5)) * 2
    mottle = draws.sometimes(0.25, draws.log_uniform(0.01, 0.1)) * draws.field(side, 40)
    rows = draws.sometimes(0.1, draws.log_uniform(0.005, 0.06)) * draws.white(side)[..., :1].expand(-1, -1, -1, side)
    x = x * (1 + middle * (droplets + mottle + rows) + fibres).clamp_min(0)
    return x * _shade(places, draws) + _gloss(draws, side)


def curled(places: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Sheets bend: places move along waves."""
    wave, share = _wave(places, draws), draws.sometimes(0.5, draws.log_uniform(0.5, 6.0))
    return places + share * torch.cat([wave, wave * draws.uniform(-1, 1)], dim=1)


def _wave(places: torch.Tensor, draws: Draws) -> torch.Tensor:
    angle, length = draws.uniform(0, math.pi), draws.uniform(150, 700)
    along = torch.cos(angle) * places[:, :1] + torch.sin(angle) * places[:, 1:]
    return torch.sin(2 * math.pi * along / length + draws.uniform(0, 6.3))


def _shade(places: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Light that falls evenly or not on a flat or bent sheet."""
    bent = draws.sometimes(0.5, draws.log_uniform(0.02, 0.3)) * _wave(places, draws)
    slope = draws.log_uniform(0.02, 0.6) * draws.field(places.shape[-1], 1)
    return torch.exp(bent + slope)


def _gloss(draws: Draws, side: int) -> torch.Tensor:
    """The room on a shiny sheet: a haze, and sometimes a lamp."""
    haze = draws.sometimes(0.4, draws.log_uniform(0.003, 0.08)) * (0.6 + 0.5 * draws.field(side, 2)).clamp_min(0)
    lamp = draws.sometimes(0.2, draws.log_uniform(0.1, 1.5)) * spot(draws, side)
    return (haze + lamp) * colour.balanced(torch.exp(draws.normal(0.08, 3)))


def spot(draws: Draws, side: int) -> torch.Tensor:
    """A soft patch of light anywhere, stretched any way; [N, 1, side, side] in [0, 1]."""
    at = torch.arange(side, device=draws.device) / side - 0.5
    x, y = at.view(1, 1, 1, -1) - draws.uniform(-0.5, 0.5), at.view(1, 1, -1, 1) - draws.uniform(-0.5, 0.5)
    angle = draws.uniform(0, math.pi)
    u, v = torch.cos(angle) * x + torch.sin(angle) * y, torch.cos(angle) * y - torch.sin(angle) * x
    distance = (u / draws.log_uniform(0.03, 0.5)) ** 2 + (v / draws.log_uniform(0.03, 0.3)) ** 2
    return torch.exp(-(distance ** draws.log_uniform(0.8, 4.0)).clamp_max(50))


def dots(x: torch.Tensor, places: torch.Tensor, shot: Shot, draws: Draws) -> torch.Tensor:
    """Halftone dots of three screens over the radiance ``x``; most prints' are too fine to be seen."""
    ruling = draws.log_uniform(0.35, 6.0)  # dots per canvas pixel
    angle = draws.uniform(0, math.pi) + torch.tensor([0.26, 1.31, 0.0], device=x.device).view(1, 3, 1, 1)
    fx, fy = ruling * torch.cos(angle), ruling * torch.sin(angle)
    phase = draws.normal(3, 3)
    cells = shot.grid(places, fx, fy, phase) + shot.grid(places, -fy, fx, phase)
    tones = x / x.mean(dim=(2, 3), keepdim=True).clamp_min(1e-4)
    amount = draws.sometimes(0.4, draws.uniform(0.05, 0.6)) * (4 * tones * (2 - tones) / 4).clamp(0, 1)
    return x * (1 + amount * cells).clamp_min(0)


def eyeholes(x: torch.Tensor, behind: torch.Tensor, draws: Draws) -> torch.Tensor:
    """Eyes cut out, the person behind looks through; in some the mouth too. Canvas in and out, any light."""
    side = x.shape[-1]
    at = (torch.arange(side, device=x.device) - side / 2 + 0.5) / FACE
    ax, ay = at.view(1, 1, 1, -1), at.view(1, 1, -1, 1)

    def hole(cx: float, cy: float, rx: torch.Tensor, ry: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(40 * (1 - ((ax - cx) / rx) ** 2 - ((ay - cy) / ry) ** 2))

    rx, ry = draws.uniform(0.09, 0.15), draws.uniform(0.05, 0.1)
    mask = torch.maximum(hole(-0.17, -0.1, rx, ry), hole(0.17, -0.1, rx, ry))
    mask = torch.maximum(mask, draws.chance(0.3) * hole(0.0, 0.27, rx * 1.4, ry))
    rim = optics.blur(mask, torch.full_like(rx, 2.5))
    x = x * (1 - 0.5 * rim * (1 - mask))  # the cut's shadow
    return x + mask * (behind * draws.uniform(0.35, 1.0) - x)


def rectangle(places: torch.Tensor, draws: Draws, low: float, high: float) -> torch.Tensor:
    """1 inside a rectangle about the face, half sides ``low`` to ``high`` faces."""
    half = FACE * torch.cat([draws.uniform(low * 0.8, high), draws.uniform(low, high)], dim=1)
    off = FACE * draws.normal(0.12, 2)
    distance = (places - off).abs() - half
    return torch.sigmoid(-distance.amax(dim=1, keepdim=True) / draws.log_uniform(0.3, 1.0))
