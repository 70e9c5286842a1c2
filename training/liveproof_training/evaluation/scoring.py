"""Scores of a checkpoint or an exported model on crops, and what they say about it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from liveproof_base import manifest, whole
from liveproof_base.progress import Progress

from .. import contract, metrics
from ..export import parity
from ..fit import checkpoint, engine
from ..loading import data
from . import judge, videos

CHUNK = 256  # crops in memory at once, 50 MB


class Model:
    """A ``.pt`` checkpoint or an ``.onnx`` file, loaded once."""

    def __init__(self, path: Path, device: str = "cpu"):
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such model; `train` writes OUT/final.pt, `export` NAME-PRECISION.onnx")
        self.path, self.device = path, _device(device)
        self.net = self.session = None
        if path.suffix == ".onnx":
            said = _properties(path).get(contract.THRESHOLD)
            if said is None:
                raise ValueError(f"{path}: carries no {contract.THRESHOLD}, so `export` did not write it")
            self.threshold = float(said)
            return
        net, state = checkpoint.load_net(path)
        self.net = net.to(self.device)
        self.config = checkpoint.settings(state).replace(precision="fp32")
        self.threshold = float(state["dev"]["threshold"]) if state.get("dev") else None
        torch.set_num_threads(self.config.run.threads or torch.multiprocessing.cpu_count())

    def rho(self, images: np.ndarray) -> np.ndarray:
        """rho of uint8 [N, 256, 256, 3]."""
        if self.net is None:
            return parity.run(self.path, data.centre(images))[0]
        return engine.scores(self.net, images, self.config, self.device)

    def describe(self) -> dict:
        return {"file": self.path.name, "sha256": hashlib.sha256(self.path.read_bytes()).hexdigest(), "threshold": self.threshold}


def _device(name: str) -> torch.device:
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def _properties(path: Path) -> dict[str, str]:
    import onnx

    return {p.key: p.value for p in onnx.load(path, load_external_data=False).metadata_props}


def scores(model: Path, images: np.ndarray) -> np.ndarray:
    """rho of uint8 [N, 256, 256, 3] by a model file."""
    return Model(model).rho(images)


def threshold(model: Path) -> float:
    """The development threshold that the model carries."""
    return Model(model).threshold


def of_crops(model: Model, crops: data.Crops, what: str) -> np.ndarray:
    """rho of all crops, a chunk at a time, so that a benchmark need not fit into memory."""
    bar, out = Progress(f"score {what}", len(crops.labels)), []
    for start in range(0, len(crops.labels), CHUNK):
        ids = np.arange(start, min(start + CHUNK, len(crops.labels)))
        out.append(model.rho(crops.images.take(ids)))
        bar.step(len(ids))
    return np.concatenate(out) if out else np.zeros(0, np.float32)


@dataclasses.dataclass
class Part:
    """One role's crops with their scores, and the videos that they make up."""

    role: str
    crops: data.Crops
    rho: np.ndarray
    videos: list[videos.Video]


def on_protocol(model: Model, folders: list[Path], protocol: Path, roles: tuple[str, ...] = ("dev", "test")) -> dict[str, Part]:
    uses = manifest.read_protocol(protocol)
    out = {}
    for role in roles:
        try:
            crops = data.load_role(folders, protocol, role)
        except data.NoRole:
            if role != "dev":
                raise
            crops = data.none()  # no realistic threshold then
        rho = of_crops(model, crops, role)
        out[role] = Part(role, crops, rho, videos.of_protocol(uses, role, crops, rho))
    return out


def on_splits(model: Model, folders: list[Path], splits: tuple[str, ...] = ("dev", "test")) -> dict[str, Part]:
    """By the data's own splits, without a protocol: videos that gave no crop are then unknown."""
    if len(folders) > 1:
        raise ValueError("without a protocol, one folder at a time: its own splits")
    out = {}
    for split in splits:
        crops = data.load_split(folders[0], split)
        rho = of_crops(model, crops, split)
        out[split] = Part(split, crops, rho, videos.of_crops(split, crops, rho))
    return out


def is_rendered(folders: list[Path], scored: list[videos.Video]) -> bool:
    """Whether any of the data came from the renderer: marked folders, or the data set ``rendered``."""
    return any(v.dataset == "rendered" for v in scored) or any(map(_marked, folders))


def _marked(folder: Path) -> bool:
    """A file RENDERED.txt beside the manifest, or `"rendered": true` in the extraction's report."""
    report = folder / "report.json"
    said = json.loads(report.read_text()).get("rendered", False) if report.is_file() else False
    return bool(said) or (folder / manifest.RENDERED).exists()


def judged(model: Model, parts: dict[str, Part]) -> dict:
    return judge.judge(parts["dev"].videos, parts["test"].videos, model.threshold)


def on_split(model: Path, folder: Path, split: str, device: str = "cpu") -> tuple[dict, np.ndarray, data.Crops]:
    """Crop by crop at the model's own threshold."""
    loaded, crops = Model(model, device), data.load_split(folder, split)
    rho = of_crops(loaded, crops, split)
    return metrics.report(rho, crops.labels, crops.pai, loaded.threshold), rho, crops


def markdown(rows: dict[str, dict[str, float]]) -> str:
    lines = [
        "| attacks | n attack | n bona fide | AUC | EER | APCER | BPCER |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, r in rows.items():
        rates = " | ".join(f"{100 * r[k]:.1f} %" for k in ("eer", "apcer", "bpcer"))
        lines.append(f"| {name} | {r['attacks']} | {r['bona_fide']} | {r['auc']:.4f} | {rates} |")
    return "\n".join(lines)


def write(out: Path, name: str, rows: dict, rho: np.ndarray, crops: data.Crops) -> None:
    """OUT/NAME.json (the table) and OUT/NAME.csv (one line per crop)."""
    out.mkdir(parents=True, exist_ok=True)
    whole.text(out / f"{name}.json", json.dumps(rows, indent=2) + "\n")
    lines = ((i, pai, y, f"{r:.6f}") for i, (pai, y, r) in enumerate(zip(crops.pai, crops.labels, rho)))
    videos.table(out / f"{name}.csv", ("index", "pai", "label", "rho"), lines)
