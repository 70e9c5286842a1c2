"""All that is known of a model on one page: real pictures, made ones, people and attacks on video, as they are and disturbed.

An experiment is judged by it in minutes: crops are cut once, by the product's detector, and kept beside the page.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from liveproof_base import crop, encoders, video, whole
from liveproof_base.progress import Progress

from .. import metrics, plots
from ..loading import data
from . import realpictures
from .disturbances import CONDITIONS, PLAIN, each

SECONDS = 8  # of each clip
PER_SECOND = 2.0
SMALLEST = 80  # pixels of a face that a session scores
LONGEST = 640  # pixels of a clip's longer side, before it is encoded
CALLS = (("vp8", 300), ("vp8", 600), ("x264-ultrafast", 300), ("x264-ultrafast", 600))  # encoder, kbit/s
CUT = (SECONDS, PER_SECOND, SMALLEST, LONGEST, crop.MARGIN, [(rate, encoders.CALLS[name]) for name, rate in CALLS])  # what decides the crops
NEAR = 0.15  # of the mean rho of the clip as it is: how far an encoding may move it


@dataclasses.dataclass
class Clip:
    """Crops of one video. ``versions``: PLAIN ("as it is") and each encoding -> uint8 [N, 256, 256, 3], the same moments and boxes."""

    name: str
    live: bool
    versions: dict[str, np.ndarray]


def clip(path: Path, live: bool, detector, encoded: bool) -> Clip:
    """Faces of at least SMALLEST pixels, PER_SECOND a second; encoded files are cut by the boxes of the clip as it is."""
    with tempfile.TemporaryDirectory() as folder:
        source = _first_seconds(path, Path(folder) / "source.mkv")
        moments = _frames(source)
        boxes = [detector.largest(picture) for picture in moments]
        kept = [n for n, box in enumerate(boxes) if box is not None and max(box[2] - box[0], box[3] - box[1]) >= SMALLEST]
        versions = {PLAIN: _crops(moments, boxes, kept)}
        for encoder, rate in CALLS if encoded and kept else ():
            coded = Path(folder) / f"{encoder}-{rate}.mkv"
            _ffmpeg("-i", str(source), *encoders.CALLS[encoder].format(k=rate).split(), str(coded))
            versions[f"{encoder} {rate}"] = _crops(_frames(coded), boxes, kept)
    return Clip(path.stem, live, versions)


def _first_seconds(path: Path, to: Path) -> Path:
    raw = ["-framerate", "30"] if path.suffix == ".mjpeg" else []
    fit = f"scale=w='min(iw,{LONGEST})':h='min(ih,{LONGEST})':force_original_aspect_ratio=decrease:force_divisible_by=2:out_range=tv"
    _ffmpeg(*raw, "-i", str(path), "-t", str(SECONDS), "-an", "-vf", f"{fit},format=yuv420p", "-c:v", "ffv1", str(to))
    return to


def _ffmpeg(*arguments: str) -> None:
    done = subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"ffmpeg {' '.join(arguments)}: {done.stderr.strip()}")


def _frames(path: Path) -> list[np.ndarray]:
    info = video.probe(path)
    step = max(1, round(info.rate / PER_SECOND))
    return [picture for n, picture in enumerate(video.read(info, info.frames)) if n % step == 0]


def _crops(pictures: list[np.ndarray], boxes: list, kept: list[int]) -> np.ndarray:
    found = [crop.face_crop(pictures[n], boxes[n]) for n in kept if n < len(pictures)]
    return np.stack(found) if found else np.zeros((0, 256, 256, 3), np.uint8)


def clips(paths: list[Path], live: bool, detector, encoded: bool, kept: Path) -> list[Clip]:
    """Cut once: ``kept`` is a folder for the crops, which a second call reads."""
    kept.mkdir(parents=True, exist_ok=True)
    bar, found = Progress(f"cut clips of {'people' if live else 'attacks'}", len(paths)), []
    for path in paths:
        stat = path.stat()
        key = hashlib.sha256(f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns} {encoded} {CUT}".encode()).hexdigest()[:16]
        at = kept / f"{path.stem}-{key}.npz"
        if not at.is_file():
            with whole.file(at) as partial, partial.open("wb") as file:
                np.savez(file, **clip(path, live, detector, encoded).versions)
        with np.load(at) as stored:
            found.append(Clip(path.stem, live, {name: stored[name] for name in stored.files}))
        bar.step()
    return found


Score = Callable[[np.ndarray], np.ndarray]


def of_real(score: Score, pictures: realpictures.Pictures, threshold: float) -> list[dict]:
    """A row for all, even and odd series as they are, then a row a condition."""
    return [_real(name, found) for name, found in realpictures.told(score, pictures, threshold).items()]


def _real(name: str, found: realpictures.Figures) -> dict:
    """As JSON has it: None where a class is missing."""
    return {"what": name, **{key: None if value != value else value for key, value in dataclasses.asdict(found).items()}}


def of_crops(score: Score, crops: data.Crops, threshold: float) -> list[dict]:
    """AUC, BPCER and APCER of all attacks and of each species, as they are."""
    rho, pai = score(np.stack([crops.images[n] for n in range(len(crops))])), np.array(crops.pai)
    rows = []
    for name in ("all", *sorted(set(pai[crops.labels == 0].tolist()))):
        attacks = rho[(crops.labels == 0) & ((pai == name) | (name == "all"))]
        rows.append({"what": name, **_rates(rho[crops.labels == 1], attacks, threshold)})
    return rows


def _rates(bona_fide: np.ndarray, attacks: np.ndarray, threshold: float) -> dict:
    both = len(bona_fide) and len(attacks)
    return {
        "bona_fide": len(bona_fide),
        "attacks": len(attacks),
        "auc": metrics.auc(bona_fide, attacks) if both else None,
        "bpcer": metrics.bpcer(bona_fide, threshold) if len(bona_fide) else None,
        "apcer": metrics.apcer(attacks, threshold) if len(attacks) else None,
    }


def of_clips(score: Score, found: list[Clip], threshold: float) -> list[dict]:
    """A row a clip: mean rho of each version, and of people the share of samples below the threshold in each condition."""
    rows, bar = [], Progress("score clips", len(found))
    for one in found:
        plain = one.versions[PLAIN]
        means = {name: float(score(images).mean()) if len(images) else None for name, images in one.versions.items()}
        low = {name: float((score(each(change, plain)) < threshold).mean()) for name, change in CONDITIONS.items()} if one.live and len(plain) else {}
        rows.append({"clip": one.name, "live": one.live, "samples": len(plain), "mean": means, "bpcer": low})
        bar.step()
    return rows


def markdown(page: dict) -> str:
    threshold = page["threshold"]
    parts = [f"# {page['model']['file']}\n\nSHA-256 `{page['model']['sha256']}`, threshold {threshold:.4f}."]
    if page.get("real"):
        parts.append("## Real pictures\n\n" + realpictures.HEADER + "\n" + "\n".join(_figures(row).line(row["what"]) for row in page["real"]))
    for name, rows in page.get("made", {}).items():
        parts.append(
            f"## {name}\n\n| attacks | bona fide | attacks | AUC | BPCER | APCER |\n|---|---|---|---|---|---|\n" + "\n".join(map(_made, rows))
        )
    if people := [row for row in page["clips"] if row["live"] and row["samples"]]:
        parts.append("## People on video\n\n" + _people(people))
    if attacks := [row for row in page["clips"] if not row["live"] and row["samples"]]:
        parts.append("## Attacks on video\n\n" + _attacks(attacks, threshold))
    if bare := [row["clip"] for row in page["clips"] if not row["samples"]]:
        parts.append(f"No face of {SMALLEST} pixels: {', '.join(bare)}.")
    return "\n\n".join(parts) + "\n"


def _figures(row: dict) -> realpictures.Figures:
    return realpictures.Figures(**{name: float("nan") if value is None else value for name, value in row.items() if name != "what"})


def _made(row: dict) -> str:
    auc, *rates = (row[name] for name in ("auc", "bpcer", "apcer"))
    told = ["–" if auc is None else f"{auc:.3f}", *("–" if rate is None else f"{100 * rate:.1f} %" for rate in rates)]
    return f"| {row['what']} | {row['bona_fide']} | {row['attacks']} | {' | '.join(told)} |"


def _people(rows: list[dict]) -> str:
    versions = list(rows[0]["mean"])
    lines = ["| clip | samples | " + " | ".join(f"ρ {name}" for name in versions) + " |", "|---" * (len(versions) + 2) + "|"]
    for row in rows:
        lines.append(f"| {row['clip']} | {row['samples']} | " + " | ".join(_two(row["mean"].get(name)) for name in versions) + " |")
    moved = [abs(m - row["mean"][PLAIN]) > NEAR for row in rows for name, m in row["mean"].items() if name != PLAIN and m is not None]
    lines += ["", f"Encodings that move a clip's mean ρ by more than {NEAR}: {sum(moved)} of {len(moved)}."] if moved else []
    lines += ["", "| condition | BPCER of all samples | clips of which more than half is rejected |", "|---|---|---|"]
    weights = np.array([row["samples"] for row in rows])
    for name in rows[0]["bpcer"]:
        shares = np.array([row["bpcer"][name] for row in rows])
        lines.append(f"| {name} | {100 * (shares * weights).sum() / weights.sum():.1f} % | {(shares > 0.5).sum()} of {len(rows)} |")
    return "\n".join(lines)


def _attacks(rows: list[dict], threshold: float) -> str:
    means = np.array([row["mean"][PLAIN] for row in rows])
    above = ", ".join(f"above {limit}: {(means > limit).sum()}" for limit in (0.5, 0.7))
    said = f"Mean ρ above the threshold: {(means >= threshold).sum()} of {len(means)}; {above}."
    lines = [said, "", "| clip | samples | mean ρ |", "|---|---|---|"]
    return "\n".join(lines + [f"| {row['clip']} | {row['samples']} | {_two(row['mean']['as it is'])} |" for row in rows])


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def draw(page: dict, out: Path) -> None:
    """Error rates of the real pictures by condition, and each clip's mean rho."""
    clips_ = [row for row in page["clips"] if row["samples"]]
    conditions = [row for row in page.get("real") or [] if row["what"] in CONDITIONS or row["what"].startswith("all")]
    tall = max(2.5, 0.2 * max(len(clips_), len(conditions)) + 0.8)
    fig, (left, right) = plots.figure(9, tall, 2)
    at = np.arange(len(conditions))
    for off, key, ink, label in ((-0.2, "bpcer", "none", "BPCER"), (0.2, "apcer", "print", "APCER")):
        left.barh(at + off, [100 * (row[key] or 0) for row in conditions], 0.38, color=plots.INK[ink], label=label)
    left.set(yticks=at, yticklabels=[row["what"] for row in conditions], xlabel="real pictures, % at the threshold", xlim=(0, 100))
    at = np.arange(len(clips_))
    for live, ink, label in ((True, "none", "people"), (False, "print", "attacks")):
        mine = [n for n, row in enumerate(clips_) if row["live"] == live]
        right.plot([clips_[n]["mean"][PLAIN] for n in mine], mine, "o", color=plots.INK[ink], label=label)
        coded = [(m, n) for n in mine for name, m in clips_[n]["mean"].items() if name != PLAIN and m is not None]
        right.plot([m for m, _ in coded], [n for _, n in coded], "|", color=plots.INK[ink], alpha=0.6)
    right.axvline(page["threshold"], color="black", lw=0.8, ls="--")
    right.set(yticks=at, yticklabels=[row["clip"] for row in clips_], xlabel="mean ρ of each clip; strokes: encoded", xlim=(0, 1))
    for axis in (left, right):
        axis.margins(y=0.01)
        axis.invert_yaxis()
        axis.legend(frameon=False, fontsize=7)
    for axis, rows in ((left, conditions), (right, clips_)):
        axis.set_visible(bool(rows))
    plots.save(fig, out)


def write(page: dict, out: Path) -> Path:
    """OUT/page.md, page.json, page.png."""
    out.mkdir(parents=True, exist_ok=True)
    whole.text(out / "page.json", json.dumps(page, indent=2) + "\n")
    whole.text(out / "page.md", markdown(page))
    draw(page, out / "page.png")
    return out / "page.md"
