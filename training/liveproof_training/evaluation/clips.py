"""Scores whole clips: sampled frames -> RetinaFace -> crop -> rho. A check beside the Go pipeline.

The product's own answer is ``liveproof replay --json``; this one needs only Python and exists so
that a training run can be judged on clips before anything is exported.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from liveproof_base import crop, video
from liveproof_base.detector import RetinaFace

from . import scoring


@dataclasses.dataclass
class ClipScore:
    path: Path
    frames: int  # looked at
    rho: np.ndarray  # of those with a face

    def line(self) -> str:
        if not len(self.rho):
            return f"| {self.path.name} | {self.frames} | 0 | no face | | |"
        low, high = np.quantile(self.rho, (0.1, 0.9))
        return f"| {self.path.name} | {self.frames} | {len(self.rho)} | {self.rho.mean():.3f} | {low:.3f} | {high:.3f} |"


HEADER = "| clip | frames | faces | mean ρ | 10 % | 90 % |\n|---|---|---|---|---|---|"


def score(clip: Path, model: Path, detector: RetinaFace, per_second: float = 5.0) -> ClipScore:
    """rho of ``per_second`` frames a second."""
    info = video.probe(clip)
    step = max(1, round(info.rate / per_second))
    found, looked = [], 0
    for i, picture in enumerate(video.read(info, info.frames)):
        if i % step:
            continue
        looked += 1
        box = detector.largest(picture)
        if box is not None:
            found.append(crop.face_crop(picture, box))
    rho = scoring.scores(model, np.stack(found)) if found else np.zeros(0)
    return ClipScore(clip, looked, rho)
