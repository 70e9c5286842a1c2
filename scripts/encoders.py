#!/usr/bin/env python3
"""Judges the same recordings through many encoders and bitrates, and writes a table and a plot.

  make encoders                          the default clips, docs/encoders.md and docs/img/encoders.png
  make encoders ENCODERS="--clips all"   every clip of LIVEPROOF_SHARED/media
  make encoders ENCODERS="--only vp8,x264-intra --rates 300,600 --doc try.md --plot try.png"

Every clip's first seconds are stored losslessly; all encoders, and the row "lossless", start from that. Encoded files and
results are kept in the work folder, so an interrupted run goes on where it was; results of another binary are not reused.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "training"))
from liveproof_base.encoders import CALLS

SECONDS = 8
RATES = (150, 300, 600, 1200, 2500)  # kbit/s
MEDIA = pathlib.Path(os.environ.get("LIVEPROOF_SHARED", "../shared")) / "media"
NEAR, FROM = 0.15, 600  # ρ of an encoding should be within NEAR of the original's, from so many kbit/s up
LONGEST = 640  # pixels of a clip's longer side; larger ones are scaled down
SQUARE = "scale=2*trunc(iw*sar/2):ih,setsar=1"  # pixels: GStreamer's y4mdec refuses others
CLIPS = (
    *(f"person_{p}_640x480.mjpeg" for p in "ABC"),
    "headpose_640x480.mjpeg",
    *(f"asl_{word}.mkv" for word in ("again", "bird", "book", "brother", "please", "walk")),
    *(f"people/person_{p}.mp4" for p in ("d6", "d9", "d13", "d19", "s18")),
)
LOSSLESS = "lossless"
BEGIN, END = "<!-- table of make encoders -->\n", "<!-- end of table -->"

ENCODERS = {**CALLS, "openh264": ""}  # the last by GStreamer


def run(command, **kwargs):
    subprocess.run(command, check=True, stdin=kwargs.pop("stdin", subprocess.DEVNULL), **kwargs)


def ffmpeg(*arguments, **kwargs):
    run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *map(str, arguments)], **kwargs)


def whole(paths, make):
    """Makes the files that are missing under other names, so that an interrupted run leaves no half of one."""
    parts = {p: p.with_name("part-" + p.name) for p in paths if not p.exists()}
    for path in parts:
        path.parent.mkdir(parents=True, exist_ok=True)
    if parts:
        make(parts)
    for path, part in parts.items():
        part.rename(path)
    return paths


def lossless(clip, work):
    """The clip's first seconds in FFV1, 8-bit 4:2:0 of limited range, at most LONGEST pixels wide and high."""
    raw = ["-framerate", "30"] if clip.suffix == ".mjpeg" else []
    fit = f"w='min(iw,{LONGEST})':h='min(ih,{LONGEST})':force_original_aspect_ratio=decrease:force_divisible_by=2"
    convert = ["-t", SECONDS, "-an", "-vf", f"{SQUARE},scale={fit}:out_range=tv,format=yuv420p", "-c:v", "ffv1"]
    path = work / clip.stem / f"{LOSSLESS}.mkv"
    whole([path], lambda parts: ffmpeg(*raw, "-i", clip, *convert, parts[path]))
    return path


def openh264(source, kbits, to):
    pipe = subprocess.Popen(["ffmpeg", "-nostdin", "-loglevel", "error", "-i", source, "-f", "yuv4mpegpipe", "-"], stdout=subprocess.PIPE)
    encode = f"openh264enc rate-control=bitrate bitrate={kbits * 1000} complexity=low gop-size=0 slice-mode=n-slices num-slices=1"
    run(f"gst-launch-1.0 -q fdsrc fd=0 ! y4mdec ! {encode} ! h264parse ! matroskamux ! filesink location={to}".split(), stdin=pipe.stdout)
    if pipe.wait() != 0:
        raise subprocess.CalledProcessError(pipe.returncode, "ffmpeg")


def encode(encoder, rates, source):
    """The files of one encoder at every rate. One process makes them all: decoding the source takes as long as a fast encoder."""
    rate_of = {source.with_name(f"{encoder}_{k}.mkv"): k for k in rates}

    def make(parts):
        if encoder == "openh264":
            for path, part in parts.items():
                openh264(source, rate_of[path], part)
        else:
            outputs = [a for path, part in parts.items() for a in (*ENCODERS[encoder].format(k=rate_of[path]).split(), part)]
            ffmpeg("-i", source, *outputs)

    return whole(list(rate_of), make)


def available(encoder):
    if encoder != "openh264":
        return True
    inspect = shutil.which("gst-inspect-1.0")
    return bool(inspect) and all(subprocess.run([inspect, e], capture_output=True).returncode == 0 for e in ("openh264enc", "y4mdec"))


class Progress:
    def __init__(self, what, total):
        self.what, self.total, self.done, self.begun = what, total, 0, time.monotonic()

    def step(self, n=1):
        self.done += n
        spent = time.monotonic() - self.begun
        end = "\n" if self.done == self.total else ""
        left = spent / self.done * (self.total - self.done)
        print(f"\r{self.what} {self.done}/{self.total}, {left:.0f} s left   ", end=end, file=sys.stderr, flush=True)


def encode_all(clips, encoders, rates, work, jobs):
    sources = [lossless(c, work) for c in clips]
    progress = Progress("encoding", len(sources) * len(encoders) * len(rates))
    files = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for made in pool.map(lambda job: encode(job[0], rates, job[1]), [(e, s) for e in encoders for s in sources]):
            files += made
            progress.step(len(made))
    return files + sources


def judge(files, binary, work, jobs):
    """The results of `liveproof replay` by file; those of this binary are kept."""
    version = hashlib.sha256(pathlib.Path(binary).read_bytes()).hexdigest()[:16]
    kept = work / f"results-{version}.jsonl"
    results = {}
    if kept.exists():
        results = {r["file"]: r for r in map(json.loads, kept.read_text().splitlines())}
    todo = [str(f) for f in files if str(f) not in results]
    progress = Progress("judging", len(todo))
    command = [binary, "replay", "--quiet", "--json", "--samples", "--jobs", str(jobs), *todo]
    environment = {"LIVEPROOF_ONNX_PROVIDER": "cpu", "LIVEPROOF_INJECTION_WITHHOLD": "off", **os.environ}
    if todo:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process, kept.open("a") as out:
            for line in process.stdout:
                out.write(line)
                result = json.loads(line)
                results[result["file"]] = result
                progress.step()
        if process.returncode != 0:
            sys.exit(process.returncode)
    return {f: results[str(f)] for f in files}


def cell(results):
    """Verdicts as live/inconclusive/spoof, the mean ρ of what was scored, and the share of samples left out for low_bitrate."""
    verdicts = [r["verdict"] for r in results]
    counts = "/".join(str(verdicts.count(v)) for v in ("live", "inconclusive", "spoof"))
    scored = [r["mean_rho"] for r in results if r["frames"]["scored"]]
    mean = sum(scored) / len(scored) if scored else None
    low = sum(r.get("unscored", {}).get("low_bitrate", 0) for r in results)
    return counts, mean, low / max(1, sum(r["frames"]["sampled"] for r in results))


def text_of(counts, mean, low):
    return f"{counts}, ρ {'–' if mean is None else f'{mean:.2f}'}, {low:.0%}"


def table(cells, encoders, rates, originals):
    lines = ["| encoder | " + " | ".join(f"{r} kbit/s" for r in rates) + " |", "|---|" + "---|" * len(rates)]
    lines.append(f"| originals | {text_of(*originals)} |" + " |" * (len(rates) - 1))
    for e in encoders:
        lines.append(f"| {e} | " + " | ".join(text_of(*cells[e, r]) for r in rates) + " |")
    return "\n".join(lines) + "\n"


def worse(results, clips, encoders, rates, work):
    """The encodings that are spoof of clips that are live without any."""
    live = [c for c in clips if results[work / c.stem / f"{LOSSLESS}.mkv"]["verdict"] == "live"]
    files = {f"{c.stem} {e} {r} kbit/s": results[work / c.stem / f"{e}_{r}.mkv"] for c in live for e in encoders for r in rates}
    return [name for name, r in files.items() if r["verdict"] == "spoof"]


def near(results, clips, encoders, rates, work):
    """Says how many encodings have a mean ρ near that of their original, and which have not."""
    counted, apart = 0, {}
    for c in clips:
        original = results[work / c.stem / f"{LOSSLESS}.mkv"]
        for e, k in ((e, k) for e in encoders for k in rates if k >= FROM):
            result = results[work / c.stem / f"{e}_{k}.mkv"]
            if original["frames"]["scored"] and result["frames"]["scored"]:
                counted += 1
                change = result["mean_rho"] - original["mean_rho"]
                apart |= {f"{c.stem} {e} {k} ({change:+.2f}, {result['verdict']})": change} if abs(change) > NEAR else {}
    others = len([k for k in rates if k >= FROM]) * len(clips) * len(encoders) - counted
    listed = ", ".join(sorted(apart, key=lambda name: -abs(apart[name]))) or "none"
    return (
        f"From {FROM} kbit/s up mean ρ is within {NEAR} of the original's in {counted - len(apart)} of {counted} encodings; "
        f"in {others} nothing was scored, there or in the original. Beyond: {listed}."
    )


def plot(cells, encoders, rates, path):
    _, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(8, 7))
    for e in encoders:
        above.plot(rates, [float("nan") if cells[e, r][1] is None else cells[e, r][1] for r in rates], marker="o", label=e)
        below.plot(rates, [cells[e, r][2] for r in rates], marker="o")
    above.set(ylabel="mean ρ of scored samples", ylim=(0, 1), xscale="log")
    above.legend(fontsize=8, ncols=2)
    below.set(ylabel="share of samples unscored: low_bitrate", xlabel="kbit/s", ylim=(-0.02, 1.02), xticks=rates, xticklabels=rates)
    below.minorticks_off()
    plt.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    plt.savefig(path, dpi=100)


def publish(text, path):
    """Replaces the table between the marks of a document, or writes it alone."""
    old = path.read_text() if path.exists() else ""
    if BEGIN in old and END in old:
        text = old[: old.index(BEGIN) + len(BEGIN)] + text + old[old.index(END) :]
    path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="bin/liveproof")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(".cache/encoders"))
    parser.add_argument("--clips", default="default", help='"default", "all" or paths below LIVEPROOF_SHARED/media, with commas')
    parser.add_argument("--only", default=",".join(ENCODERS), help="encoders, with commas")
    parser.add_argument("--rates", default=",".join(map(str, RATES)), help="kbit/s, with commas")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--doc", type=pathlib.Path, default=pathlib.Path("docs/encoders.md"))
    parser.add_argument("--plot", type=pathlib.Path, default=pathlib.Path("docs/img/encoders.png"))
    options = parser.parse_args()
    names = {"default": CLIPS, "all": sorted(p.relative_to(MEDIA) for p in [*MEDIA.glob("*.m*"), *MEDIA.glob("people/*")])}
    clips = [MEDIA / c for c in names.get(options.clips, options.clips.split(","))]
    rates = [int(r) for r in options.rates.split(",")]
    wanted = options.only.split(",")
    encoders = [e for e in wanted if available(e)]
    for e in set(wanted) - set(encoders):
        print(f"{e} is left out: GStreamer has no encoder (Debian: gstreamer1.0-tools, gstreamer1.0-plugins-bad)", file=sys.stderr)
    files = encode_all(clips, encoders, rates, options.work, options.jobs)
    results = judge(files, options.binary, options.work, options.jobs)
    cells = {(e, r): cell([results[options.work / c.stem / f"{e}_{r}.mkv"] for c in clips]) for e in encoders for r in rates}
    originals = cell([results[options.work / c.stem / f"{LOSSLESS}.mkv"] for c in clips])
    spoofed = ", ".join(worse(results, clips, encoders, rates, options.work)) or "none"
    text = f"Clips: {', '.join(c.stem for c in clips)}. Live as originals, spoof when encoded: {spoofed}.\n\n"
    text += near(results, clips, encoders, rates, options.work) + "\n\n"
    text += table(cells, encoders, rates, originals)
    publish(text, options.doc)
    plot(cells, encoders, rates, options.plot)
    print(text)


if __name__ == "__main__":
    main()
