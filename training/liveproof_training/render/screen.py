"""Screen replay: subpixels, backlight, gamma, reflections, refresh bands."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from . import draw, geometry, light

# Start of the red, green and blue stripe within one display pixel.
LAYOUTS = {"rgb": (0.0, 1 / 3, 2 / 3), "bgr": (2 / 3, 1 / 3, 0.0)}


def pulse(x: np.ndarray, start: float, width: float, footprint: float) -> np.ndarray:
    """Exact mean of a periodic pulse (period 1) over windows of ``footprint`` around ``x``, divided by its duty."""

    def integral(t: np.ndarray) -> np.ndarray:
        t = t - np.float32(start)
        whole = np.floor(t)
        return whole * np.float32(width) + np.minimum(t - whole, np.float32(width))

    half = np.float32(footprint / 2)
    return (integral(x + half) - integral(x - half)) / np.float32(footprint * width)


@dataclasses.dataclass
class Screen:
    pitch: float  # display pixels per content pixel
    layout: str
    portrait: bool  # subpixel stripes run along x (a phone turned by 90 degrees)
    stripe: float  # width of one subpixel, share of the pixel, <= 1/3
    row: float  # height of the lit part, share of the pixel
    stagger: float  # shift of every second row, share of the pixel (0: stripes)
    gamma: float
    black: float  # light that leaks through black, share of white
    tint: tuple[float, float, float]
    uneven: float
    angle_wash: float  # loss of contrast seen from the side
    reflection: float  # share of white
    glare: float
    band: float  # depth of refresh bands
    bands: float  # bands per picture height
    band_speed: float  # picture heights per second
    seed: int

    @staticmethod
    def sample(rng: np.random.Generator, scale: float) -> "Screen":
        return Screen(
            pitch=draw.log_uniform(rng, 0.35, 2.2) * scale,
            layout=draw.pick(rng, list(LAYOUTS)),
            portrait=draw.chance(rng, 0.4),
            stripe=draw.uniform(rng, 0.18, 0.32),
            row=draw.uniform(rng, 0.6, 0.95),
            stagger=0.5 if draw.chance(rng, 0.25) else 0.0,
            gamma=draw.uniform(rng, 1.9, 2.6),
            black=draw.log_uniform(rng, 0.002, 0.03),
            tint=tuple(float(t) for t in rng.normal(1, 0.08, 3)),
            uneven=draw.uniform(rng, 0.0, 0.2),
            angle_wash=draw.uniform(rng, 0.0, 0.15) if draw.chance(rng, 0.4) else 0.0,
            reflection=draw.log_uniform(rng, 0.02, 0.15) if draw.chance(rng, 0.85) else 0.0,
            glare=draw.log_uniform(rng, 0.1, 1.5) if draw.chance(rng, 0.35) else 0.0,
            band=draw.uniform(rng, 0.02, 0.2) if draw.chance(rng, 0.4) else 0.0,
            bands=draw.uniform(rng, 0.7, 6.0),
            band_speed=draw.uniform(rng, -1.0, 1.0),
            seed=int(rng.integers(2**31)),
        )

    def mask(self, view: geometry.View) -> np.ndarray:
        """Transmission of the subpixel grid on the fine grid, mean 1 per channel."""
        across, along = (view.v, view.u) if self.portrait else (view.u, view.v)
        across, along = across * np.float32(self.pitch), along * np.float32(self.pitch)
        step = view.footprint * self.pitch
        if self.stagger:
            across = across + np.float32(self.stagger) * np.mod(np.floor(along), 2)
        rows = pulse(along, 0.0, self.row, step)
        offsets = LAYOUTS[self.layout]
        return np.dstack([pulse(across, o, self.stripe, step) * rows for o in offsets])

    def radiance(self, picture: np.ndarray, view: geometry.View, time: float) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        levels = (np.arange(256) / 255.0) ** self.gamma
        shown = self.black + (1 - self.black) * levels.astype(np.float32)
        shown = self.angle_wash * 0.5 + (1 - self.angle_wash) * shown
        out = geometry.sample_picture(shown.astype(np.float32)[picture], view)
        out *= self.mask(view)
        out *= np.asarray(self.tint, np.float32)
        out *= (1 + self.uneven * light.smooth_field(rng, view.shape, 2))[..., None]
        if self.band:
            out *= self._bands(view, time)
        return out + self._reflected(rng, view)

    def _bands(self, view: geometry.View, time: float) -> np.ndarray:
        """Brightness over sensor rows: a rolling shutter before a pulsed backlight."""
        y = np.linspace(0, 1, view.shape[0], dtype=np.float32)
        phase = 2 * math.pi * (self.bands * y + self.band_speed * time) + self.seed
        wave = np.clip(1.5 * np.sin(phase), -1, 1)
        return (1 + self.band * wave).astype(np.float32)[:, None, None]

    def _reflected(self, rng: np.random.Generator, view: geometry.View) -> np.ndarray:
        """The room in the glass: a soft field everywhere and a few lamps or windows."""
        room = 0.5 + 0.5 * light.smooth_field(rng, view.shape, 4)
        field = self.reflection * np.clip(room, 0, 1)
        if self.glare:
            field = field + self.glare * light.blobs(rng, view.shape, int(rng.integers(1, 4)), 0.18)
        colour = rng.normal(1, 0.1, 3).astype(np.float32)
        return field[..., None] * colour
