"""Screen replay: subpixels, backlight, gamma, reflections, refresh bands.

``Display`` is the device, ``Screen`` what one shot of it shows.
"""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from . import draw, geometry, light, surround
from .face import Face
from .ingredients import ALL, Ingredients

# Start of the red, green and blue stripe within one display pixel.
LAYOUTS = {"rgb": (0.0, 1 / 3, 2 / 3), "bgr": (2 / 3, 1 / 3, 0.0), "pentile": (0.1, 0.35, 0.6)}

# Display pixels per millimetre, and height of the face that such a display shows, millimetres.
CLASSES = {
    "phone": ((12.5, 18.0), (22, 75)),
    "tablet": ((5.2, 10.5), (45, 140)),
    "laptop": ((4.3, 9.0), (60, 170)),
    "monitor": ((3.1, 6.5), (70, 260)),
}


def pulse(x: np.ndarray, start: float, width: float, footprint: float) -> np.ndarray:
    """Exact mean of a periodic pulse (period 1) over windows of ``footprint`` around ``x``, divided by its duty."""

    def integral(t: np.ndarray) -> np.ndarray:
        t = t - np.float32(start)
        whole = np.floor(t)
        return whole * np.float32(width) + np.minimum(t - whole, np.float32(width))

    half = np.float32(footprint / 2)
    return (integral(x + half) - integral(x - half)) / np.float32(footprint * width)


@dataclasses.dataclass(frozen=True)
class Display:
    """What belongs to the device."""

    kind: str  # phone | tablet | laptop | monitor
    density: float  # display pixels per millimetre
    layout: str
    turned: bool  # the panel's rows run along the picture's columns (a phone held upright)
    stripe: float  # width of one subpixel, share of the pixel, <= 1/3
    row: float  # height of the lit part, share of the pixel
    stagger: float  # shift of every second row, share of the pixel (0: stripes)
    gamma: float
    black: float  # light that leaks through black, share of white
    tint: tuple[float, float, float]
    vivid: float  # saturation that the maker adds
    uneven: float
    wash: float  # loss of contrast seen from the side
    matte: float  # sparkle of a matte coat; 0: glass
    pulsed: float  # depth of the backlight's modulation
    pulse_bands: float  # bands per picture height that it gives
    bezel: tuple[float, float]  # width at the sides and at top and bottom, millimetres
    bezel_shade: tuple[float, float, float]  # reflectance
    corner: float  # radius of the lit area's corners, millimetres
    notch: bool

    @staticmethod
    def draw(rng: np.random.Generator) -> Display:
        kind = draw.pick(rng, list(CLASSES))
        oled = kind == "phone" and draw.chance(rng, 0.6)
        thin = draw.chance(rng, 0.5)
        shade = draw.log_uniform(rng, 0.015, 0.06) if draw.chance(rng, 0.75) else draw.uniform(rng, 0.3, 0.8)
        return Display(
            kind=kind,
            density=draw.log_uniform(rng, *CLASSES[kind][0]),
            layout="pentile" if oled else ("bgr" if draw.chance(rng, 0.15) else "rgb"),
            turned=draw.chance(rng, 0.6 if kind in ("phone", "tablet") else 0.05),
            stripe=draw.uniform(rng, 0.18, 0.32),
            row=draw.uniform(rng, 0.6, 0.95),
            stagger=0.5 if oled or draw.chance(rng, 0.1) else 0.0,
            gamma=draw.uniform(rng, 1.95, 2.6),
            black=draw.log_uniform(rng, 0.0002, 0.002) if oled else draw.log_uniform(rng, 0.002, 0.02),
            tint=tuple(float(t) for t in rng.normal([0.97, 1.0, 1.06], 0.05)),
            vivid=draw.uniform(rng, 0.95, 1.25),
            uneven=draw.uniform(rng, 0.0, 0.15),
            wash=draw.uniform(rng, 0.0, 0.12) if draw.chance(rng, 0.4) else 0.0,
            matte=draw.uniform(rng, 0.01, 0.05) if kind in ("monitor", "laptop") and draw.chance(rng, 0.6) else 0.0,
            pulsed=draw.uniform(rng, 0.02, 0.25) if draw.chance(rng, 0.45) else 0.0,
            pulse_bands=draw.uniform(rng, 0.7, 9.0),
            bezel=(draw.uniform(rng, 1.5, 4) if thin else draw.uniform(rng, 6, 22), draw.uniform(rng, 2, 5) if thin else draw.uniform(rng, 8, 25)),
            bezel_shade=tuple(float(shade * t) for t in rng.normal(1, 0.03, 3)),
            corner=draw.uniform(rng, 1.5, 7) if kind in ("phone", "tablet") and thin else 0.0,
            notch=kind == "phone" and thin and draw.chance(rng, 0.6),
        )

    def shot(self, rng: np.random.Generator, face: float, parts: Ingredients = ALL) -> Screen:
        """One showing. ``face``: height of the face in the content, pixels."""
        millimetre = face / draw.log_uniform(rng, *CLASSES[self.kind][1])  # content pixels
        glass = 0.4 if self.matte else 1.0
        screen = Screen(
            device=self,
            millimetre=millimetre,
            pitch=self.density / millimetre,
            bright=draw.uniform(rng, 0.5, 1.0),
            reflection=draw.log_uniform(rng, 0.01, 0.12) if draw.chance(rng, 0.85) else 0.0,
            glare=glass * draw.log_uniform(rng, 0.1, 1.5) if draw.chance(rng, 0.35) else 0.0,
            wash=self.wash * draw.uniform(rng, 0, 1),
            band=self.pulsed * draw.uniform(rng, 0.2, 1),
            band_speed=draw.uniform(rng, -1.0, 1.0),
            colour=tuple(float(c) for c in rng.normal(1, 0.1, 3)),
            seed=int(rng.integers(2**31)),
            parts=parts,
        )
        return screen.reduced()


@dataclasses.dataclass(frozen=True)
class Screen:
    """One shot of a display."""

    device: Display
    millimetre: float  # content pixels
    pitch: float  # display pixels per content pixel
    bright: float  # brightness setting: the dimmer, the more the reflections count
    reflection: float  # share of white
    glare: float
    wash: float
    band: float  # depth of refresh bands
    band_speed: float  # picture heights per second
    colour: tuple[float, float, float]  # of the room in the glass
    seed: int
    parts: Ingredients = ALL

    def reduced(self) -> Screen:
        """Without what the study leaves out."""
        out, device = self, self.device
        if not self.parts.tone:
            device = dataclasses.replace(device, gamma=2.2, black=0.0, tint=(1.0, 1.0, 1.0), uneven=0.0, vivid=1.0)
            out = dataclasses.replace(out, wash=0.0, device=device)
        if not self.parts.reflections:
            out = dataclasses.replace(out, reflection=0.0, glare=0.0)
        if not self.parts.bands:
            out = dataclasses.replace(out, band=0.0)
        return out

    def mask(self, view: geometry.View) -> np.ndarray:
        """Transmission of the subpixel grid on the fine grid, mean 1 per channel."""
        d, pitch = self.device, np.float32(self.pitch)
        across, along = (view.v, view.u) if d.turned else (view.u, view.v)
        across, along = across * pitch, along * pitch
        step = view.footprint * self.pitch
        rows = pulse(along, 0.0, d.row, step)
        if d.stagger:
            across = across + np.float32(d.stagger) * np.mod(np.floor(along), 2)
        planes = []
        for channel, offset in enumerate(LAYOUTS[d.layout]):
            if d.layout == "pentile" and channel != 1:  # red and blue: one for every second pixel
                planes.append(pulse(across * np.float32(0.5), offset, d.stripe * 0.75, step * 0.5))
            else:
                planes.append(pulse(across, offset, d.stripe, step))
        return cv2.merge([p * rows for p in planes])

    def radiance(self, picture: np.ndarray, view: geometry.View, time: float) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        d = self.device
        out = geometry.sample_picture(self._levels()[self._vivid(picture)], view)
        if self.parts.subpixels and view.footprint * self.pitch < 6:
            out *= self.mask(view)
        if self.parts.subpixels and d.matte:
            out *= (1 + np.float32(d.matte) * tile("white", view, self.pitch * 0.7, rng))[..., None]
        out *= np.asarray(d.tint, np.float32)
        out *= (np.float32(self.bright) * (1 + np.float32(d.uneven) * light.smooth_field(rng, view.shape, 2)))[..., None]
        if self.band:
            out *= self._bands(view, time)
        if self.reflection or self.glare:
            out += self._reflected(rng, view)
        return out

    def _levels(self) -> np.ndarray:
        levels = (np.arange(256) / 255.0) ** self.device.gamma
        shown = self.device.black + (1 - self.device.black) * levels
        return (self.wash * 0.35 + (1 - self.wash) * shown).astype(np.float32)

    def _vivid(self, picture: np.ndarray) -> np.ndarray:
        grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        return cv2.addWeighted(picture, self.device.vivid, grey, 1 - self.device.vivid, 0)

    def _bands(self, view: geometry.View, time: float) -> np.ndarray:
        """Brightness over sensor rows: a rolling shutter before a pulsed backlight."""
        y = np.linspace(0, 1, view.shape[0], dtype=np.float32)
        phase = 2 * math.pi * (self.device.pulse_bands * y + self.band_speed * time) + self.seed
        wave = np.clip(1.5 * np.sin(phase), -1, 1)
        return (1 + self.band * wave).astype(np.float32)[:, None, None]

    def _reflected(self, rng: np.random.Generator, view: geometry.View) -> np.ndarray:
        """The room in the glass: a soft field everywhere and a few lamps or windows."""
        room = np.float32(0.5) + np.float32(0.5) * light.smooth_field(rng, view.shape, 4)
        field = np.float32(self.reflection) * np.clip(room, 0, 1)
        if self.glare:
            field = field + np.float32(self.glare) * light.blobs(rng, view.shape, int(rng.integers(1, 4)), 0.18)
        return field[..., None] * np.asarray(self.colour, np.float32)


def surroundings(rng: np.random.Generator, shown: Screen, face: Face) -> surround.Surround:
    """The bezel and what lies behind the display."""
    d, mm = shown.device, shown.millimetre
    return surround.Surround.sample(rng, face, (d.bezel[0] * mm, d.bezel[1] * mm), d.bezel_shade, d.corner * mm)


def tile(kind: str, view: geometry.View, per_pixel: float, rng: np.random.Generator) -> np.ndarray:
    """Noise laid over the plane at a random offset, ``per_pixel`` noise pixels per content pixel, wrapped."""
    noise, step = light.noise_tile(kind), per_pixel * view.footprint
    if step > 1:  # the grid is coarser than the noise: average first, as the lens would
        noise = cv2.blur(noise, (int(math.ceil(step)),) * 2, borderType=cv2.BORDER_REFLECT_101)
    off_u, off_v = rng.uniform(0, light.NOISE_SIDE, 2).astype(np.float32)
    side = np.float32(light.NOISE_SIDE - 1)
    u = view.u * np.float32(per_pixel) + off_u
    v = view.v * np.float32(per_pixel) + off_v
    u -= np.floor(u / side) * side
    v -= np.floor(v / side) * side
    return cv2.remap(noise, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
