"""The crop that every model sees: a square around the face, resized (docs/model-contract.md)."""

from __future__ import annotations

import cv2
import numpy as np

MARGIN = 1.3  # side of the square over the longer side of the face box
SIZE = 256  # pixels, after resizing the square


def face_crop(image: np.ndarray, box, margin: float = MARGIN) -> np.ndarray:
    """uint8 [256, 256, 3] of ``box`` = (x1, y1, x2, y2) in pixels; what lies beyond the border repeats the border."""
    x1, y1, x2, y2 = box
    side = max(2, int(round(margin * max(x2 - x1, y2 - y1))))
    left = int(round((x1 + x2) / 2 - side / 2))
    top = int(round((y1 + y2) / 2 - side / 2))
    h, w = image.shape[:2]
    xs = np.clip(np.arange(left, left + side), 0, w - 1)
    ys = np.clip(np.arange(top, top + side), 0, h - 1)
    square = image[ys][:, xs]
    return cv2.resize(square, (SIZE, SIZE), interpolation=cv2.INTER_AREA if side > SIZE else cv2.INTER_LINEAR)
