"""Turns the logs of scripts/gpu-check.sh into OUT/report.md and OUT/report.json. It runs after each step, on the logs so far."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

WANTED_SHARE, WANTED_WAIT_MS, WANTED_BUSY = 0.8, 20.0, 0.9
KEPT_UP = 0.95  # of the offered rate
NO_GPU = "**no GPU: dry run, nothing here is a GPU figure**"


def benchmarks(text: str) -> list[dict]:
    """Parses lines of go test -bench: a name, then pairs of a number and its unit."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if not words or not words[0].startswith("Benchmark") or len(words) < 4 or not words[1].isdigit():
            continue
        name = re.sub(r"-\d+$", "", words[0])
        figures = {unit: float(value) for value, unit in zip(words[2::2], words[3::2])}
        settings = dict(re.findall(r"(\w+)=([\d.]+)", name))
        found.append({"name": name, "kind": kind_of(name), "model": model_of(name), **settings, **figures})
    return found


def kind_of(name: str) -> str:
    return next((kind for kind in ("bare", "busy", "steady") if f"/{kind}/" in name), "")


def model_of(name: str) -> str:
    parts = name.split("/")
    return parts[1] if parts[0] == "BenchmarkProvider" and len(parts) > 2 else "fake"


def pairs(text: str, word: str) -> list[dict]:
    """Parses lines of go test -v such as `parity model=… largest=…`."""
    return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in text.splitlines() if f"{word} model=" in line]


def lines_of(text: str, word: str) -> list[dict]:
    """Parses lines that consist of the word and a JSON object."""
    return [json.loads(line[len(word) + 1 :]) for line in text.splitlines() if line.startswith(f"{word} {{")]


def collect(logs: Path, steps: Path) -> dict:
    text = {path.stem: path.read_text(errors="replace") for path in sorted(logs.glob("*.log"))}
    rows = [line.split("\t") for line in steps.read_text().splitlines()] if steps.is_file() else []
    return {
        "steps": [{"step": name, "seconds": int(seconds), "result": result} for name, seconds, result in rows],
        "host": text.get("host", ""),
        "parity": [p for name in text for p in pairs(text[name], "parity")],
        "loaded": [{"step": name, **p} for name in text for p in pairs(text[name], "loaded")],
        "providers": {name: benchmarks(text[name]) for name in text if name.startswith("provider-") or name == "tensorrt"},
        "fake": benchmarks(text.get("fake", "")),
        "training": [t for name in text if name.startswith("train-") for t in lines_of(text[name], "training")],
        "pytorch": lines_of(text.get("pytorch", ""), "pytorch"),
        "copies": lines_of(text.get("pytorch", ""), "copy"),
        "tensorrt": next((line for line in text.get("tensorrt", "").splitlines() if line.startswith("TensorRT:")), ""),
    }


def table(head: list[str], rows: list[list]) -> list[str]:
    if not rows:
        return ["nothing was measured", ""]
    return ["| " + " | ".join(head) + " |", "|---" * len(head) + "|", *("| " + " | ".join(map(str, row)) + " |" for row in rows), ""]


def number(value, digits: int = 0) -> str:
    return "" if value is None or value == "" else f"{float(value):,.{digits}f}".replace(",", " ")


def percent(value) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def told(holds: bool) -> str:
    return "holds" if holds else "**does not hold**"


def provider_section(step: str, found: list[dict]) -> list[str]:
    bare = [f for f in found if f["kind"] == "bare"]
    out = [f"### {step}", ""]
    if not bare:
        return [*out, "nothing was measured: see logs.txt", ""]
    rates = {(f["runs"], int(f["batch"])): f["images/s"] for f in bare}
    batches = sorted({batch for _, batch in rates})
    out += [f"{bare[0]['model']}. The bare runtime, images/s:", ""]
    out += table(["batch", "one run at a time", "two"], [[b, number(rates.get(("1", b))), number(rates.get(("2", b)))] for b in batches])
    alone = max((rate for (runs, _), rate in rates.items() if runs == "1"), default=0.0)
    best = max(rates.values())
    out += [f"Best: {number(alone)} images/s one run at a time, {number(best)} with two. The batcher:", ""]
    return out + batcher_table([f for f in found if f["kind"] in ("busy", "steady")], alone, best) + verdicts(found, alone, best)


def batcher_table(found: list[dict], alone: float, best: float) -> list[str]:
    head = ["workers", "max_batch", "load", "images/s", "of one run", "of the best", "p50 wait ms", "p99 wait ms", "failed"]
    rows = []
    for f in found:
        load = f"{f['sessions']} sessions" if f["kind"] == "busy" else f"{number(f['offered'])}/s offered"
        shares = [percent(f["images/s"] / base) if base else "" for base in (alone, best)]
        waits = [number(f.get("p50-wait-ms"), 1), number(f.get("p99-wait-ms"), 1)]
        rows.append([f["workers"], f["max_batch"], load, number(f["images/s"]), *shares, *waits, number(f.get("failed"))])
    return table(head, rows)


def verdicts(found: list[dict], alone: float, best: float) -> list[str]:
    """The target: the rate by the busy batcher, the wait by crops that come steadily at that share of the best."""
    lines = [rate_verdict(found, what, base) for what, base in (("one run at a time", alone), ("the best, two runs included", best))]
    return [line for text in (*lines, wait_verdict(found)) for line in (text, "")]


def rate_verdict(found: list[dict], what: str, base: float) -> str:
    good = [f for f in found if f["kind"] == "busy" and f.get("failed") == 0]
    top = max(good, key=lambda f: f["images/s"], default=None)
    share = top["images/s"] / base if top and base else 0.0
    where = f" (workers {top['workers']}, max_batch {top['max_batch']}, {top['sessions']} sessions)" if top else ""
    return f"Target: busy, at least {WANTED_SHARE:.0%} of {what}, no crop failed: {percent(share)}{where}: {told(share >= WANTED_SHARE)}"


def wait_verdict(found: list[dict]) -> str:
    """A run of crops also lasts until the last batch is scored, so that its rate is a little below the offered one."""
    good = [f for f in found if f["kind"] == "steady" and f.get("failed") == 0 and f["images/s"] >= KEPT_UP * float(f["offered"])]
    top = min(good, key=lambda f: f["p99-wait-ms"], default=None)
    where = f"{number(top['p99-wait-ms'], 1)} ms (workers {top['workers']}, max_batch {top['max_batch']})" if top else "no batcher keeps up"
    return (
        f"Target: {WANTED_SHARE:.0%} of the best is offered and scored, p99 wait ≤ {WANTED_WAIT_MS:.0f} ms, no crop failed: {where}: "
        f"{told(bool(top) and top['p99-wait-ms'] <= WANTED_WAIT_MS)}. The wait is not judged where the batcher is busy: there it is what so many "
        "sessions, each with a crop under way, must wait at that rate (Little's law)."
    )


def fake_section(found: list[dict]) -> list[str]:
    if not found:
        return []
    steady = [float(f["offered"]) for f in found if f["kind"] == "steady"]
    base = steady[0] / WANTED_SHARE if steady else 0.0
    return ["## Batcher on a fake GPU", "", f"It scores at most {number(base)} images/s.", "", *batcher_table(found, base, base)]


def parity_section(found: list[dict]) -> list[str]:
    head = ["model", "provider", "arithmetic", "batch", "largest", "mean", "limit", "", "largest from PyTorch"]
    names = ("model", "provider", "arithmetic", "batch", "largest", "mean", "limit")
    rows = [[*(p[name] for name in names), told(float(p["largest"]) <= float(p["limit"])), p["pytorch"]] for p in found]
    return ["## Parity: golden crops against the CPU", "", *table(head, rows)]


def training_section(found: list[dict]) -> list[str]:
    head = [
        "precision",
        "originals",
        "images/s",
        "one batch repeated",
        "share",
        "loader wait",
        "busy (NVML)",
        "busy (profiler)",
        "W",
        "GPU GB",
        "waits a step",
    ]
    rows = [[*training_row(t), busy_told(t.get("busy_nvml"))] for t in found]
    return ["## Training", "", f"Target: the GPU is busy for at least {WANTED_BUSY:.0%} of the time.", "", *table([*head, "target"], rows)]


def training_row(t: dict) -> list:
    row = [t["precision"], t["originals"], number(t["images_per_s"]), number(t["repeated_images_per_s"])]
    row += [percent(share) for share in (t["images_per_s"] / t["repeated_images_per_s"], *map(t.get, ("loader_wait", "busy_nvml", "busy_profiler")))]
    return [*row, number(t.get("watts")), number(t.get("gpu_memory_gb"), 1), number(t.get("waits"))]


def busy_told(busy: float | None) -> str:
    return "not measured" if busy is None else told(busy >= WANTED_BUSY)


def pytorch_section(found: list[dict], copies: list[dict]) -> list[str]:
    rows = [[f["kind"], f["batch"], number(f["images_per_s"])] for f in found]
    moved = [f"Copies of 38 MB to the device from {'pinned' if c['pinned'] else 'pageable'} memory: {c['gb_per_s']:.1f} GB/s.\n" for c in copies]
    return ["## PyTorch's ResNet18, pictures on the device already", "", *table(["arithmetic", "batch", "images/s"], rows), *moved]


def text_of(data: dict, mode: str) -> str:
    out = ["# GPU check", ""]
    out += [NO_GPU, ""] if mode == "dry" else []
    out += table(["step", "s", "result"], [[s["step"], s["seconds"], s["result"]] for s in data["steps"]])
    out += ["## Machine", "", "```", data["host"].strip(), "```", ""]
    out += parity_section(data["parity"])
    out += ["## Batcher beside the bare runtime", ""]
    for step, found in data["providers"].items():
        if step != "tensorrt" or found:
            out += provider_section(step, found)
    out += [data["tensorrt"], ""] if data["tensorrt"] else []
    rows = [[p["step"], p["model"], p["provider"], p["max_batch"], p["seconds"]] for p in data["loaded"]]
    out += ["## Loading and warm-up", "", *table(["step", "model", "provider", "max_batch", "s"], rows)]
    out += fake_section(data["fake"]) + training_section(data["training"]) + pytorch_section(data["pytorch"], data["copies"])
    return "\n".join(out)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--mode", choices=("gpu", "dry"), required=True)
    for name in ("--steps", "--logs", "--out"):
        p.add_argument(name, type=Path, required=True)
    args = p.parse_args()
    data = {"mode": args.mode, **collect(args.logs, args.steps)}
    (args.out / "report.json").write_text(json.dumps(data, indent=1) + "\n")
    (args.out / "report.md").write_text(text_of(data, args.mode) + "\n")


if __name__ == "__main__":
    main()
