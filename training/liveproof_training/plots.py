"""Plots for the documentation; needs matplotlib, which training itself does not."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

INK = {"none": "#1b7f5c", "print": "#b8572a", "replay": "#4a5fb0"}


def _figure(width: float, height: float, columns: int = 1):
    try:
        import matplotlib
    except ImportError as error:
        raise ValueError("plots need matplotlib: pip install -r requirements.txt") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    return plt.subplots(1, columns, figsize=(width, height), constrained_layout=True)


def curves(log: Path, out: Path) -> None:
    """Loss and development error over the steps of ``log.csv``."""
    with log.open(newline="") as f:
        rows = list(csv.DictReader(f))
    figure, (left, right) = _figure(8, 3, 2)
    x, y = _column(rows, "loss")
    left.plot(x, y, color="#bbbbbb", lw=0.6, label="per batch")
    width = max(1, len(y) // 20)
    smooth = np.convolve(y, np.ones(width) / width, mode="valid")
    left.plot(x[width - 1 :], smooth, color="black", lw=1.4, label=f"mean of {width} logged batches")
    left.set(xlabel="step", ylabel="loss (Eq. 5)")
    left.legend(frameon=False)
    for key, colour, label in (("dev_eer", "#b8572a", "equal error rate"), ("dev_mse", "#4a5fb0", "mean squared error")):
        right.plot(*_column(rows, key), color=colour, marker="o", ms=3, label=label)
    right.set(xlabel="step", ylabel="development set", ylim=(0, None))
    right.legend(frameon=False)
    figure.savefig(out, dpi=130)


def _column(rows: list[dict[str, str]], key: str) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(int(r["step"]), float(r[key])) for r in rows if r[key]]
    return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])


def histogram(rho: np.ndarray, media: list[str], threshold: float, out: Path) -> None:
    """How the scores of each medium spread, with the threshold."""
    figure, axis = _figure(6, 3)
    names = np.array(media)
    for name, label in (("none", "bona fide"), ("print", "print"), ("replay", "screen replay")):
        axis.hist(rho[names == name], bins=40, range=(0, 1), histtype="step", lw=1.5, color=INK[name], label=label, density=True)
    axis.axvline(threshold, color="black", lw=1, ls="--", label=f"threshold {threshold:.3f}")
    axis.set(xlabel="ρ", ylabel="density", xlim=(0, 1))
    axis.legend(frameon=False)
    figure.savefig(out, dpi=130)


def sheet(images: np.ndarray, media: list[str], out: Path, columns: int = 10) -> None:
    """Rendered pairs: bona fide above, the attack with the same content, pose and camera below."""
    import cv2

    names = np.array(media)
    pairs = [i for i in range(len(media) - 1) if names[i] == "none" and names[i + 1] != "none"]
    chosen = [pairs[i] for i in np.linspace(0, len(pairs) - 1, 2 * columns).astype(int)]
    rows = []
    for half in (chosen[:columns], chosen[columns:]):
        rows += [np.hstack([images[i] for i in half]), np.hstack([images[i + 1] for i in half])]
    picture = cv2.resize(np.vstack(rows), None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(out), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
