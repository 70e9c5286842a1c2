"""What a crop costs on this CPU, by model, batch and threads.

The models take turns, so that a busy machine slows all of them, and the median of the turns is told: read the ratios.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from liveproof_base.progress import Progress

from .. import contract
from . import onnxgraph

WARM_UP = 3  # runs of each model that are not counted


def measure(models: dict[str, Path], batches: list[int], threads: list[int], rounds: int = 20) -> list[dict]:
    """A row per model, batch and thread count: median ms a crop, and its ratio to the first model's."""
    rows = []
    progress = Progress("speed", len(threads) * len(batches) * rounds)
    for count in threads:
        sessions = {name: onnxgraph.session(path, count) for name, path in models.items()}
        for batch in batches:
            rows += _rows(_turns(sessions, batch, rounds, progress), batch, count)
    return rows


def _turns(sessions: dict, batch: int, rounds: int, progress: Progress) -> dict[str, list[float]]:
    """Milliseconds a crop of every turn."""
    size = contract.INPUT_SIZE
    faces = np.random.default_rng(0).integers(0, 256, (batch, size, size, 3), dtype=np.uint8)
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for turn in range(-WARM_UP, rounds):
        for name, session in sessions.items():
            start = time.perf_counter()
            session.run(None, {contract.INPUT_NAME: faces})
            if turn >= 0:
                times[name].append(1000 * (time.perf_counter() - start) / batch)
        if turn >= 0:
            progress.step()
    return times


def _rows(times: dict[str, list[float]], batch: int, threads: int) -> list[dict]:
    medians = {name: float(np.median(values)) for name, values in times.items()}
    base = next(iter(medians.values()))
    return [
        {"model": name, "threads": threads, "batch": batch, "ms": round(ms, 2), "least_ms": round(min(times[name]), 2), "ratio": round(ms / base, 3)}
        for name, ms in medians.items()
    ]


def table(rows: list[dict]) -> str:
    """Markdown: a row per model and threads, a column per batch: ms a crop (ratio to the first model)."""
    batches = sorted({row["batch"] for row in rows})
    lines = ["| model | threads | " + " | ".join(f"batch {b}, ms a crop" for b in batches) + " |", "|" + "---|" * (2 + len(batches))]
    cells = {(row["model"], row["threads"], row["batch"]): f"{row['ms']:.1f} ({row['ratio']:.2f})" for row in rows}
    for threads in sorted({row["threads"] for row in rows}):
        for model in dict.fromkeys(row["model"] for row in rows):
            lines.append(f"| {model} | {threads} | " + " | ".join(cells[model, threads, b] for b in batches) + " |")
    return "\n".join(lines)
