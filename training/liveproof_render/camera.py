"""The virtual camera, the same for every medium: lens, sensor, exposure, white balance, processing, delivery.

``CameraDevice`` is the device, ``Camera`` one shot of it with what automatic control and the room made of it.
"""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from . import codec, draw, geometry, light
from .ingredients import ALL, Ingredients


@dataclasses.dataclass(frozen=True)
class CameraDevice:
    """What belongs to the device; drawn without knowing what it will film."""

    blur: float  # Gaussian sigma of the lens at its best, sensor pixels
    skip: bool  # the sensor reads every second row and column of its grid (more aliasing) instead of binning
    vignette: float
    grey_world: float  # how far the white balance trusts the grey world, 0..1
    warmth: tuple[float, float, float]  # the maker's taste, gain per channel
    veil: float  # stray light in the lens, share of the mean
    auto_contrast: float  # how far automatic contrast gets to its aim, 0..1
    read_noise: float  # sigma in linear light
    shot_noise: float  # variance per linear light
    mosaic: bool
    denoise: float  # sigma of chroma smoothing, pixels
    smooth: float  # strength of edge-keeping luma denoising, 0..1
    sharpen: float
    sharpen_sigma: float
    curve: float  # S-curve strength
    saturation: float

    @staticmethod
    def draw(rng: np.random.Generator) -> CameraDevice:
        good = draw.chance(rng, 0.3)  # a recent phone or a good webcam
        return CameraDevice(
            blur=draw.log_uniform(rng, 0.25, 0.5) if good else draw.log_uniform(rng, 0.3, 1.1),
            skip=draw.chance(rng, 0.35),
            vignette=draw.uniform(rng, 0, 0.35),
            grey_world=draw.uniform(rng, 0.2, 1.0),
            warmth=tuple(float(g) for g in np.exp(rng.normal(0, 0.04, 3))),
            veil=draw.log_uniform(rng, 0.01, 0.1) if good else draw.log_uniform(rng, 0.01, 0.4),
            auto_contrast=draw.uniform(rng, 0.3, 1.0),
            read_noise=draw.log_uniform(rng, 0.0006, 0.006) if good else draw.log_uniform(rng, 0.001, 0.02),
            shot_noise=draw.log_uniform(rng, 2e-5, 4e-4) if good else draw.log_uniform(rng, 5e-5, 3e-3),
            mosaic=draw.chance(rng, 0.75),
            denoise=draw.uniform(rng, 0, 2.0) if draw.chance(rng, 0.5) else 0.0,
            smooth=draw.uniform(rng, 0.2, 1.0) if draw.chance(rng, 0.35) else 0.0,
            sharpen=draw.uniform(rng, 0, 1.4) if draw.chance(rng, 0.55) else 0.0,
            sharpen_sigma=draw.uniform(rng, 0.7, 1.6),
            curve=draw.uniform(rng, -0.3, 0.5),
            saturation=draw.uniform(rng, 0.75, 1.25),
        )

    def shot(self, rng: np.random.Generator, parts: Ingredients = ALL) -> Camera:
        camera = Camera(
            device=self,
            defocus=abs(float(rng.normal(0, 0.8))) if draw.chance(rng, 0.35) else 0.0,
            motion=abs(float(rng.normal(0, 2.5))) if draw.chance(rng, 0.4) else 0.0,
            motion_angle=draw.uniform(rng, 0, 180),
            shade=draw.uniform(rng, 0, 0.45),
            flicker=draw.uniform(rng, 0.0, 0.1) if draw.chance(rng, 0.25) else 0.0,
            flicker_bands=draw.uniform(rng, 0.7, 5.0),
            exposure=float(np.clip(rng.normal(0.45, 0.08), 0.2, 0.7)),
            balance=tuple(float(g) for g in np.exp(rng.normal(0, 0.07, 3))),
            contrast=float(np.clip(rng.normal(0.19, 0.035), 0.1, 0.3)),
            gain=draw.log_uniform(rng, 0.5, 2.0),
            enlarge=1.0 if draw.chance(rng, 0.5) else draw.uniform(rng, 0.6, 2.3),
            enlarge_with=draw.pick(rng, [cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4]),
            codec=codec.CodecParams.sample(rng),
            second_codec=codec.CodecParams.sample(rng) if draw.chance(rng, 0.4) else None,
            parts=parts,
        )
        return camera.reduced()


@dataclasses.dataclass(frozen=True)
class Camera:
    """One shot (or clip) of a camera."""

    device: CameraDevice
    defocus: float  # further blur, sigma in sensor pixels
    motion: float  # length of the motion blur, sensor pixels
    motion_angle: float  # degrees
    shade: float  # uneven light of the room
    flicker: float  # mains flicker bands
    flicker_bands: float
    exposure: float  # sRGB level that automatic exposure aims at
    balance: tuple[float, float, float]  # error of the white balance, gain per channel
    contrast: float  # standard deviation (of values in 0..1) that automatic contrast aims at
    gain: float  # on the device's noise: the darker the room the higher
    enlarge: float  # delivered pixels per sensor pixel
    enlarge_with: int
    codec: codec.CodecParams | None
    second_codec: codec.CodecParams | None
    parts: Ingredients = ALL

    @staticmethod
    def sample(rng: np.random.Generator) -> Camera:
        return CameraDevice.draw(rng).shot(rng)

    def reduced(self) -> Camera:
        """Without what the study leaves out."""
        out = self
        if not self.parts.bands:
            out = dataclasses.replace(out, flicker=0.0)
        if not self.parts.codec:
            out = dataclasses.replace(out, codec=None, second_codec=None)
        if not self.parts.sensor:
            plain = dict(read_noise=0.0, shot_noise=0.0, mosaic=False, denoise=0.0, smooth=0.0, sharpen=0.0)
            out = dataclasses.replace(out, device=dataclasses.replace(self.device, **plain))
        return out

    def still_standing(self) -> Camera:
        """As a clip sees it: no motion blur of its own and no change of size on the way."""
        return dataclasses.replace(self, motion=0.0, enlarge=1.0)

    def capture(self, radiance: np.ndarray, rng: np.random.Generator, time: float = 0.0) -> np.ndarray:
        """Light on the fine grid -> the camera's own picture, RGB uint8 at sensor resolution."""
        seen = self._expose(self._read(self._light(self._lens(radiance), time)))
        return self._process(self._balance(self._sense(seen, rng)))

    def deliver(self, image: np.ndarray) -> np.ndarray:
        """Scaling and compression on the way to the server (not used before a real video encoder)."""
        image = self.rescale(image)
        for params in (self.codec, self.second_codec):
            image = codec.still(image, params) if params else image
        return image

    def rescale(self, image: np.ndarray) -> np.ndarray:
        if self.enlarge == 1.0:
            return image
        how = cv2.INTER_AREA if self.enlarge < 1 else self.enlarge_with
        return cv2.resize(image, None, fx=self.enlarge, fy=self.enlarge, interpolation=how)

    def _lens(self, x: np.ndarray) -> np.ndarray:
        if self.motion > 0.5:
            x = cv2.filter2D(x, -1, _line(self.motion * geometry.SUPERSAMPLE, self.motion_angle))
        return cv2.GaussianBlur(x, (0, 0), math.hypot(self.device.blur, self.defocus) * geometry.SUPERSAMPLE)

    def _light(self, x: np.ndarray, time: float) -> np.ndarray:
        h, w = x.shape[:2]
        yy = np.linspace(-1, 1, h, dtype=np.float32)[:, None]
        xx = np.linspace(-1, 1, w, dtype=np.float32)[None]
        a = math.radians(self.motion_angle * 2)
        half_vignette = np.float32(self.device.vignette * 0.5)
        field = 1 - half_vignette * (xx * xx + yy * yy) + np.float32(self.shade) * (np.float32(math.cos(a)) * xx + np.float32(math.sin(a)) * yy)
        if self.flicker:
            wave = np.sin(2 * math.pi * (self.flicker_bands * yy / 2 + 0.7 * time) + self.motion_angle)
            field = field * (1 + np.float32(self.flicker) * wave.astype(np.float32))
        return x * np.clip(field, 0.05, None)[..., None]

    def _read(self, x: np.ndarray) -> np.ndarray:
        s = geometry.SUPERSAMPLE
        if self.device.skip:
            return np.ascontiguousarray(x[::s, ::s])
        return cv2.resize(x, (x.shape[1] // s, x.shape[0] // s), interpolation=cv2.INTER_AREA)

    def _expose(self, x: np.ndarray) -> np.ndarray:
        """Stray light, then automatic exposure on the mean luminance."""
        target, veil = self.exposure**2.2, self.device.veil
        mean = max(1e-4, float(light.luminance(x).mean()))
        x = (x + np.float32(veil * mean)) / np.float32(1 + veil)
        return x * np.float32(target / mean)

    def _sense(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        read, shot = self.device.read_noise * self.gain, self.device.shot_noise * self.gain
        if read or shot:
            sigma = np.sqrt(np.float32(read * read) + np.float32(shot) * np.clip(x, 0, 1))
            x = x + sigma * light.noise_like(rng, x.shape)
        return _demosaic(x) if self.device.mosaic else x

    def _balance(self, x: np.ndarray) -> np.ndarray:
        means = np.maximum(x.reshape(-1, 3).mean(axis=0), 1e-4)
        # Portraits are warmer than grey; 1.08/0.9 keep skin when the grey world is trusted fully.
        gains = (means.mean() / means * np.array([1.08, 1.0, 0.9])) ** self.device.grey_world
        return x * (gains * np.asarray(self.balance) * np.asarray(self.device.warmth)).astype(np.float32)

    def _process(self, x: np.ndarray) -> np.ndarray:
        d, x = self.device, light.to_srgb(x)
        mean, deviation = float(x.mean()), max(0.02, float(x.std()))
        gain = np.float32((self.contrast / deviation) ** d.auto_contrast)
        x = np.clip((x - mean) * gain + mean, 0, 1)
        x = x + np.float32(d.curve) * x * (1 - x) * (2 * x - 1)
        grey = light.luminance(x)[..., None]
        x = grey + np.float32(d.saturation) * (x - grey)
        if d.denoise:
            x = _smooth_chroma(x, d.denoise)
        if d.smooth:
            x = (1 - np.float32(d.smooth)) * x + np.float32(d.smooth) * cv2.bilateralFilter(x, 5, 0.06, 2.0)
        if d.sharpen:
            x = x + np.float32(d.sharpen) * (x - cv2.GaussianBlur(x, (0, 0), d.sharpen_sigma))
        return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def _line(length: float, angle: float) -> np.ndarray:
    """A motion blur kernel: a line of ``length`` pixels through the centre."""
    size = int(math.ceil(length)) | 1
    kernel = np.zeros((size, size), np.float32)
    c, a = (size - 1) / 2, math.radians(angle)
    dx, dy = c * math.cos(a), c * math.sin(a)
    scale = 1 << 4  # OpenCV draws with four fractional bits
    start = (int((c - dx) * scale), int((c - dy) * scale))
    end = (int((c + dx) * scale), int((c + dy) * scale))
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA, 4)
    return kernel / max(kernel.sum(), 1e-6)


def _demosaic(x: np.ndarray) -> np.ndarray:
    """Bayer sampling (RGGB) and bilinear reconstruction, in 16 bits."""
    h, w = x.shape[0] // 2 * 2, x.shape[1] // 2 * 2
    raw = x[:h, :w, 1].copy()
    raw[0::2, 0::2] = x[0:h:2, 0:w:2, 0]
    raw[1::2, 1::2] = x[1:h:2, 1:w:2, 2]
    top = np.float32(2.0)  # head room above white, clipped by processing
    counts = (np.clip(raw / top, 0, 1) * 65535).astype(np.uint16)
    rgb = cv2.cvtColor(counts, cv2.COLOR_BayerBG2RGB).astype(np.float32) * (top / 65535)
    return cv2.copyMakeBorder(rgb, 0, x.shape[0] - h, 0, x.shape[1] - w, cv2.BORDER_REPLICATE)


def _smooth_chroma(x: np.ndarray, sigma: float) -> np.ndarray:
    luma = light.luminance(x)[..., None]
    return luma + cv2.GaussianBlur(x - luma, (0, 0), sigma)
