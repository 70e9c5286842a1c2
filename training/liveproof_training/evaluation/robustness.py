"""How far the score of a crop moves when only its picture quality does: a shortcut shows as a curve that one class follows alone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from liveproof_base import whole
from liveproof_base.progress import Progress

from .. import metrics, plots
from ..loading import data, nuisance
from .scoring import Model


def blur(image: np.ndarray, sigma: float, rng) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image


def jpeg(image: np.ndarray, quality: float, rng) -> np.ndarray:
    _, coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]


def exposure(image: np.ndarray, stops: float, rng) -> np.ndarray:
    """In linear light, so highlights clip and shadows sink as a camera's do."""
    return _round(255 * np.clip((image / 255.0) ** 2.2 * 2.0**stops, 0, 1) ** (1 / 2.2))


def scale(image: np.ndarray, factor: float, rng) -> np.ndarray:
    """A face that was smaller in the frame: shrunk and brought back to 256."""
    if factor == 1:
        return image
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def colour(image: np.ndarray, cast: float, rng) -> np.ndarray:
    """Octaves between red and blue: red times 2^(cast/2), blue divided by it."""
    return _round(image * np.array([2 ** (cast / 2), 1.0, 2 ** (-cast / 2)]))


def noise(image: np.ndarray, sigma: float, rng) -> np.ndarray:
    return _round(image + rng.normal(0, sigma, image.shape)) if sigma else image


def _round(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


@dataclasses.dataclass(frozen=True)
class Sweep:
    apply: Callable  # (uint8 [256, 256, 3] RGB, level, generator) -> the same
    label: str  # with the unit
    levels: tuple[float, ...]
    neutral: float | None  # the level that changes nothing


SWEEPS = {
    "blur": Sweep(blur, "Gaussian blur, σ in pixels", (0, 0.5, 1, 1.5, 2, 3, 4), 0),
    "jpeg": Sweep(jpeg, "JPEG quality", (95, 85, 70, 50, 30, 20, 10), None),
    "exposure": Sweep(exposure, "exposure, stops", (-2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5), 0),
    "scale": Sweep(scale, "scale of the face", (1, 0.75, 0.5, 0.375, 0.25, 0.18), 1),
    "colour": Sweep(colour, "colour cast, octaves red/blue", (-0.8, -0.4, -0.2, 0, 0.2, 0.4, 0.8), 0),
    "noise": Sweep(noise, "noise, σ in grey levels", (0, 3, 6, 10, 15, 25), 0),
}


def choose(crops: data.Crops, per_class: int, seed: int = 1) -> np.ndarray:
    """Up to ``per_class`` crops of each class, drawn once, in the file's order."""
    rng, out = np.random.default_rng(seed), []
    for label in (0, 1):
        ids = np.flatnonzero(crops.labels == label)
        if not len(ids):
            raise metrics.SingleClass(f"no {'bona fide' if label else 'attack'} crops to disturb")
        out.append(rng.permutation(ids)[:per_class])
    return np.sort(np.concatenate(out))


def sweep(model: Model, images: np.ndarray, labels: np.ndarray, threshold: float, names=tuple(SWEEPS), seed: int = 1) -> dict:
    """name -> a row per level: mean and 10 % / 90 % quantiles of rho for both classes, error rates at the threshold, AUC."""
    plain = model.rho(images)
    bar = Progress("disturb", sum(len(SWEEPS[n].levels) for n in names))
    out = {}
    for name in names:
        out[name] = []
        for level in SWEEPS[name].levels:
            rng = np.random.default_rng(seed)  # the same noise at every level, only stronger
            if level == SWEEPS[name].neutral:
                rho = plain
            else:
                rho = model.rho(np.stack([np.ascontiguousarray(SWEEPS[name].apply(image, level, rng)) for image in images]))
            out[name].append({"level": level, **_row(rho, labels, threshold)})
            bar.step(note=name)
    return out


def _row(rho: np.ndarray, labels: np.ndarray, threshold: float) -> dict:
    real, fake = rho[labels == 1], rho[labels == 0]
    row = {"bpcer": metrics.bpcer(real, threshold), "apcer": metrics.apcer(fake, threshold), "auc": metrics.auc(real, fake)}
    for name, values in (("bona_fide", real), ("attack", fake)):
        low, high = np.quantile(values, (0.1, 0.9))
        row[name] = {"mean": float(values.mean()), "low": float(low), "high": float(high)}
    return row


def correlations(rho: np.ndarray, table: np.ndarray, labels: np.ndarray) -> dict[str, dict[str, float]]:
    """Spearman's rank correlation of rho with each nuisance factor as it naturally varies, within each class."""
    return {
        name: {word: _spearman(rho[labels == y], table[labels == y, i]) for word, y in (("bona_fide", 1), ("attack", 0))}
        for i, name in enumerate(nuisance.NAMES)
    }


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    a, b = _ranks(x), _ranks(y)
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _ranks(x: np.ndarray) -> np.ndarray:
    """Ties share their mean rank."""
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def run(model: Model, crops: data.Crops, per_class: int, out: Path) -> dict:
    """OUT/robustness.json and two plots: the score, and the error rates at the model's threshold."""
    ids = choose(crops, per_class)
    images, labels = crops.images.take(ids), crops.labels[ids]
    rows = sweep(model, images, labels, model.threshold)
    natural = correlations(model.rho(images), nuisance.table(images), labels)
    result = {
        "model_file": model.describe(),
        "crops": {"bona_fide": int((labels == 1).sum()), "attacks": int((labels == 0).sum())},
        "sweeps": rows,
        "spearman": natural,
    }
    out.mkdir(parents=True, exist_ok=True)
    draw_scores(rows, model.threshold, out / "robustness-rho.png")
    draw_errors(rows, out / "robustness-errors.png")
    whole.text(out / "robustness.json", json.dumps(result, indent=2) + "\n")
    return result


def draw_scores(rows: dict, threshold: float, out: Path) -> None:
    fig, axes = _panels(rows)
    for axis, levels in zip(axes, rows.values()):
        x = [r["level"] for r in levels]
        for key, colour, label in (("bona_fide", plots.INK["none"], "bona fide"), ("attack", plots.INK["print"], "attacks")):
            axis.plot(x, [r[key]["mean"] for r in levels], color=colour, lw=1.5, marker="o", ms=2.5, label=label)
            axis.fill_between(x, [r[key]["low"] for r in levels], [r[key]["high"] for r in levels], color=colour, alpha=0.15, lw=0)
        axis.axhline(threshold, color="black", lw=0.8, ls="--", label=f"threshold {threshold:.2f}")
        axis.set(ylim=(0, 1))
    _finish(fig, axes, rows, "ρ, mean and 10–90 %", out)


def draw_errors(rows: dict, out: Path) -> None:
    fig, axes = _panels(rows)
    for axis, levels in zip(axes, rows.values()):
        x = [r["level"] for r in levels]
        axis.plot(x, [100 * r["bpcer"] for r in levels], color=plots.INK["none"], lw=1.5, marker="o", ms=2.5, label="BPCER")
        axis.plot(x, [100 * r["apcer"] for r in levels], color=plots.INK["print"], lw=1.5, marker="o", ms=2.5, label="APCER")
        axis.set(ylim=(-2, 102))
    _finish(fig, axes, rows, "error rate, %", out)


def _panels(rows: dict):
    across = min(3, len(rows))
    down = -(-len(rows) // across)
    fig, axes = plots.figure(2.9 * across, 2.3 * down, across, down, sharey=True, squeeze=False)
    return fig, axes.ravel()


def _finish(fig, axes, rows: dict, ylabel: str, out: Path) -> None:
    for axis, name in zip(axes, rows):
        axis.set(xlabel=SWEEPS[name].label)
        if name in ("jpeg", "scale"):
            axis.invert_xaxis()  # worse to the right, as in the others
    for axis in axes[len(rows) :]:
        axis.set_visible(False)
    fig.supylabel(ylabel, fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, frameon=False, loc="outside upper left", ncols=len(labels))
    plots.save(fig, out)


def markdown(result: dict) -> str:
    """A line for each level of each disturbance, and the correlations."""
    lines = ["| disturbance | level | bona fide ρ | attack ρ | BPCER | APCER | AUC |", "|---|---|---|---|---|---|---|"]
    for name, levels in result["sweeps"].items():
        for r in levels:
            lines.append(
                f"| {name} | {r['level']:g} | {r['bona_fide']['mean']:.3f} | {r['attack']['mean']:.3f} | "
                f"{100 * r['bpcer']:.1f} % | {100 * r['apcer']:.1f} % | {r['auc']:.3f} |"
            )
    lines += ["", "| Spearman with | bona fide | attacks |", "|---|---|---|"]
    lines += [f"| {name} | {r['bona_fide']:+.2f} | {r['attack']:+.2f} |" for name, r in result["spearman"].items()]
    return "\n".join(lines)
