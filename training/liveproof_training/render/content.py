"""What is before the lens or on the medium: a picture with its own sharpness, tone and compression.

Both classes pass here. An attack shows a picture that was itself taken, scaled and compressed;
a bona fide person must not be told from it by being "resampled once less", so the same
degradation is drawn for both.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from . import codec, draw


@dataclasses.dataclass
class Content:
    image: np.ndarray  # RGB uint8
    box: tuple[float, float, float, float]  # face x1, y1, x2, y2 in pixels of image


@dataclasses.dataclass
class ContentStyle:
    """Drawn once per picture (or clip), the same for bona fide and attack."""

    face_height: float  # pixels that the face spans in the content
    flip: bool
    contrast: float
    gamma: float
    saturation: float
    codec: codec.CodecParams | None

    @staticmethod
    def sample(rng: np.random.Generator) -> "ContentStyle":
        return ContentStyle(
            face_height=draw.log_uniform(rng, 75, 300),
            flip=draw.chance(rng, 0.5),
            contrast=draw.uniform(rng, 0.65, 1.15),
            gamma=draw.log_uniform(rng, 0.75, 1.35),
            saturation=draw.uniform(rng, 0.6, 1.15),
            codec=codec.CodecParams.sample(rng) if draw.chance(rng, 0.6) else None,
        )


def cut(image: np.ndarray, box, margin: float = 2.2) -> Content:
    """The surroundings of the face, a square of ``margin`` times its longer side, mirrored at the border."""
    x1, y1, x2, y2 = box
    side = int(round(margin * max(x2 - x1, y2 - y1)))
    left, top = int(round((x1 + x2 - side) / 2)), int(round((y1 + y2 - side) / 2))
    pad = max(0, -left, -top, left + side - image.shape[1], top + side - image.shape[0])
    if pad:
        image = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REFLECT_101)
    out = image[top + pad : top + pad + side, left + pad : left + pad + side]
    return Content(out, (x1 - left, y1 - top, x2 - left, y2 - top))


def adjust_tone(image: np.ndarray, style: ContentStyle) -> np.ndarray:
    x = (image.astype(np.float32) / 255.0) ** style.gamma
    x = (x - 0.45) * style.contrast + 0.45
    grey = x.mean(axis=2, keepdims=True)
    x = grey + (x - grey) * style.saturation
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def degrade(content: Content, style: ContentStyle) -> Content:
    image, box = content.image, content.box
    if style.flip:
        w = image.shape[1]
        image, box = image[:, ::-1], (w - box[2], box[1], w - box[0], box[3])
    factor = min(1.0, style.face_height / (box[3] - box[1]))
    if factor < 1.0:
        image = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        box = tuple(factor * c for c in box)
    image = adjust_tone(image, style)
    if style.codec is not None:
        image = codec.still(image, style.codec)
    return Content(np.ascontiguousarray(image), box)
