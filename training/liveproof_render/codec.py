"""Compression of a delivered picture: JPEG, and WebP, whose pictures are VP8 key frames."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from . import draw


@dataclasses.dataclass
class CodecParams:
    kind: str  # jpeg | webp
    quality: int  # 0..100, the encoder's own scale

    @staticmethod
    def sample(rng: np.random.Generator) -> CodecParams:
        if draw.chance(rng, 0.5):
            return CodecParams("jpeg", int(rng.integers(35, 97)))
        return CodecParams("webp", int(rng.integers(25, 95)))


def still(image: np.ndarray, params: CodecParams) -> np.ndarray:
    """RGB uint8 in, RGB uint8 out, after one encode and decode."""
    suffix, flag = {
        "jpeg": (".jpg", cv2.IMWRITE_JPEG_QUALITY),
        "webp": (".webp", cv2.IMWRITE_WEBP_QUALITY),
    }[params.kind]
    ok, data = cv2.imencode(suffix, image[..., ::-1], [flag, params.quality])
    if not ok:
        raise RuntimeError(f"OpenCV could not encode {params.kind}")
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
