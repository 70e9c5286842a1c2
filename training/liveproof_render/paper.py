"""Print: ink gamut, halftone dots or ink-jet grain, paper fibres, folds, bending, gloss.

``Printer`` is the device with its paper, ``Print`` one sheet in front of the camera.
"""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from . import draw, geometry, light, surround
from .face import Face
from .ingredients import ALL, Ingredients
from .screen import tile

# Screen angles of cyan, magenta and yellow in degrees, as offset printing sets them; black (45) is in all three.
ANGLES = (15.0, 75.0, 0.0)

# Dots per millimetre, and height of the printed face, millimetres.
PROCESSES = {
    "laser": ((2.2, 5.5), (30, 210)),
    "offset": ((2.0, 6.0), (25, 160)),
    "inkjet": ((5.0, 13.0), (30, 210)),
    "photo": ((10.0, 20.0), (25, 160)),
}


@dataclasses.dataclass(frozen=True)
class Printer:
    """What belongs to the device, with the paper that is in it."""

    process: str  # laser | inkjet | photo | offset
    density: float  # halftone cells or ink dots per millimetre
    depth: float  # how fully the dots modulate, 0..1
    ink_floor: float  # reflectance of full ink
    saturation: float
    cast: tuple[float, float, float]  # exponent per channel: grey that is not grey
    dot_gain: float  # exponent on reflectance: > 1 darkens the middle tones
    sharpen: float  # of the driver
    contrast: float  # of the driver
    lines: float  # banding of the print head
    white: tuple[float, float, float]
    fibres: float
    mottle: float  # uneven ink, cloudy
    coat: float  # gloss, 0 (plain) .. 1 (photo paper)
    stiff: float  # 0 limp .. 1 card

    @staticmethod
    def draw(rng: np.random.Generator) -> Printer:
        process = draw.pick(rng, ["laser", "laser", "inkjet", "inkjet", "photo", "photo", "offset"])
        photo, plain = process == "photo", process in ("laser", "inkjet")
        return Printer(
            process=process,
            density=draw.log_uniform(rng, *PROCESSES[process][0]),
            depth=draw.uniform(rng, 0.02, 0.2) if photo else draw.uniform(rng, 0.4, 1.0),
            ink_floor=draw.log_uniform(rng, 0.006, 0.02) if photo else draw.log_uniform(rng, 0.02, 0.09),
            saturation=draw.uniform(rng, 0.85, 1.1) if photo else draw.uniform(rng, 0.5, 1.0),
            cast=tuple(float(c) for c in np.exp(rng.normal(0, 0.04 if photo else 0.08, 3))),
            dot_gain=draw.uniform(rng, 0.85, 1.3),
            sharpen=draw.uniform(rng, 0.0, 0.8),
            contrast=draw.uniform(rng, 0.95, 1.35),
            lines=draw.log_uniform(rng, 0.01, 0.08) if process == "inkjet" and draw.chance(rng, 0.7) else draw.uniform(rng, 0, 0.012),
            white=tuple(float(w) for w in rng.normal([0.86, 0.86, 0.86], 0.03)),
            fibres=draw.log_uniform(rng, 0.003, 0.01) if photo else draw.log_uniform(rng, 0.008, 0.04),
            mottle=draw.log_uniform(rng, 0.003, 0.012) if photo else draw.log_uniform(rng, 0.01, 0.06),
            coat=draw.uniform(rng, 0.4, 1.0) if photo else (draw.uniform(rng, 0, 0.25) if plain else draw.uniform(rng, 0.1, 0.7)),
            stiff=draw.uniform(rng, 0.4, 1.0) if photo else draw.uniform(rng, 0.0, 0.6),
        )

    def shot(self, rng: np.random.Generator, face: float, parts: Ingredients = ALL) -> Print:
        """One sheet. ``face``: height of the face in the content, pixels."""
        millimetre = face / draw.log_uniform(rng, *PROCESSES[self.process][1])  # content pixels
        limp = 1.2 - self.stiff
        sheet = Print(
            device=self,
            millimetre=millimetre,
            cells=self.density / millimetre,
            fold=draw.uniform(rng, 0.05, 0.25) if draw.chance(rng, 0.25 * limp) else 0.0,
            curve=draw.uniform(rng, 0.05, 0.4) * limp if draw.chance(rng, 0.75) else 0.0,
            gloss=self.coat * draw.log_uniform(rng, 0.06, 0.8) if draw.chance(rng, 0.65) else 0.0,
            sheen=self.coat * draw.log_uniform(rng, 0.005, 0.08),
            seed=int(rng.integers(2**31)),
            parts=parts,
        )
        return sheet.reduced()


@dataclasses.dataclass(frozen=True)
class Print:
    """One sheet in front of the camera."""

    device: Printer
    millimetre: float  # content pixels
    cells: float  # halftone cells or ink dots per content pixel
    fold: float
    curve: float
    gloss: float  # light of lamps that the coat mirrors
    sheen: float  # light of the room that it mirrors
    seed: int
    parts: Ingredients = ALL

    def reduced(self) -> Print:
        """Without what the study leaves out."""
        out, device = self, self.device
        if not self.parts.ink:
            device = dataclasses.replace(device, ink_floor=0.0, saturation=1.0, cast=(1.0, 1.0, 1.0), dot_gain=1.0, sharpen=0.0, contrast=1.0)
        if not self.parts.paper:
            device = dataclasses.replace(device, fibres=0.0, mottle=0.0, white=(0.86, 0.86, 0.86))
            out = dataclasses.replace(out, fold=0.0, curve=0.0, gloss=0.0, sheen=0.0)
        if not self.parts.halftone:
            device = dataclasses.replace(device, depth=0.0, lines=0.0)
        return dataclasses.replace(out, device=device)

    def radiance(self, picture: np.ndarray, view: geometry.View, time: float) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        d = self.device
        ink = geometry.sample_picture(self._inked(picture), view)
        ink = self._dots(rng, ink, view)
        white = np.asarray(d.white, np.float32)
        out = white * np.float32(d.ink_floor) + (white * np.float32(1 - d.ink_floor)) * ink
        along = _along(rng, view)
        out *= (self._texture(rng, ink, view) * self._shading(rng, along))[..., None]
        if self.gloss or self.sheen:
            out += self._mirrored(rng, view, along)[..., None]
        return out

    def _inked(self, picture: np.ndarray) -> np.ndarray:
        """Reflectance in [0, 1] that the printer aims at: driver's sharpening and contrast, gamut, dot gain, cast."""
        d = self.device
        if d.sharpen:
            picture = cv2.addWeighted(picture, 1 + d.sharpen, cv2.GaussianBlur(picture, (0, 0), 1.0), -d.sharpen, 0)
        if d.contrast != 1.0:
            picture = cv2.convertScaleAbs(picture, alpha=d.contrast, beta=110 * (1 - d.contrast))
        linear = light.to_linear(picture)
        grey = light.luminance(linear)[..., None]
        linear = np.clip(grey + (linear - grey) * np.float32(d.saturation), 0, 1)
        return np.power(linear, (d.dot_gain * np.asarray(d.cast)).astype(np.float32))

    def _dots(self, rng: np.random.Generator, ink: np.ndarray, view: geometry.View) -> np.ndarray:
        d, step = self.device, self.cells * view.footprint  # cells per fine grid point
        if d.depth == 0:
            return ink
        if d.process in ("inkjet", "photo"):
            spread = np.sqrt(np.clip(ink * (1 - ink), 0, 1))
            return np.clip(ink + np.float32(0.45 * d.depth) * spread * tile("colour", view, self.cells, rng), 0, 1)
        return self._halftone(ink, view, step) if step < 1 else ink

    def _halftone(self, ink: np.ndarray, view: geometry.View, step: float) -> np.ndarray:
        """Amplitude-modulated dots: the threshold is a product of cosines turned per ink."""
        # The edge of a dot is as soft as the fine grid's step, so dots never alias before the sensor.
        hardness = np.float32(min(6.0, 0.6 / max(step, 1e-3)))
        depth = np.float32(self.device.depth * np.sinc(step))
        k = 2 * math.pi * self.cells
        planes = []
        for channel, angle in enumerate(ANGLES):
            a = math.radians(angle)
            c, s = np.float32(k * math.cos(a)), np.float32(k * math.sin(a))
            p, q = np.cos(c * view.u + s * view.v), np.cos(c * view.v - s * view.u)
            planes.append(np.clip((ink[..., channel] - (np.float32(0.5) + np.float32(0.25) * (p + q))) * hardness + np.float32(0.5), 0, 1))
        out = cv2.merge(planes)
        # Only the dots' deviation from their local mean: they add texture, not a tone curve.
        size = int(2 * math.ceil(1.5 / step) + 1)
        return ink + depth * (out - cv2.blur(out, (size, size)))

    def _texture(self, rng: np.random.Generator, ink: np.ndarray, view: geometry.View) -> np.ndarray:
        """Fibres everywhere, clouds where there is ink; sizes in millimetres."""
        d, mm = self.device, 1 / self.millimetre
        out = np.ones(view.shape, np.float32)
        if d.fibres:
            out += np.float32(d.fibres) * tile("fibre", view, 8 * mm, rng)
        if d.mottle:
            out += np.float32(d.mottle) * tile("mottle", view, 3 * mm, rng) * (1 - 0.6 * ink[..., 1])
        if d.lines:
            out += np.float32(d.lines) * tile("rows", view, 1.3 * mm, rng)
        return out

    def _shading(self, rng: np.random.Generator, along: np.ndarray) -> np.ndarray:
        """Light over a sheet that curves about one axis and may have been folded."""
        out = 1 + np.float32(self.curve) * np.sin(np.float32(rng.uniform(1, 3)) * along + np.float32(rng.uniform(0, 6)))
        if self.fold:
            crease, width = np.float32(rng.uniform(-0.6, 0.6)), np.float32(rng.uniform(0.006, 0.02))
            out -= np.float32(self.fold) * np.exp(-(((along - crease) / width) ** 2))
            out -= np.float32(0.5 * self.fold) * (along > crease)
        return np.clip(out, 0.2, 2)

    def _mirrored(self, rng: np.random.Generator, view: geometry.View, along: np.ndarray) -> np.ndarray:
        """Lamps as patches or, where the sheet curves, as a streak along the bend; a veil of the room."""
        out = np.float32(self.sheen) * (1 + light.smooth_field(rng, view.shape, 3))
        streak = draw.chance(rng, 0.5)
        if self.gloss and streak:
            centre, width = np.float32(rng.uniform(-0.9, 0.9)), np.float32(draw.log_uniform(rng, 0.05, 0.4))
            out = out + np.float32(self.gloss) * np.exp(-(((along - centre) / width) ** 2)) * (1 + 0.5 * light.smooth_field(rng, view.shape, 3))
        elif self.gloss:
            out = out + np.float32(self.gloss) * light.blobs(rng, view.shape, int(rng.integers(1, 3)), 0.35)
        return np.clip(out, 0, None)


def surroundings(rng: np.random.Generator, sheet: Print, face: Face) -> surround.Surround:
    """The sheet's white margin, where it was not cut off, and what lies behind it."""
    d, mm = sheet.device, sheet.millimetre
    margin = draw.uniform(rng, 2, 20) * mm if draw.chance(rng, 0.5) else 0.0
    return surround.Surround.sample(rng, face, (margin, margin), d.white, rim_fibre=d.fibres)


def _along(rng: np.random.Generator, view: geometry.View) -> np.ndarray:
    """Distance across the bend, -1..1 and a little more, over the view."""
    a, (h, w) = float(rng.uniform(0, math.pi)), view.shape
    x = np.linspace(-1, 1, w, dtype=np.float32) * np.float32(math.cos(a))
    y = np.linspace(-1, 1, h, dtype=np.float32) * np.float32(math.sin(a))
    return x[None] + y[:, None]
