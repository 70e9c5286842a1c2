"""One shot: where the camera stands and how its lens and sensor see, the same for every medium.

Places are pixels from the middle. The *canvas* is the flat picture (:mod:`.bank`), the *frame* what the camera delivers, ``scale`` times as large.
"""

from __future__ import annotations

import dataclasses
import math

import torch
from torch.nn import functional

from . import optics
from .draws import Draws


@dataclasses.dataclass
class Shot:
    """All [N, 1, 1, 1]; lengths in frame pixels."""

    scale: torch.Tensor  # frame pixels per canvas pixel, at most 1: how large the face is delivered
    angle: torch.Tensor
    tilt_x: torch.Tensor  # change of distance over half a canvas
    tilt_y: torch.Tensor
    lens: torch.Tensor  # Gaussian sigma
    defocus: torch.Tensor  # radius
    motion: torch.Tensor  # length
    motion_angle: torch.Tensor
    pitch: torch.Tensor  # sensor pixels may be finer than the frame's

    @staticmethod
    def draw(draws: Draws) -> Shot:
        return Shot(
            scale=draws.sometimes(0.35, draws.log_uniform(0.32, 1.0), 1.0),
            angle=draws.normal(0.06),
            tilt_x=draws.normal(0.05),
            tilt_y=draws.normal(0.05),
            lens=draws.log_uniform(0.12, 0.7),
            defocus=draws.sometimes(0.25, draws.log_uniform(0.4, 3.0)),
            motion=draws.sometimes(0.22, draws.log_uniform(1.0, 10.0)),
            motion_angle=draws.uniform(0, math.pi),
            pitch=draws.uniform(0.3, 1.0),
        )

    def places(self, side: int) -> torch.Tensor:
        """Where each frame pixel looks on the canvas, [N, 2 (x, y), side, side]."""
        at = torch.arange(side, device=self.scale.device) - side / 2 + 0.5
        x, y = at.view(1, 1, 1, -1), at.view(1, 1, -1, 1)
        cos, sin = torch.cos(self.angle) / self.scale, torch.sin(self.angle) / self.scale
        u, v = cos * x - sin * y, sin * x + cos * y
        depth = 1 + (self.tilt_x * u + self.tilt_y * v) / (side / 2)
        return torch.cat([u, v], dim=1) / depth.clamp_min(0.3)

    def spread(self) -> torch.Tensor:
        """Sigma in canvas pixels that keeps the frame's larger pixels from aliasing."""
        return 0.45 * torch.sqrt((1 / self.scale**2 - 1).clamp_min(0))

    def blurred(self, x: torch.Tensor) -> torch.Tensor:
        side = x.shape[-1]
        mtf = optics.gaussian(self.lens, side) * optics.defocus(self.defocus, side) * optics.motion(self.motion, self.motion_angle, side)
        return optics.apply(x, mtf)

    def grid(self, places: torch.Tensor, fx: torch.Tensor, fy: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
        """cos(2 pi (f · place) + phase) as the sensor reads it: blurred by the lens, then sampled, so that it may beat.

        ``fx``, ``fy``: cycles per canvas pixel, ``phase`` radians, each [N, C, 1, 1]; returns [N, C, side, side].
        Sampling at steps p turns frequency f into f − n/p with n = round(f p); the cosine of the difference is exact.
        """
        side = places.shape[-1]
        at = torch.arange(side, device=places.device) - side / 2 + 0.5
        cycles = fx * places[:, :1] + fy * places[:, 1:]
        middle = side // 2
        gx = cycles[..., middle, middle + 1] - cycles[..., middle, middle]
        gy = cycles[..., middle + 1, middle] - cycles[..., middle, middle]
        gx, gy = gx[..., None, None], gy[..., None, None]
        nx, ny = torch.round(gx * self.pitch) / self.pitch, torch.round(gy * self.pitch) / self.pitch
        beat = cycles - nx * at.view(1, 1, 1, -1) - ny * at.view(1, 1, -1, 1)
        seen = self._passes(gx, gy) * torch.exp(-3 * ((gx - nx) ** 2 + (gy - ny) ** 2) * (1 - self.pitch**2).clamp_min(0.05) * 2)
        return seen * torch.cos(2 * math.pi * beat + phase)

    def _passes(self, gx: torch.Tensor, gy: torch.Tensor) -> torch.Tensor:
        """MTF of lens, defocus, motion and the sensor's square pixels at one frequency in cycles per frame pixel."""
        f2 = gx**2 + gy**2
        x = (2 * math.pi * self.defocus * torch.sqrt(f2)).clamp_min(1e-4)
        lens = torch.exp(-2 * math.pi**2 * (0.6 * self.lens * self.pitch) ** 2 * f2) * 2 * torch.special.bessel_j1(x) / x
        moved = torch.sinc(self.motion * (gx * torch.cos(self.motion_angle) + gy * torch.sin(self.motion_angle)))
        return lens * moved * torch.sinc(gx * self.pitch) * torch.sinc(gy * self.pitch)


def look(canvas: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """The canvas at the places; what lies beyond it repeats its border."""
    side = canvas.shape[-1]
    at = (places / (side / 2)).permute(0, 2, 3, 1)
    return functional.grid_sample(canvas, at, mode="bicubic", padding_mode="border", align_corners=False).clamp_min(0)
