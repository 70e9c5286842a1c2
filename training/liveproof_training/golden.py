"""Golden crops and scores that the Go scorer's tests read.

The pictures are 224 x 224 PNG files rendered from generated portraits of the test split; the
scores are ONNX Runtime's on a CPU. int8 kernels differ between CPUs, hence its wider tolerance.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import onnx

from . import data, export

TOLERANCE = {"fp16": 0.002, "int8": 0.05}  # |delta rho|


def write(models: dict[str, Path], folder: Path, out: Path, per_medium: int = 3) -> Path:
    crops = data.load_split(folder, "test")
    out.mkdir(parents=True, exist_ok=True)
    names = np.array(crops.media)
    chosen = [(m, int(i)) for m in ("none", "print", "replay") for i in _spread(np.flatnonzero(names == m), per_medium)]
    faces = data.centre(crops.images[[i for _, i in chosen]])
    rho = {p: export.run(path, faces, batch=1)[0] for p, path in models.items()}
    cases = []
    for n, (medium, _) in enumerate(chosen):
        name = f"{medium}_{n % per_medium}.png"
        cv2.imwrite(str(out / name), faces[n][..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
        cases.append({"image": name, "medium": medium, "rho": {p: round(float(r[n]), 6) for p, r in rho.items()}})
    body = {"models": {p: path.name for p, path in models.items()}, "tolerance": TOLERANCE, "cases": cases}
    path = out / "golden.json"
    path.write_text(json.dumps(body, indent=1) + "\n")
    return path


def manifest(models: dict[str, Path], out: Path) -> Path:
    """OUT/manifest.json: file, SHA-256, bytes and the metadata of each committed model."""
    entries = []
    for precision, path in models.items():
        body = path.read_bytes()
        props = {p.key: p.value for p in onnx.load_model_from_string(body).metadata_props}
        entries.append({"file": path.name, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body), "metadata": props})
    path = out / "manifest.json"
    path.write_text(json.dumps({"models": entries}, indent=1) + "\n")
    return path


def _spread(ids: np.ndarray, count: int) -> np.ndarray:
    return ids[np.linspace(0, len(ids) - 1, count).astype(int)]
