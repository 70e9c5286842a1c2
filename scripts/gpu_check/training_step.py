"""Runs the trainer's own loop on generated crops: images a second, the share of time spent waiting for the loader, how busy the GPU is.

Prints one line of JSON for each batch size.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import json
import threading
import time
import warnings
from pathlib import Path

import cv2
import numpy as np
import torch

from liveproof_base import manifest
from liveproof_training.config import TrainConfig
from liveproof_training.fit.train import Run
from liveproof_training.loading.batches import Batch

SETTLED = 2.5  # seconds of the loop after which its figures count


def picture(label: int, rng: np.random.Generator) -> np.ndarray:
    """uint8 [256, 256, 3]: smooth colours and noise; stripes too if label is 0 (attack)."""
    smooth = cv2.resize(rng.integers(60, 180, (4, 4, 3), dtype=np.uint8), (256, 256), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    stripes = 0 if label else 40 * ((np.arange(256) // 4) % 2)[:, None, None]
    noise = rng.integers(-12, 13, (256, 256, 3), dtype=np.int16)
    return np.clip(smooth + stripes + noise, 0, 255).astype(np.uint8)


def draw(folder: Path, counts: dict[str, int]) -> None:
    """Makes a folder of crops as `liveproof_training` reads them; does nothing if it is complete."""
    if (folder / "manifest.csv").is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    partial = folder / "manifest.partial"
    with partial.open("w", newline="") as f:
        table = csv.DictWriter(f, [field.name for field in dataclasses.fields(manifest.Row)], restval="")
        table.writeheader()
        for split, count in counts.items():
            np.save(folder / f"{split}.npy", np.stack([picture(i % 2, rng) for i in range(count)]))
            for i in range(count):
                row = dict(crop=f"{split}.npy#{i}", dataset="drawn", split=split, pai="none" if i % 2 else "print", label=i % 2)
                table.writerow({**row, "domain": "drawn", "video": f"{split}/{i}", "sha256": "0" * 64})
    partial.rename(folder / "manifest.csv")


class Sampler(threading.Thread):
    """Reads the GPU's load, power and clock from NVML ten times a second; reads nothing without NVML."""

    def __init__(self):
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float, float, float]] = []  # time, busy %, watts, MHz
        self.ended = threading.Event()

    def run(self) -> None:
        try:
            import pynvml

            pynvml.nvmlInit()
            gpu = pynvml.nvmlDeviceGetHandleByIndex(0)
            while not self.ended.wait(0.1):
                watts = pynvml.nvmlDeviceGetPowerUsage(gpu) / 1000
                clock = pynvml.nvmlDeviceGetClockInfo(gpu, pynvml.NVML_CLOCK_SM)
                self.samples.append((time.monotonic(), pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu, watts, clock))
        except Exception as error:  # whatever it is, training goes on without these figures
            print(f"no figures from NVML: {error!r}", flush=True)

    def since(self, moment: float) -> dict[str, float]:
        found = np.array([s[1:] for s in self.samples if s[0] >= moment])
        if not len(found):
            return {}
        return {"busy_nvml": found[:, 0].mean() / 100, "watts": found[:, 1].mean(), "sm_mhz": found[:, 2].mean(), "samples": len(found)}


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def repeated(run: Run, seconds: float) -> float:
    """Images a second when one batch is trained on again and again: the step without the loader."""
    batch = run.dataset[0]
    if run.device.type == "cuda":
        batch = Batch(*(part.pin_memory() for part in batch))
    for _ in range(5 if run.device.type == "cuda" else 1):
        run.trainer.step(batch)
    wait_for(run.device)
    began, steps = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        run.trainer.step(batch)
        steps += 1
    wait_for(run.device)
    return steps * len(batch.images) / (time.monotonic() - began)


def profiled(run: Run, steps: int) -> float | None:
    """Share of the time in which a kernel or a copy ran on the GPU, over steps of one batch; by the profiler."""
    if run.device.type != "cuda":
        return None
    batch = Batch(*(part.pin_memory() for part in run.dataset[0]))
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(steps):
            run.trainer.step(batch)
        torch.cuda.synchronize()
    spans = [(e.start_ns(), e.start_ns() + e.duration_ns()) for e in profile.profiler.kineto_results.events() if "CUDA" in str(e.device_type())]
    return covered(spans)


def waits(run: Run) -> int | None:
    """At how many places one step waits for the GPU; they are printed."""
    if run.device.type != "cuda":
        return None
    batch = Batch(*(part.pin_memory() for part in run.dataset[0]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        run.trainer.step(batch)
        torch.cuda.set_sync_debug_mode("default")
    found = [w for w in caught if "synchroniz" in str(w.message)]
    for w in found:
        print(f"waits for the GPU: {w.filename}:{w.lineno}: {w.message}", flush=True)
    return len(found)


def covered(spans: list[tuple[int, int]]) -> float | None:
    """Share of the time from the first span's start to the last one's end that some span covers."""
    busy, end = 0, 0
    for start, stop in sorted(spans):
        busy += max(0, stop - max(start, end))
        end = max(end, stop)
    return busy / (end - min(start for start, _ in spans)) if spans and end else None


class Marks:
    """Notes when each step of a run ended."""

    def __init__(self, run: Run):
        self.images, self.ends, step = 0, [], run.trainer.step

        def noted(batch, *args, **kwargs):
            told = step(batch, *args, **kwargs)
            self.ends.append((time.monotonic(), len(batch.images)))
            return told

        run.trainer.step = noted

    def rate(self, moment: float) -> float:
        late = [(end, images) for end, images in self.ends if end >= moment]
        return sum(images for _, images in late[1:]) / max(1e-9, late[-1][0] - late[0][0]) if len(late) > 1 else 0.0


def measure(folder: Path, args, batch: int, seconds: float) -> dict:
    device = "cpu" if args.dry_run else "cuda"
    config = TrainConfig.from_dict(
        dict(data=str(folder), out=str(args.out / f"batch{batch}"), init="random", precision=args.precision, batch=batch, device=device)
        | dict(workers=args.workers, steps=10**6, budget_minutes=seconds / 60, log_every=10, eval_every=10**9, tensorboard="off")
        | dict(checkpoint_minutes=1e6, augment=args.augment, size=64 if args.dry_run else 224)
    )
    run, sampler = Run(config), Sampler()
    told = dict(precision=args.precision, originals=batch, augment=args.augment, workers=args.workers, device=str(run.device))
    told["repeated_images_per_s"] = repeated(run, 1.0 if args.dry_run else 2.0)
    told["waits"] = waits(run)
    try:
        told["busy_profiler"] = profiled(run, 10)
    except Exception as error:  # a profiler that does not work here costs its figure, not the others
        print(f"no figure from the profiler: {error!r}", flush=True)
    run.started = run.saved = time.monotonic()
    marks, settled = Marks(run), time.monotonic() + (0 if args.dry_run else SETTLED)
    sampler.start()
    run.train()
    sampler.ended.set()
    sampler.join()
    told["images_per_s"] = marks.rate(settled)
    told |= sampler.since(settled) | logged(args.out / f"batch{batch}" / "log.csv")
    if run.device.type == "cuda":
        told["gpu_memory_gb"] = torch.cuda.max_memory_allocated() / 1e9
    run.trainer.close()
    return told


def logged(path: Path) -> dict[str, float]:
    """From the trainer's own log: the share of time spent waiting for the loader, and the last loss."""
    with path.open(newline="") as f:
        rows = [row for row in csv.DictReader(f) if row["loader_wait"]]
    late = rows[len(rows) // 4 :]
    return {"loader_wait": float(np.mean([float(r["loader_wait"]) for r in late])), "loss": float(late[-1]["loss"])} if late else {}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--precision", required=True, choices=("fp32", "bf16", "fp16"))
    p.add_argument("--crops", required=True, type=Path, help="folder of generated crops; made if it does not exist")
    p.add_argument("--out", required=True, type=Path)
    p.add_argument("--workers", type=int, default=12, help="loader processes")
    p.add_argument("--augment", default="none", help="as in liveproof_training train")
    p.add_argument("--dry-run", action="store_true", help="on the CPU, with small batches and for a few seconds")
    args = p.parse_args()
    counts = {"train": 1536, "dev": 64}
    plan = [(256, 10.0)]  # originals, seconds; mixing doubles the pictures
    if args.precision == "bf16":
        plan.append((512, 9.0))
    if args.dry_run:
        counts, plan, args.workers = {"train": 32, "dev": 8}, [(4, 8.0)], 1
        print(f"{args.precision} is for GPUs: tried in fp32", flush=True)
        args.precision = "fp32"
    draw(args.crops, counts)
    for batch, seconds in plan:
        print("training " + json.dumps(measure(args.crops, args, batch, seconds)), flush=True)


if __name__ == "__main__":
    main()
