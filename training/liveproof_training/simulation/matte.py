"""Where the person is in a square about a face: GrabCut (Rother et al. 2004) from where heads and shoulders usually are."""

from __future__ import annotations

import cv2
import numpy as np

WORK = 160  # pixels; GrabCut costs 0.1 s there
ROUNDS = 4
HOLE = 200  # pixels; smaller gaps in a person are filled


def person(square: np.ndarray, face: float) -> np.ndarray:
    """uint8 [side, side], 255 inside the person, soft at hair; ``square`` RGB uint8 [side, side, 3], ``face``: its longer side, in the middle."""
    side = len(square)
    marks = _marks(WORK, face * WORK / side)
    small = cv2.resize(square, (WORK, WORK), interpolation=cv2.INTER_AREA)
    cv2.setRNGSeed(0)
    cv2.grabCut(np.ascontiguousarray(small[..., ::-1]), marks, None, np.zeros((1, 65)), np.zeros((1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    whole = _one_piece(((marks == cv2.GC_FGD) | (marks == cv2.GC_PR_FGD)).astype(np.uint8))
    soft = cv2.GaussianBlur(cv2.resize(whole.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC), (0, 0), 2.0)
    fine = _guided(square.astype(np.float32).mean(axis=2) / 255, soft)
    return (255 * np.clip((fine - 0.1) / 0.8, 0, 1) + 0.5).astype(np.uint8)


def _marks(side: int, face: float) -> np.ndarray:
    """GrabCut's start: face and neck are sure, head and shoulders likely, corners above the shoulders surely not."""
    at = (np.arange(side) - side / 2 + 0.5) / face
    x, y = at[None, :], at[:, None]
    likely = ((x / 0.52) ** 2 + ((y + 0.1) / 0.72) ** 2 < 1) | ((y > 0.45) & (np.abs(x) < 0.35 + np.clip(y - 0.45, 0, 1)))
    sure = ((x / 0.33) ** 2 + (y / 0.47) ** 2 < 1) | ((np.abs(x) < 0.2) & (y > 0.3))
    outside = ((y < -0.62) & (np.abs(x) > 0.6)) | ((np.abs(x) > 0.72) & (y < 0.25))
    marks = np.full((side, side), cv2.GC_PR_BGD, np.uint8)
    marks[likely], marks[sure], marks[outside] = cv2.GC_PR_FGD, cv2.GC_FGD, cv2.GC_BGD
    return marks


def _one_piece(mask: np.ndarray) -> np.ndarray:
    """The piece in the middle, without small holes."""
    _, labels = cv2.connectedComponents(mask)
    kept = labels == labels[len(mask) // 2, len(mask) // 2]
    _, holes, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8))
    small = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < HOLE)
    return kept | np.isin(holes, small[small > 0])


def _guided(guide: np.ndarray, mask: np.ndarray, radius: int = 6, epsilon: float = 1e-3) -> np.ndarray:
    """The guided filter (He et al. 2010): the mask's border follows the picture's edges."""

    def box(x: np.ndarray) -> np.ndarray:
        return cv2.blur(x, (2 * radius + 1, 2 * radius + 1))

    mean_guide, mean_mask = box(guide), box(mask)
    slope = (box(guide * mask) - mean_guide * mean_mask) / (box(guide * guide) - mean_guide**2 + epsilon)
    return box(slope) * guide + box(mean_mask - slope * mean_guide)
