"""Tables and plots of a study: mean ± standard deviation over seeds, and every seed as a dot."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from liveproof_base import whole

from .. import metrics, plots
from ..config import TrainConfig, flat
from ..evaluation import videos

MEASURES = {"hter_idealised": "HTER idealised, %", "hter_realistic": "HTER realistic, %", "auc": "AUC, %"}
WORDS = {"full": "full", "no-le": "w/o LE", "no-pe": "w/o PE", "no-pe-le": "w/o PE & LE", "bce": "BCE"}
WORDS |= {"worst-family": "worst family", "family-adversary": "adversary over families", "wide": "margin 1.6", "both-margins": "margins 1.3 and 1.6"}
COLOURS = ("#222222", "#b8572a", "#4a5fb0", "#1b7f5c", "#8d6a9f", "#999999", "#c9a227", "#6b4f3a")
# What a study itself changes between its arms, and what says nothing about how long or on what a run learns.
NOT_TOLD = {
    "data",
    "out",
    "protocol",
    "shared",
    "seed",
    "arm",
    "k",
    "head",
    "loss",
    "label_encoding",
    "mix",
    "families",
    "threads",
    "device",
    "eval_every",
    "checkpoint_minutes",
    "tensorboard",
    "log_every",
    "eval_limit",
    "workers",
    "prefetch",
    "curve",
}


def values(results: list[dict], measure: str, arm: str, target: str | None) -> list[float]:
    """One number a seed, in %; ``target`` None: the mean over the targets of a seed that has them all."""
    chosen = [r for r in results if r["arm"] == arm and r[measure] is not None]
    if target is not None:
        return [100 * r[measure] for r in chosen if r["target"] == target]
    targets = {r["target"] for r in results}
    by_seed: dict[int, list[float]] = {}
    for r in chosen:
        by_seed.setdefault(r["seed"], []).append(100 * r[measure])
    return [float(np.mean(v)) for v in by_seed.values() if len(v) == len(targets)]


def columns(results: list[dict]) -> list[str | None]:
    """Targets in order of appearance, and their mean where there are several of one kind; the tests of one run have none."""
    targets = list(dict.fromkeys(r["target"] for r in results))
    return targets + [None] if len(targets) > 1 and "tests" not in results[0] else targets


def cell(numbers: list[float]) -> str:
    if not numbers:
        return "–"
    spread = metrics.spread(numbers)
    return f"{spread['mean']:.2f} ± {spread['std1']:.2f}" if len(numbers) > 1 else f"{spread['mean']:.2f}"


def departures(results: list[dict]) -> list[str]:
    """How the runs were trained otherwise than the paper says: "steps 40 (0)"."""
    default, first = TrainConfig().flat(), flat(results[0]["settings"])
    return [f"{n} {first[n]} ({default[n]})" for n in sorted(default) if n not in NOT_TOLD and first.get(n) != default[n]]


def _k(result: dict) -> int:
    return flat(result["settings"])["k"]


def caption(results: list[dict]) -> str:
    pooled = "tests" in results[0]
    runs = len({(r["arm"], r["seed"]) for r in results}) if pooled else len(results)
    seeds, other = sorted({r["seed"] for r in results}), departures(results)
    words = f"{runs} runs, seeds {', '.join(map(str, seeds))}; mean ± standard deviation (n − 1) over seeds. "
    steps = sorted({r["steps"] for r in results})
    if len({_k(r) for r in results}) > 1:
        words += "The paper's K = 10 was chosen on target data. "
    words += f"{steps[0]}{f'–{steps[-1]}' if len(steps) > 1 else ''} steps a run. "
    if any(r["rendered"] for r in results):
        words += "Rendered data: demo, no real attack was trained on. " if pooled else "Rendered data: demo, no real attack was seen. "
    if other:
        words += f"Toy settings, not the paper's: {', '.join(other)} (the defaults in brackets). "
    return words + (_of_pool(results[0]) if pooled else "Idealised: threshold chosen on the test videos; realistic: on dev.")


def _of_pool(result: dict) -> str:
    """What only runs on a pool of pairs have to tell."""
    return (
        f"{result['pairs']} pairs of a live picture and its attack train all runs, `batch` of them a step, scaled to `size`; a mixed picture "
        f"replaces its original, and its partner is of the same pair in {100 * result['own_prob']:.0f} %. "
        "Idealised: threshold chosen on each test's own pictures; realistic: on dev pairs of the media that were trained on."
    )


def markdown(results: list[dict], title: str) -> str:
    arms, cols = list(dict.fromkeys(r["arm"] for r in results)), columns(results)
    out = [f"**{title}.** {caption(results)}"]
    for measure, words in MEASURES.items():
        out += ["", f"| {words} | {' | '.join(c or 'mean' for c in cols)} |", "|---" * (len(cols) + 1) + "|"]
        for arm in arms:
            out.append(f"| {WORDS.get(arm, arm)} | {' | '.join(cell(values(results, measure, arm, c)) for c in cols)} |")
    return "\n".join(out) + "\n"


def write_runs(path: Path, results: list[dict]) -> None:
    header = ("target", "arm", "seed", "hter_idealised", "hter_realistic", "auc", "steps", "seconds")
    lines = ([f"{r[h]:.6f}" if isinstance(r[h], float) else "" if r[h] is None else r[h] for h in header] for r in results)
    videos.table(path, header, lines)


def draw_arms(results: list[dict], out: Path) -> None:
    """A panel a measure; per target a bar of arms: mean and standard deviation, each seed a dot."""
    arms, cols = list(dict.fromkeys(r["arm"] for r in results)), columns(results)
    fig, axes = plots.figure(8.6, 6.2, 1, len(MEASURES), sharex=True)
    for axis, (measure, words) in zip(axes, MEASURES.items()):
        for a, arm in enumerate(arms):
            at = np.arange(len(cols)) + (a - (len(arms) - 1) / 2) * 0.8 / len(arms)
            _dots(axis, at, [values(results, measure, arm, c) for c in cols], COLOURS[a % len(COLOURS)], WORDS.get(arm, arm))
        if cols[-1] is None:
            axis.axvspan(len(cols) - 1.5, len(cols) - 0.5, color="#f4f4f4", zorder=-1, lw=0)
        axis.set(ylabel=words, xlim=(-0.5, len(cols) - 0.5))
        axis.grid(axis="y", color="#eeeeee", lw=0.8)
    axes[-1].set_xticks(np.arange(len(cols)), [c or "mean" for c in cols])
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(handles, labels, frameon=False, loc="outside upper center", ncols=len(arms))
    plots.save(fig, out)


def _dots(axis, at, groups: list[list[float]], colour: str, label: str | None) -> None:
    """Mean and standard deviation as a filled dot with a bar, the single values small beside it."""
    for x, numbers in zip(at, groups):
        if numbers:
            s = metrics.spread(numbers)
            axis.errorbar(x, s["mean"], s["std1"], color=colour, marker="o", ms=4.5, capsize=2.5, lw=1.2, ls="", label=label)
            axis.plot(np.full(len(numbers), x) + 0.045, numbers, ls="", marker="o", ms=2.2, color=colour, alpha=0.5, zorder=1.5)
            label = None


def draw_levels(results: list[dict], baseline: list[dict], out: Path) -> None:
    """AUC over K, a panel a target as the paper's Fig. 3; dashed: the baseline without patch exchange and label encoding."""
    cols = columns(results)
    fig, axes = plots.figure(1.9 * len(cols) + 0.4, 2.5, len(cols), sharey=True, squeeze=False)
    levels = sorted({(_k(r), r["arm"]) for r in results})
    for axis, column in zip(axes[0], cols):
        groups = [values(results, "auc", arm, column) for _, arm in levels]
        known = [(k, np.mean(g)) for (k, _), g in zip(levels, groups) if g]
        axis.plot(*zip(*known), color=COLOURS[0], lw=1, zorder=0)
        _dots(axis, [k for k, _ in levels], groups, COLOURS[0], None)
        base = values(baseline, "auc", "no-pe-le", column)
        if base:
            s = metrics.spread(base)
            axis.axhline(s["mean"], color=COLOURS[1], ls="--", lw=1.2, label="w/o PE & LE")
            axis.axhspan(s["mean"] - s["std1"], s["mean"] + s["std1"], color=COLOURS[1], alpha=0.12, lw=0)
        axis.set(title=column or "mean", xlabel="K", xticks=[k for k, _ in levels])
        axis.title.set_size(9)
        axis.margins(x=0.08)
        axis.grid(axis="y", color="#eeeeee", lw=0.8)
    axes[0][0].set_ylabel("AUC, %")
    if baseline:
        axes[0][0].legend(frameon=False, loc="best", fontsize=8)
    plots.save(fig, out)


def effects(results: list[dict]) -> list[tuple[str, list[float]]]:
    """(ingredient, AUC lost without it in points, one a seed against the full set's same seed), the largest loss first."""
    full = {r["seed"]: r["auc"] for r in results if r["arm"] == "all"}
    lost: dict[str, list[float]] = {}
    for r in results:
        if r["arm"] != "all" and r["seed"] in full:
            lost.setdefault(r["arm"].removeprefix("without-"), []).append(100 * (full[r["seed"]] - r["auc"]))
    return sorted(lost.items(), key=lambda item: -np.mean(item[1]))


def draw_effects(results: list[dict], out: Path) -> None:
    ranked = effects(results)[::-1]
    fig, axis = plots.figure(5.2, 0.26 * len(ranked) + 0.9)
    for y, (_, numbers) in enumerate(ranked):
        s = metrics.spread(numbers)
        colour = COLOURS[1] if s["mean"] > 0 else COLOURS[5]
        axis.barh(y, s["mean"], xerr=s["std1"], color=colour, alpha=0.55, height=0.65, error_kw={"lw": 1, "capsize": 2})
        axis.plot(numbers, np.full(len(numbers), y), ls="", marker="o", ms=2.5, color="#222222")
    axis.axvline(0, color="black", lw=0.8)
    axis.set_yticks(range(len(ranked)), [name for name, _ in ranked])
    axis.set(xlabel="AUC lost on the full test set without it, points", ylim=(-0.6, len(ranked) - 0.4))
    plots.save(fig, out)


def ranking(results: list[dict]) -> str:
    """Ingredients by effect, as a table."""
    out = ["", "| trained without | AUC lost, points |", "|---|---|"]
    out += [f"| {name} | {cell(numbers)} |" for name, numbers in effects(results)]
    return "\n".join(out) + "\n"


def write(name: str, results: list[dict], baseline: list[dict], out: Path) -> str:
    """OUT/NAME.csv, NAME.md and the plots of this study; returns the table."""
    titles = {
        "ablation": "Ablation, leave-one-out",
        "levels": "Number of levels K, leave-one-out",
        "ingredients": "Renderer's ingredients, each left out of training",
        "pairs": "Ablation on simulated pairs",
        "options": "Options of training on simulated pairs",
    }
    text = markdown(results, titles[name])
    write_runs(out / f"{name}.csv", results)
    if name == "levels":
        draw_levels(results, baseline, out / "levels-auc.png")
    elif name == "ingredients":
        text += ranking(results)
        draw_effects(results, out / "ingredients-auc.png")
    else:
        draw_arms(results, out / f"{name}.png")
    whole.text(out / f"{name}.md", text)
    return text
