"""What is before the lens or on the medium: a picture with its own sharpness, tone and compression.

Both classes pass here. An attack shows a picture that was itself taken, scaled and compressed;
a bona fide person must not be told from it by being "resampled once less", so the same
degradation is drawn for both. The same holds for what may stand near a face (``distract.py``).
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from . import codec, distract, draw
from .face import Face
from .ingredients import ALL, Ingredients


@dataclasses.dataclass
class Content:
    image: np.ndarray  # RGB uint8
    face: Face  # in pixels of image


@dataclasses.dataclass(frozen=True)
class ContentStyle:
    """Drawn once per picture (or clip), the same for bona fide and attack."""

    face_height: float  # pixels that the face spans in the content
    flip: bool
    contrast: float
    gamma: float
    saturation: float
    sharpen: float
    noise: float  # sigma, levels of 255
    codec: codec.CodecParams | None
    distraction: distract.Distraction
    seed: int

    @staticmethod
    def sample(rng: np.random.Generator, parts: Ingredients = ALL) -> ContentStyle:
        style = ContentStyle(
            face_height=draw.log_uniform(rng, 75, 300),
            flip=draw.chance(rng, 0.5),
            contrast=draw.uniform(rng, 0.65, 1.15),
            gamma=draw.log_uniform(rng, 0.75, 1.35),
            saturation=draw.uniform(rng, 0.6, 1.15),
            sharpen=draw.uniform(rng, 0.2, 1.2) if draw.chance(rng, 0.25) else 0.0,
            noise=draw.log_uniform(rng, 1, 8) if draw.chance(rng, 0.4) else 0.0,
            codec=codec.CodecParams.sample(rng) if draw.chance(rng, 0.5) else None,
            distraction=distract.Distraction.sample(rng),
            seed=int(rng.integers(2**31)),
        )
        if not parts.codec:
            style = dataclasses.replace(style, codec=None)
        if not parts.distractors:
            style = dataclasses.replace(style, distraction=distract.NONE)
        return style


def cut(image: np.ndarray, face: Face, margin: float = 2.2) -> Content:
    """The surroundings of the face, a square of ``margin`` times its longer side, mirrored at the border."""
    x1, y1, x2, y2 = face.box
    side = int(round(margin * face.side))
    left, top = int(round((x1 + x2 - side) / 2)), int(round((y1 + y2 - side) / 2))
    pad = max(0, -left, -top, left + side - image.shape[1], top + side - image.shape[0])
    if pad:
        image = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REFLECT_101)
    out = image[top + pad : top + pad + side, left + pad : left + pad + side]
    return Content(out, face.moved(-left, -top))


def adjust_tone(image: np.ndarray, style: ContentStyle) -> np.ndarray:
    curve = np.clip((np.linspace(0, 1, 256, dtype=np.float32) ** style.gamma - 0.45) * style.contrast + 0.45, 0, 1)
    x = (curve * 255 + 0.5).astype(np.uint8)[image]
    grey = cv2.cvtColor(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(x, style.saturation, grey, 1 - style.saturation, 0)


def degrade(content: Content, style: ContentStyle) -> Content:
    image, face = content.image, content.face
    if style.flip:
        image, face = np.ascontiguousarray(image[:, ::-1]), face.mirrored(image.shape[1])
    factor = min(1.0, style.face_height / face.height)
    if factor < 1.0:
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        face = face.scaled(factor)
    rng = np.random.default_rng(style.seed)
    image = distract.paint(image, face, style.distraction, rng)
    image = adjust_tone(image, style)
    if style.sharpen:
        image = cv2.addWeighted(image, 1 + style.sharpen, cv2.GaussianBlur(image, (0, 0), 1.0), -style.sharpen, 0)
    if style.noise:
        grain = cv2.GaussianBlur(rng.standard_normal(image.shape, dtype=np.float32), (0, 0), 0.6) * 1.7
        image = np.clip(image + np.float32(style.noise) * grain, 0, 255).astype(np.uint8)
    if style.codec is not None:
        image = codec.still(image, style.codec)
    return Content(np.ascontiguousarray(image), face)
