"""RetinaFace mobilenet0.25 (ONNX) in Python: finds the face of a clip without the Go program."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime

MIN_SIZES, STRIDES, VARIANCES = ((16, 32), (64, 128), (256, 512)), (8, 16, 32), (0.1, 0.2)
INPUT = (320, 256)  # width, height of the detector's input
MEAN_BGR = (104.0, 117.0, 123.0)


class RetinaFace:
    """The largest face of a picture."""

    def __init__(self, path: Path, score: float = 0.6):
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such face detector; give --detector FILE, or set LIVEPROOF_SHARED, whose models/ has it")
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.score, self.priors = score, _priors(*INPUT)

    def largest(self, image: np.ndarray) -> tuple[float, float, float, float] | None:
        scale = min(INPUT[0] / image.shape[1], INPUT[1] / image.shape[0])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        canvas = np.zeros((INPUT[1], INPUT[0], 3), np.float32)
        canvas[: small.shape[0], : small.shape[1]] = small[..., ::-1] - np.float32(MEAN_BGR)
        loc, conf = self.session.run(["output0", "593"], {"input0": canvas.transpose(2, 0, 1)[None]})
        keep = conf[0, :, 1] > self.score
        if not keep.any():
            return None
        boxes, scores = _decode(loc[0, keep], self.priors[keep]) / scale, conf[0, keep, 1]
        # Overlapping boxes of one face need no suppression when only the largest is asked for;
        # the score keeps a loose, weak box from winning over a tight, sure one.
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        return tuple(float(c) for c in boxes[int(np.argmax(areas * scores**8))])


def _priors(width: int, height: int) -> np.ndarray:
    """[N, 4] centre x, y, width, height in pixels, in the order of the network's outputs."""
    out = []
    for stride, sizes in zip(STRIDES, MIN_SIZES):
        y, x = np.mgrid[0 : -(-height // stride), 0 : -(-width // stride)]
        centre = np.stack([(x + 0.5) * stride, (y + 0.5) * stride], axis=-1)
        level = [np.concatenate([centre, np.full_like(centre, size)], axis=-1) for size in sizes]
        out.append(np.stack(level, axis=2).reshape(-1, 4))
    return np.concatenate(out)


def _decode(loc: np.ndarray, priors: np.ndarray) -> np.ndarray:
    """[N, 4] x1, y1, x2, y2 in pixels of the detector's input."""
    centre = priors[:, :2] + loc[:, :2] * VARIANCES[0] * priors[:, 2:]
    size = priors[:, 2:] * np.exp(loc[:, 2:] * VARIANCES[1])
    return np.concatenate([centre - size / 2, centre + size / 2], axis=1)
