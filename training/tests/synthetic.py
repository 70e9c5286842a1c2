"""Drawn faces and crops: enough to run the renderer and the loop without the generated portraits."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import cv2
import numpy as np

from liveproof_base import manifest

BOX = (120.0, 90.0, 330.0, 370.0)
POINTS = ((185.0, 205.0), (265.0, 205.0), (225.0, 260.0), (190.0, 300.0), (260.0, 300.0))


LANDMARKS = [f"{name}_{axis}" for name in ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth") for axis in "xy"]


def portrait(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    background = cv2.resize(rng.integers(40, 220, (6, 6, 3), dtype=np.uint8), (448, 448), interpolation=cv2.INTER_CUBIC)
    skin = tuple(int(c) for c in rng.integers((150, 110, 90), (240, 190, 170)))
    cv2.ellipse(background, (225, 230), (100, 138), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for x in (185, 265):
        cv2.ellipse(background, (x, 205), (18, 9), 0, 0, 360, (250, 250, 250), -1, cv2.LINE_AA)
        cv2.circle(background, (x, 205), 8, (60, 40, 30), -1, cv2.LINE_AA)
    cv2.ellipse(background, (225, 300), (38, 12), 0, 0, 360, (170, 60, 70), -1, cv2.LINE_AA)
    texture = cv2.GaussianBlur(rng.normal(0, 14, background.shape).astype(np.float32), (0, 0), 1.0)
    return np.clip(background + texture, 0, 255).astype(np.uint8)


def write_faces(folder: Path, grids: int = 6, per_grid: int = 2) -> None:
    """A folder of portraits like that which LIVEPROOF_SHARED/faces holds."""
    folder.mkdir(parents=True)
    with (folder / "faces.csv").open("w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["file", "width", "height", "x1", "y1", "x2", "y2", *LANDMARKS, "source_grid"])
        for n in range(grids * per_grid):
            name = f"face_{n}.png"
            cv2.imwrite(str(folder / name), portrait(n)[..., ::-1])
            writer.writerow([name, 448, 448, *BOX, *(c for point in POINTS for c in point), f"grid_{n // per_grid}"])


def pictures(count: int, seed: int) -> np.ndarray:
    """Even ones dark, odd ones light, blotches on all: something that a random network tells apart."""
    rng = np.random.default_rng(seed)
    blotches = rng.integers(0, 256, (count, 16, 16, 3), dtype=np.uint8).repeat(16, 1).repeat(16, 2)
    blotches[::2] //= 3
    return blotches


def write_crops(folder, parts: dict[str, np.ndarray]) -> None:
    """A folder as the renderer leaves it: a row a crop, the odd ones bona fide."""
    names = [f.name for f in dataclasses.fields(manifest.Row)]
    lines = [",".join(names)]
    for split, images in parts.items():
        np.save(folder / f"{split}.npy", images)
        for i in range(len(images)):
            known = {
                "crop": f"{split}.npy#{i}",
                "dataset": "rendered",
                "split": split,
                "subject": "p",
                "session": "1",
                "camera": "c",
                "pai": "none" if i % 2 else "print",
                "label": str(i % 2),
                "domain": "rendered",
                "video": f"{split}{i}",
                "instrument": "",
                "sha256": "0" * 64,
            }
            lines.append(",".join(known.get(name, "") for name in names))
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
