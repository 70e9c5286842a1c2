"""Print: ink gamut, halftone or ink-jet grain, paper fibres, folds, bending, gloss."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from . import draw, geometry, light

# Screen angles of cyan, magenta and yellow in degrees, as offset printing sets them.
ANGLES = (15.0, 75.0, 0.0)
GRAIN_SIDE = 512  # pixels of the repeated noise tile


@dataclasses.dataclass
class Print:
    process: str  # halftone | grain | photo
    cells: float  # halftone cells or ink dots per content pixel
    depth: float  # how fully the dots modulate, 0..1
    ink_floor: float  # reflectance of full ink
    paper_white: tuple[float, float, float]
    saturation: float
    dot_gain: float  # exponent on reflectance: > 1 darkens the middle tones
    fibres: float
    lines: float  # banding of the print head
    fold: float
    curve: float
    gloss: float
    seed: int

    @staticmethod
    def sample(rng: np.random.Generator, scale: float) -> "Print":
        process = draw.pick(rng, ["halftone", "halftone", "grain", "grain", "photo"])
        return Print(
            process=process,
            cells=scale * (draw.log_uniform(rng, 0.12, 0.7) if process == "halftone" else draw.log_uniform(rng, 0.5, 1.6)),
            depth=draw.uniform(rng, 0.35, 1.0),
            ink_floor=draw.uniform(rng, 0.015, 0.07),
            paper_white=tuple(float(w) for w in rng.normal([0.86, 0.86, 0.85], 0.03)),
            saturation=draw.uniform(rng, 0.55, 1.0),
            dot_gain=draw.uniform(rng, 0.9, 1.35),
            fibres=draw.log_uniform(rng, 0.008, 0.05),
            lines=draw.log_uniform(rng, 0.01, 0.08) if draw.chance(rng, 0.4) else 0.0,
            fold=draw.uniform(rng, 0.05, 0.25) if draw.chance(rng, 0.25) else 0.0,
            curve=draw.uniform(rng, 0.05, 0.4) if draw.chance(rng, 0.6) else 0.0,
            # Photo paper shows no dots; what gives it away is its gloss.
            gloss=draw.log_uniform(rng, 0.04, 0.5) if draw.chance(rng, 0.9 if process == "photo" else 0.4) else 0.0,
            seed=int(rng.integers(2**31)),
        )

    def radiance(self, picture: np.ndarray, view: geometry.View, time: float) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        ink = geometry.sample_picture(self._inked(picture), view)
        ink = self._dots(rng, ink, view)
        white = np.asarray(self.paper_white, np.float32)
        out = white * (self.ink_floor + (1 - self.ink_floor) * ink)
        out *= self._texture(rng, view)[..., None]
        out *= self._shading(rng, view)[..., None]
        if self.gloss:
            out += self.gloss * light.blobs(rng, view.shape, int(rng.integers(1, 3)), 0.35)[..., None]
        return out

    def _inked(self, picture: np.ndarray) -> np.ndarray:
        """Reflectance in [0, 1] that the printer aims at: narrower gamut, dot gain."""
        linear = light.to_linear(picture)
        grey = light.luminance(linear)[..., None]
        linear = grey + (linear - grey) * np.float32(self.saturation)
        return np.power(np.clip(linear, 0, 1), np.float32(self.dot_gain))

    def _dots(self, rng: np.random.Generator, ink: np.ndarray, view: geometry.View) -> np.ndarray:
        if self.process == "photo":
            return ink
        if self.process == "grain":
            return self._grain(rng, ink, view)
        return self._halftone(ink, view)

    def _halftone(self, ink: np.ndarray, view: geometry.View) -> np.ndarray:
        """Amplitude-modulated dots: the threshold is a product of cosines turned per ink."""
        step = self.cells * view.footprint  # cells per fine grid point
        # The edge of a dot is as soft as the fine grid's step, so dots never alias before the sensor.
        hardness = np.float32(min(6.0, 0.6 / max(step, 1e-3)))
        out = np.empty_like(ink)
        for channel, angle in enumerate(ANGLES):
            a = math.radians(angle)
            k = np.float32(2 * math.pi * self.cells)
            p = np.cos(k * (math.cos(a) * view.u + math.sin(a) * view.v))
            q = np.cos(k * (math.cos(a) * view.v - math.sin(a) * view.u))
            threshold = 0.5 + 0.25 * (p + q)
            dots = np.clip((ink[..., channel] - threshold) * hardness + 0.5, 0, 1)
            out[..., channel] = dots
        # Only the dots' deviation from their local mean: they add texture, not a tone curve.
        return ink + np.float32(self.depth) * (out - cv2.GaussianBlur(out, (0, 0), 8))

    def _grain(self, rng: np.random.Generator, ink: np.ndarray, view: geometry.View) -> np.ndarray:
        """Frequency-modulated dots (ink jet, error diffusion): noise without low frequencies."""
        noise = rng.normal(0, 1, (GRAIN_SIDE, GRAIN_SIDE, 3)).astype(np.float32)
        noise -= cv2.GaussianBlur(noise, (0, 0), 2.0)
        seen = _tile(noise, view, self.cells)
        spread = np.sqrt(np.clip(ink * (1 - ink), 0, 1))
        return np.clip(ink + np.float32(0.45 * self.depth) * spread * seen, 0, 1)

    def _texture(self, rng: np.random.Generator, view: geometry.View) -> np.ndarray:
        noise = rng.normal(0, 1, (GRAIN_SIDE, GRAIN_SIDE)).astype(np.float32)
        fibres = cv2.GaussianBlur(noise, (0, 0), 1.2) * 3 + cv2.GaussianBlur(noise, (0, 0), 5) * 8
        out = 1 + np.float32(self.fibres) * _tile(fibres, view, self.cells)
        if self.lines:
            rows = rng.normal(0, 1, (GRAIN_SIDE, 1)).astype(np.float32).repeat(8, axis=1)
            out = out + np.float32(self.lines) * _tile(rows, view, self.cells * 0.4)
        return out

    def _shading(self, rng: np.random.Generator, view: geometry.View) -> np.ndarray:
        """Light over a sheet that curves about one axis and may have been folded."""
        a = float(rng.uniform(0, math.pi))
        h, w = view.shape
        x, y = np.meshgrid(np.linspace(-1, 1, w, dtype=np.float32), np.linspace(-1, 1, h, dtype=np.float32))
        t = math.cos(a) * x + math.sin(a) * y
        out = 1 + np.float32(self.curve) * np.sin(np.float32(rng.uniform(1, 3)) * t + np.float32(rng.uniform(0, 6)))
        if self.fold:
            crease = np.float32(rng.uniform(-0.6, 0.6))
            out = out * (1 - np.float32(self.fold) * (np.abs(t - crease) < 0.012) - np.float32(0.5 * self.fold) * (t > crease))
        return np.clip(out, 0.2, 2)


def _tile(noise: np.ndarray, view: geometry.View, per_pixel: float) -> np.ndarray:
    """The noise laid over the plane, ``per_pixel`` noise pixels per content pixel, wrapped."""
    step = per_pixel * view.footprint
    if step > 1:  # the grid is coarser than the noise: average first, as the lens would
        noise = cv2.GaussianBlur(noise, (0, 0), 0.5 * step)
    side_y, side_x = noise.shape[:2]
    u = np.mod(view.u * np.float32(per_pixel), side_x - 1)
    v = np.mod(view.v * np.float32(per_pixel), side_y - 1)
    return cv2.remap(noise, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
