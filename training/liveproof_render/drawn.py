"""Portraits drawn in code, for whoever has none: simple faces that a face detector finds, no two alike.

They run the whole chain without any data. They show nobody, and what a model learns from them says nothing about real faces.
"""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import cv2
import numpy as np

from .portraits import LANDMARKS

SIDE = 512
GRIDS = 24  # portraits are dealt to so many source grids, whole ones of which are held out for dev and test
COLUMNS = ("file", "width", "height", "x1", "y1", "x2", "y2")
NOTICE = "Faces drawn by `liveproof_render portraits`: they show nobody.\n"


@dataclasses.dataclass(frozen=True)
class Look:
    """One drawn person. Lengths are shares of half the face's height."""

    centre: tuple[float, float]
    half: float  # of the face's height, pixels
    narrow: float  # width over height
    eyes: float  # from the middle line
    skin: np.ndarray  # RGB, as all colours
    hair: np.ndarray
    fringe: float  # where the hair begins above the eyes
    lips: np.ndarray
    light: float  # from the left (-1) to the right (1)

    @staticmethod
    def sample(rng: np.random.Generator) -> Look:
        skin = np.array([222, 178, 152]) * rng.uniform(0.5, 1.08) + rng.uniform(-8, 8, 3)
        return Look(
            centre=tuple(SIDE / 2 + rng.uniform(-14, 14, 2)),
            half=rng.uniform(112, 128),
            narrow=rng.uniform(0.70, 0.80),
            eyes=rng.uniform(0.30, 0.34),
            skin=skin,
            hair=np.array([96, 68, 46]) * rng.uniform(0.2, 1.5),
            fringe=rng.uniform(0.42, 0.6),
            lips=skin * (0.86, 0.58, 0.60),
            light=rng.uniform(-1, 1),
        )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a place right of and below the face's centre."""
        return self.centre[0] + x * self.half, self.centre[1] + y * self.half

    def landmarks(self) -> tuple[tuple[float, float], ...]:
        """Left eye, right eye, nose, left and right corner of the mouth, as seen in the picture."""
        return self.at(-self.eyes, -0.2), self.at(self.eyes, -0.2), self.at(0, 0.18), self.at(-0.24, 0.5), self.at(0.24, 0.5)

    def box(self) -> tuple[float, float, float, float]:
        return *self.at(-self.narrow, -0.97), *self.at(self.narrow, 0.98)


class Canvas:
    """A picture that soft-edged shapes are laid on, one after the other."""

    def __init__(self, image: np.ndarray):
        self.image = image.astype(np.float32)

    def ellipse(self, centre, axes, colour, soft: float, opaque: float = 1.0, arc: tuple[float, float] = (0, 360)) -> None:
        """``axes`` in pixels; ``soft``: standard deviation of the edge's blur; ``arc`` in degrees, clockwise from the right."""
        mask = np.zeros(self.image.shape[:2], np.float32)
        cv2.ellipse(mask, [round(16 * c) for c in centre], [max(1, round(16 * a)) for a in axes], 0, *arc, 1.0, -1, cv2.LINE_AA, 4)
        self.lay(mask, colour, soft, opaque)

    def stroke(self, points, colour, width: float, soft: float) -> None:
        mask = np.zeros(self.image.shape[:2], np.float32)
        line = np.round(np.array(points) * 16).astype(np.int32)
        cv2.polylines(mask, [line], False, 1.0, max(1, round(width)), cv2.LINE_AA, 4)
        self.lay(mask, colour, soft)

    def lay(self, mask: np.ndarray, colour, soft: float, opaque: float = 1.0) -> None:
        """Only where the mask is: most shapes are small."""
        x, y, w, h = cv2.boundingRect((mask > 0).astype(np.uint8))
        reach = int(np.ceil(4 * soft))
        part = slice(max(0, y - reach), y + h + reach), slice(max(0, x - reach), x + w + reach)
        edge = cv2.GaussianBlur(mask[part], (0, 0), soft)[..., None] * opaque
        self.image[part] += edge * (np.asarray(colour, np.float32) - self.image[part])


def picture(seed: int) -> tuple[np.ndarray, Look]:
    """uint8 [512, 512, 3] RGB and what it shows."""
    rng = np.random.default_rng([seed, 11])
    look = Look.sample(rng)
    canvas = Canvas(cv2.resize(rng.integers(50, 210, (5, 5, 3), dtype=np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))
    _body(canvas, look, rng.uniform(30, 220, 3))
    _shade(canvas, look)
    for side in (-1, 1):
        _eye(canvas, look, side, rng)
    _nose(canvas, look)
    _mouth(canvas, look)
    _fringe(canvas, look)
    grain = cv2.GaussianBlur(rng.normal(0, 9, canvas.image.shape).astype(np.float32), (0, 0), 0.8)
    return np.clip(canvas.image + grain, 0, 255).astype(np.uint8), look


def _body(canvas: Canvas, look: Look, clothes: np.ndarray) -> None:
    """Hair behind the head, shoulders, neck, ears, head."""
    h = look.half
    canvas.ellipse(look.at(0, -0.22), (h * (look.narrow + 0.16), h * 1.0), look.hair, 3)
    canvas.ellipse(look.at(0, 2.15), (h * 1.75, h * 0.95), clothes, 3)
    canvas.ellipse(look.at(0, 1.1), (h * 0.42, h * 0.62), look.skin * 0.82, 4)
    for side in (-1, 1):
        canvas.ellipse(look.at(side * look.narrow, 0), (h * 0.11, h * 0.2), look.skin * 0.88, 2)
    canvas.ellipse(look.at(0, -0.1), (h * look.narrow, h * 0.84), look.skin, 2)
    canvas.ellipse(look.at(0, 0.28), (h * look.narrow * 0.86, h * 0.7), look.skin, 2)


def _shade(canvas: Canvas, look: Look) -> None:
    """Brighter towards the light, darker at the sides, below the brow and under the chin."""
    h = look.half
    canvas.ellipse(look.at(0.5 * look.light, -0.1), (h * 0.5, h * 0.8), np.minimum(look.skin * 1.16, 255), h * 0.2, 0.7)
    canvas.ellipse(look.at(-look.narrow * np.sign(look.light), 0.1), (h * 0.22, h * 0.8), look.skin * 0.66, h * 0.13, 0.6)
    canvas.ellipse(look.at(0, 1.06), (h * 0.5, h * 0.12), look.skin * 0.55, h * 0.06, 0.7)
    for side in (-1, 1):
        canvas.ellipse(look.at(side * look.eyes, -0.24), (h * 0.21, h * 0.13), look.skin * 0.68, h * 0.05, 0.7)
        canvas.ellipse(look.at(side * 0.42, 0.2), (h * 0.16, h * 0.13), look.skin * (1.05, 0.86, 0.84), h * 0.07, 0.5)


def _eye(canvas: Canvas, look: Look, side: int, rng: np.random.Generator) -> None:
    h, (x, y) = look.half, look.at(side * look.eyes, -0.2)
    canvas.ellipse((x, y), (h * 0.13, h * 0.055), (232, 228, 224), 1)
    canvas.ellipse((x, y), (h * 0.057, h * 0.057), rng.uniform(40, 110, 3), 0.8)
    canvas.ellipse((x, y), (h * 0.03, h * 0.03), (12, 10, 10), 0.8)
    canvas.ellipse((x + h * 0.018, y - h * 0.02), (h * 0.012, h * 0.012), (250, 250, 250), 0.6)
    lid = [(x + h * 0.15 * np.cos(t), y - h * 0.075 * np.sin(t)) for t in np.linspace(0, np.pi, 13)]
    canvas.stroke(lid, look.hair * 0.5, h * 0.03, 0.8)
    brow = [(x + h * 0.19 * np.cos(t), y - h * (0.13 + 0.07 * np.sin(t))) for t in np.linspace(0.1, np.pi - 0.1, 9)]
    canvas.stroke(brow, look.hair * 0.7, h * 0.05, 1.6)


def _nose(canvas: Canvas, look: Look) -> None:
    h = look.half
    shadow, bridge = -np.sign(look.light), look.at(0.0, -0.02)
    canvas.ellipse(bridge, (h * 0.05, h * 0.22), np.minimum(look.skin * 1.2, 255), h * 0.03, 0.6)
    canvas.ellipse(look.at(0.1 * shadow, 0.05), (h * 0.04, h * 0.2), look.skin * 0.72, h * 0.03, 0.6)
    canvas.ellipse(look.at(0, 0.25), (h * 0.13, h * 0.05), look.skin * 0.66, h * 0.025, 0.8)
    for side in (-1, 1):
        canvas.ellipse(look.at(0.07 * side, 0.235), (h * 0.035, h * 0.022), look.skin * 0.32, 1.2)
    canvas.ellipse(look.at(0, 0.16), (h * 0.075, h * 0.06), np.minimum(look.skin * 1.18, 255), h * 0.025, 0.7)


def _mouth(canvas: Canvas, look: Look) -> None:
    h = look.half
    canvas.ellipse(look.at(0, 0.5), (h * 0.25, h * 0.055), look.lips * 0.9, 1.5, arc=(180, 360))
    canvas.ellipse(look.at(0, 0.5), (h * 0.24, h * 0.09), look.lips * 1.08, 1.8, arc=(0, 180))
    line = [look.at(x, 0.5 + 0.02 * np.cos(6 * x)) for x in np.linspace(-0.25, 0.25, 9)]
    canvas.stroke(line, look.lips * 0.4, h * 0.022, 0.9)
    canvas.ellipse(look.at(0, 0.66), (h * 0.17, h * 0.035), look.skin * 0.72, h * 0.025, 0.7)


def _fringe(canvas: Canvas, look: Look) -> None:
    h = look.half
    mask = np.zeros((SIDE, SIDE), np.float32)
    cv2.ellipse(mask, [round(c) for c in look.at(0, -0.22)], [round(h * (look.narrow + 0.1)), round(h * 0.95)], 0, 180, 360, 1.0, -1, cv2.LINE_AA)
    cut = [round(c) for c in look.at(0.25 * look.light, 0.12)]
    cv2.ellipse(mask, cut, [round(h * (look.narrow - 0.04)), round(h * (0.32 + look.fringe))], 0, 0, 360, 0.0, -1, cv2.LINE_AA)
    canvas.lay(mask, look.hair, 2.5)


def write(folder: Path, count: int, seed: int) -> Path:
    """FOLDER/drawn_*.png and faces.csv, which appears last; a folder that has one already is refused."""
    table = folder / "faces.csv"
    if table.exists():
        raise ValueError(f"{table} is there already: take another folder")
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_save(folder, number, seed) for number in range(count)]
    (folder / "DRAWN.txt").write_text(NOTICE)
    partial = table.with_suffix(".partial")
    with partial.open("w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow([*COLUMNS, *(f"{name}_{axis}" for name in LANDMARKS for axis in "xy"), "source_grid"])
        writer.writerows(rows)
    return partial.replace(table)


def _save(folder: Path, number: int, seed: int) -> list:
    image, look = picture(seed * 100_003 + number)
    name = f"drawn_{number:04}.png"
    cv2.imwrite(str(folder / name), image[..., ::-1])
    numbers = [*look.box(), *(c for point in look.landmarks() for c in point)]
    return [name, SIDE, SIDE, *(f"{n:.1f}" for n in numbers), f"drawn_{number % GRIDS:02}"]
