"""Class-blind disturbances of a crop: sharpness, noise, tone, compression.

A medium adds fine texture and takes contrast, so sharpness and contrast alone hint at the
class (see ``nuisance.py``). Spreading them widely in both classes makes the hint useless
while leaving what only a medium has: regular dots, subpixels, moire, gloss.
"""

from __future__ import annotations

import cv2
import numpy as np

LEVELS = np.linspace(0, 1, 256)


def disturb(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """RGB uint8 [H, W, 3] in and out; never sees the label."""
    x = image
    if rng.random() < 0.15:
        x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.3, 0.9)))
    elif rng.random() < 0.4:
        soft = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.6, 1.6)))
        amount = float(rng.uniform(0.2, 1.8))
        x = cv2.addWeighted(x, 1 + amount, soft, -amount, 0)
    x = cv2.LUT(x, _curves(rng))
    if rng.random() < 0.5:
        x = _noise(x, rng)
    if rng.random() < 0.25:
        x = cv2.imdecode(cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))])[1], 1)
    return x


def cast(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A wrong white balance, up to half a stop between red and blue, and another saturation; RGB uint8 in and out."""
    gain = np.exp(rng.normal(0, 0.22, 3))
    gain /= gain @ (0.2126, 0.7152, 0.0722)
    levels = np.arange(256)[:, None] * gain
    x = cv2.LUT(image, np.clip(levels + 0.5, 0, 255).astype(np.uint8).reshape(1, 256, 3))
    grey = cv2.cvtColor(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    amount = float(rng.uniform(0.4, 1.4))
    return cv2.addWeighted(x, amount, grey, 1 - amount, 0)


def _curves(rng: np.random.Generator) -> np.ndarray:
    """A tone curve per channel: contrast, brightness, gamma, gain."""
    gamma, contrast, lift = np.exp(rng.normal(0, 0.15)), np.exp(rng.normal(0, 0.18)), rng.normal(0, 0.05)
    curve = ((LEVELS**gamma)[:, None] - 0.45) * contrast * np.exp(rng.normal(0, 0.06, 3)) + 0.45 + lift
    return (np.clip(curve, 0, 1) * 255 + 0.5).astype(np.uint8).reshape(1, 256, 3)


def _noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sensor-like noise: grey or per channel, fine or (after a denoiser) blotchy."""
    noise = _normal((*image.shape[:2], 3 if rng.random() < 0.6 else 1), rng)
    sigma, size = float(np.exp(rng.uniform(np.log(1), np.log(16)))), float(rng.uniform(0, 1.5))
    if size > 0.4:
        noise = cv2.GaussianBlur(noise, (0, 0), size)
        sigma *= 2.5 * size
    noise = noise if noise.ndim == 3 else noise[..., None]
    if noise.shape[2] == 1:
        noise = cv2.merge([noise[..., 0]] * 3)
    return cv2.add(image, sigma * noise, dtype=cv2.CV_8U)


def _normal(shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """N(0, 1) by OpenCV, four times faster than numpy's; its generator is the thread's own, seeded here."""
    noise = np.empty((shape[0], shape[1] * shape[2]), np.float32)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(noise, 0.0, 1.0)
    return noise.reshape(shape)
