"""Plots of scores and of a run; needs matplotlib, which training itself does not."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from liveproof_base import whole

from . import metrics

INK = {"none": "#1b7f5c", "print": "#b8572a", "cut": "#8d6a9f", "replay": "#4a5fb0"}
WORDS = {"none": "bona fide", "print": "print", "cut": "cut-out", "replay": "screen replay"}


class NoPlots(ValueError):
    """matplotlib is not installed."""


def figure(width: float, height: float, columns: int = 1, rows: int = 1, **kwargs):
    """Axes in the house's look; inches. Never opens a window."""
    try:
        import matplotlib
    except ImportError as error:
        raise NoPlots("plots need matplotlib: pip install -r requirements.txt") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "liveproof"})
    return plt.subplots(rows, columns, figsize=(width, height), constrained_layout=True, **kwargs)


def save(fig, out) -> None:
    """To a file, or to an open binary file as SVG; frees the figure."""
    import matplotlib.pyplot as plt

    if isinstance(out, (str, Path)):
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        with whole.file(Path(out)) as partial:
            fig.savefig(partial, dpi=130)
    else:
        fig.savefig(out, format="svg", metadata={"Date": None})
    plt.close(fig)


def curves(log: Path, out: Path, end: dict | None = None) -> None:
    """Loss and figures of the development set over the steps of ``log.csv``; ``end``: ``step`` and ``dev_auc`` after the last of them."""
    with log.open(newline="") as f:
        rows = list(csv.DictReader(f)) + ([end] if end else [])
    fig, (left, right) = figure(8, 3, 2)
    key = "loss_score" if any(r.get("loss_score") for r in rows) else "loss"  # without the adversary's, where there is one
    _loss(left, *_column(rows, key))
    for key, colour, label in DEV:
        x, y = _column(rows, key)
        if len(x):
            right.plot(x, y, color=colour, marker="o", ms=3, label=label)
    right.set(xlabel="step", ylabel="development set", ylim=(0, 1.02))
    if right.get_legend_handles_labels()[0]:
        right.legend(frameon=False)
    save(fig, out)


DEV = (("dev_auc", "#1b7f5c", "AUC"), ("dev_eer", "#b8572a", "equal error rate"), ("dev_mse", "#4a5fb0", "mean squared error"))


def _loss(axis, x: np.ndarray, y: np.ndarray) -> None:
    axis.set(xlabel="step", ylabel="loss of the score")
    if not len(x):
        return
    axis.plot(x, y, color="#bbbbbb", lw=0.6, label="per batch")
    width = max(1, len(y) // 20)
    smooth = np.convolve(y, np.ones(width) / width, mode="valid")
    axis.plot(x[width - 1 :], smooth, color="black", lw=1.4, label=f"mean of {width} logged batches")
    axis.legend(frameon=False)


def _column(rows: list[dict[str, str]], key: str) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(int(r["step"]), float(r[key])) for r in rows if r.get(key)]
    return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])


def histogram(rho: np.ndarray, pai: list[str], thresholds: float | dict[str, float], out) -> None:
    """How the scores of each instrument species spread, with the thresholds."""
    fig, axis = figure(6, 3)
    names = np.array(pai)
    for name in [n for n in WORDS if (names == n).any()]:
        axis.hist(
            rho[names == name],
            bins=40,
            range=(0, 1),
            histtype="step",
            lw=1.5,
            color=INK[name],
            density=True,
            label=f"{WORDS[name]} ({(names == name).sum()})",
        )
    marks = thresholds if isinstance(thresholds, dict) else {"threshold": thresholds}
    for (name, value), style in zip(marks.items(), ("--", ":", "-.")):
        axis.axvline(value, color="black", lw=1, ls=style, label=f"{name} {value:.3f}")
    axis.set(xlabel="ρ", ylabel="density", xlim=(0, 1))
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0)
    save(fig, out)


def operating(bona_fide: np.ndarray, attacks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(APCER, BPCER) at every threshold, from accepting all to accepting none."""
    thresholds = np.append(np.unique(np.concatenate([bona_fide, attacks])), np.inf)
    accepted, rejected = metrics.errors(bona_fide, attacks, thresholds)
    return accepted / len(attacks), rejected / len(bona_fide)


def roc(bona_fide: np.ndarray, by_pai: dict[str, np.ndarray], points: dict[str, metrics.Point], out) -> None:
    """Receiver operating characteristic: all attacks and each species, with the points that the thresholds pick."""
    fig, axis = figure(4.2, 3.6)
    for name, attacks in by_pai.items():
        apcer, bpcer = operating(bona_fide, attacks)
        style = dict(color="black", lw=1.6) if name == "all" else dict(color=INK.get(name, "#888888"), lw=1)
        label = f"{WORDS.get(name, name)}, AUC {metrics.auc(bona_fide, attacks):.3f}"
        axis.step(apcer[::-1], 1 - bpcer[::-1], where="post", label=label, **style)
    _mark(axis, {name: (p.far, 1 - p.frr) for name, p in points.items()})
    axis.plot([0, 1], [0, 1], color="#cccccc", lw=0.8, zorder=0)
    axis.set(xlabel="attacks accepted (APCER)", ylabel="bona fide accepted (1 − BPCER)", xlim=(-0.01, 1), ylim=(0, 1.01))
    axis.legend(frameon=False, loc="lower right")
    save(fig, out)


def det(bona_fide: np.ndarray, by_pai: dict[str, np.ndarray], points: dict[str, metrics.Point], out) -> None:
    """Detection error trade-off on normal-deviate axes, where normal scores give straight lines."""
    fig, axis = figure(4.2, 3.6)
    for name, attacks in by_pai.items():
        apcer, bpcer = operating(bona_fide, attacks)
        style = dict(color="black", lw=1.6) if name == "all" else dict(color=INK.get(name, "#888888"), lw=1)
        axis.plot(_deviate(apcer), _deviate(bpcer), label=WORDS.get(name, name), **style)
    _mark(axis, {name: (_deviate(p.far), _deviate(p.frr)) for name, p in points.items()})
    ticks = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.4])
    words = [f"{100 * t:g} %" for t in ticks]
    low, high = _deviate(LEAST), _deviate(MOST)
    axis.set(xlabel="APCER", ylabel="BPCER", xlim=(low, high), ylim=(low, high))
    axis.set_xticks(_deviate(ticks), words)
    axis.set_yticks(_deviate(ticks), words)
    axis.grid(color="#eeeeee", lw=0.8)
    axis.legend(frameon=False, loc="upper right")
    save(fig, out)


LEAST, MOST = 0.004, 0.6  # the axes' ends; smaller rates are drawn at the end


def _deviate(rate):
    from statistics import NormalDist

    return np.vectorize(NormalDist().inv_cdf)(np.clip(rate, LEAST, 1 - LEAST))


def _mark(axis, points: dict[str, tuple[float, float]]) -> None:
    for (name, (x, y)), marker in zip(points.items(), "osD"):
        axis.plot(x, y, marker=marker, color="white", mec="black", ms=5, ls="", label=name, clip_on=False)


def before_after(panels: dict[str, tuple[np.ndarray, np.ndarray, float]], out) -> None:
    """Histograms of (rho, labels, threshold) one above the other."""
    fig, axes = figure(6, 2.2 * len(panels), rows=len(panels), sharex=True)
    for axis, (name, (rho, labels, threshold)) in zip(np.atleast_1d(axes), panels.items()):
        for label, colour, word in ((1, INK["none"], "bona fide"), (0, INK["print"], "attack")):
            axis.hist(rho[labels == label], bins=25, range=(0, 1), histtype="step", lw=1.5, color=colour, label=f"{word} ({(labels == label).sum()})")
        axis.axvline(threshold, color="black", lw=1, ls="--", label=f"threshold {threshold:.3f}")
        axis.set(ylabel="files", xlim=(0, 1), title=name)
        axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0)
    np.atleast_1d(axes)[-1].set_xlabel("ρ")
    save(fig, out)


def learning_curve(points, out) -> None:
    """AUC over numbers of pictures: of all files with its interval, of the folds with their deviation, each fold as a dot."""
    fig, axis = figure(6, 3.4)
    at = np.array([p.pictures for p in points])
    middle, low, high = (np.array([getattr(p.all, name) for p in points]) for name in ("value", "low", "high"))
    axis.errorbar(at - 1, middle, (middle - low, high - middle), color="black", marker="o", ms=4, capsize=3, label="all files, 95 % over series")
    means, deviations = np.array([p.mean for p in points]), np.array([p.deviation for p in points])
    axis.errorbar(at + 1, means, deviations, color="#4a5fb0", marker="s", ms=4, capsize=3, label="mean of the folds ± deviation")
    for n in range(len(points[0].folds)):
        axis.plot(at + 1, [p.folds[n] for p in points], color="#4a5fb0", marker=".", ls="", alpha=0.4)
    if np.isfinite([p.subset for p in points]).all():
        axis.plot(at, [p.subset for p in points], color="#b8572a", marker="^", ms=4, label="the subset alone")
    axis.set(xlabel="own pictures that were learned from", ylabel="AUC on series that were not", xticks=at, ylim=(None, 1.005))
    axis.legend(frameon=False, loc="lower right")
    save(fig, out)
