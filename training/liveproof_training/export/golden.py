"""Golden crops and scores of the committed models, which the Go scorer's tests read.

The pictures are 224 x 224 PNG files rendered from generated portraits of the test split, never recordings of people. A model's
scores are ONNX Runtime's on a CPU, by the file's name without ending; PyTorch's, by the model's name, where its checkpoint
is given.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import onnx

from liveproof_base import whole

from ..fit import checkpoint, engine
from ..loading import data
from . import parity

PAIS = ("none", "print", "cut", "replay")
# |delta rho| of another machine from these scores: by precision.
TOLERANCE = {"fp32": 1e-4, "fp16": 2e-3, "int8": 5e-2}


def write(folder: Path, crops: Path | None, checkpoints: dict[str, Path], per_pai: int = 3) -> tuple[Path, Path]:
    """FOLDER/golden/ and FOLDER/manifest.json for the models in FOLDER.

    ``crops``: rendered data whose test split gives new pictures; None keeps those that are there. ``checkpoints``: by model name;
    where the pictures are kept, PyTorch's scores of other models are kept too, unless their weights have changed.
    """
    out = folder / "golden"
    cases = _draw(crops, out, per_pai) if crops else _kept(out)
    models = committed(folder)
    if not models:
        raise FileNotFoundError(f"{folder} has no NAME-PRECISION.onnx; `export` writes them")
    weights = {path.stem: _weights(path) for path in models}
    before = {} if crops else _scores_before(out / "golden.json", weights)
    faces = np.stack([read(out / case["image"]) for case in cases])
    rho = {path.stem: parity.run(path, faces, batch=1)[0] for path in models}
    rho_pytorch = {name: _pytorch(path, faces) for name, path in checkpoints.items()}
    for n, case in enumerate(cases):
        case["rho"] = {name: round(float(r[n]), 6) for name, r in rho.items()}
        case["pytorch"] = before.get(case["image"], {}) | {name: round(float(r[n]), 6) for name, r in rho_pytorch.items()}
    _write(out / "golden.json", {"tolerance": TOLERANCE, "weights": weights, "cases": cases})
    return out / "golden.json", manifest(folder)


def committed(folder: Path) -> list[Path]:
    """The models of a folder; git ignores fp32."""
    return [path for path in sorted(folder.glob("*.onnx")) if not path.stem.endswith("-fp32")]


def manifest(folder: Path) -> Path:
    """FOLDER/manifest.json: file, SHA-256, bytes and metadata of each model, and how far it is from PyTorch."""
    entries = [_entry(path) for path in committed(folder)]
    _write(folder / "manifest.json", {"models": entries})
    return folder / "manifest.json"


def _entry(path: Path) -> dict:
    body = path.read_bytes()
    props = {p.key: p.value for p in onnx.load_model_from_string(body).metadata_props}
    entry = {"file": path.name, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body), "metadata": props}
    told = path.with_name(f"{props['liveproof.name']}-parity.json")
    if told.is_file():
        report = json.loads(told.read_text())
        row = report["scores"].get(props["liveproof.precision"])
        if row:
            entry["dev"] = {"crops": report["crops"], **{key: round(value, 6) for key, value in row.items()}}
    return entry


def _draw(crops_folder: Path, out: Path, per_pai: int) -> list[dict]:
    crops = data.load_split(crops_folder, "test")
    if any(row.dataset != "rendered" for row in crops.rows):
        raise ValueError(f"{crops_folder} has other crops than rendered ones; pictures of people are not committed")
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.png"):
        old.unlink()
    pais, cases = np.array(crops.pai), []
    for pai in PAIS:
        for n, i in enumerate(_spread(np.flatnonzero(pais == pai), per_pai)):
            face = data.centre(crops.images.take([int(i)]))[0]
            cv2.imwrite(str(out / f"{pai}_{n}.png"), face[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
            cases.append({"image": f"{pai}_{n}.png", "pai": pai})
    return cases


def _kept(out: Path) -> list[dict]:
    names = sorted(path.name for path in out.glob("*.png"))
    if not names:
        raise FileNotFoundError(f"{out} has no pictures; draw them from rendered crops with --data FOLDER")
    return [{"image": name, "pai": name.split("_")[0]} for name in names]


def _scores_before(told: Path, weights: dict[str, str]) -> dict[str, dict[str, float]]:
    """PyTorch's scores in golden.json, by picture and model, of the models all of whose files have the weights that they had then."""
    if not told.is_file():
        return {}
    before = json.loads(told.read_text())
    then = before.get("weights", {})
    changed = {stem.rpartition("-")[0] for stem in weights.keys() | then.keys() if weights.get(stem) != then.get(stem)}
    same = {stem.rpartition("-")[0] for stem in weights} - changed
    return {case["image"]: {name: rho for name, rho in case["pytorch"].items() if name in same} for case in before["cases"]}


def _weights(path: Path) -> str:
    """SHA-256 of a file without its metadata: another threshold leaves it as it is."""
    model = onnx.load(path)
    del model.metadata_props[:]
    return hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()


def _pytorch(path: Path, faces: np.ndarray) -> np.ndarray:
    """Crops of 224 pixels stand in the middle of the 256 that the engine cuts them from."""
    net, state = checkpoint.load_net(path)
    config = checkpoint.settings(state).replace(precision="fp32")
    return engine.scores(net, np.pad(faces, ((0, 0), (16, 16), (16, 16), (0, 0))), config, next(net.parameters()).device)


def read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"{path}: not a readable picture")
    return picture[..., ::-1]


def _spread(ids: np.ndarray, count: int) -> np.ndarray:
    return ids[np.linspace(0, len(ids) - 1, count).astype(int)] if len(ids) else ids


def _write(path: Path, body: dict) -> None:
    whole.text(path, json.dumps(body, indent=1) + "\n")
