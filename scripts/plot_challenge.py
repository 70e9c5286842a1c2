#!/usr/bin/env python3
"""Plots the study of the challenge by light (go test ./challenge -run TestStudy -study DIR): how many sessions pass by the screen's share of
the light, and the likelihoods of lit and unlit faces. Prints the table of docs/challenge.md.
"""

import argparse
import collections
import json
import math
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

NAMES = {"": "JPEG 80, 4:2:0", "VP8": "VP8", "H264": "H.264"}
DARK = "#1f3a8a"


def wilson(k, n, z=1.96):
    """The Wilson interval of a proportion."""
    p, d = k / n, 1 + z * z / n
    middle = (p + z * z / (2 * n)) / d
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / d
    return middle - half, middle + half


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def rates(sessions):
    """(codec, share) → passed, judged."""
    counts = collections.defaultdict(lambda: [0, 0])
    for s in sessions:
        if s["judged"]:
            counts[s["codec"], s["share"]][0] += s["passed"]
            counts[s["codec"], s["share"]][1] += 1
    return dict(sorted(counts.items()))


def table(counts):
    print("| encoder | the screen's share of the light | sessions | passed | 95 % interval |\n|---|---|---|---|---|")
    for (codec, share), (passed, n) in counts.items():
        low, high = wilson(passed, n)
        print(f"| {NAMES[codec]} | {share:g} | {n} | {passed / n:.0%} | {low:.0%} to {high:.0%} |")


def passes(axes, counts):
    for codec, marker in (("", "o"), ("VP8", "s"), ("H264", "^")):
        points = [(share, k, n) for (c, share), (k, n) in counts.items() if c == codec and share > 0]
        if not points:
            continue
        share, passed, n = np.array(points).T
        bounds = np.array([wilson(k, m) for k, m in zip(passed, n)])
        away = np.abs(bounds.T - passed / n)
        axes.errorbar(share, passed / n, yerr=away, marker=marker, capsize=3, label=NAMES[codec], linestyle="-" if codec == "" else "none")
    axes.set(xscale="log", xlabel="light of the white screen on the face / light of the room", ylabel="sessions that pass", ylim=(-0.03, 1.03))
    axes.legend(loc="lower right")
    axes.grid(alpha=0.3)


def likelihoods(axes, sessions):
    levels = sorted({s["share"] for s in sessions if s["codec"] == ""})
    values = [[s["likelihood"] for s in sessions if s["share"] == x and s["codec"] == "" and s["judged"]] for x in levels]
    axes.boxplot(values, labels=[f"{x:g}" for x in levels], medianprops={"color": DARK})
    axes.set(xlabel="light of the white screen / light of the room", ylabel="Λ of the sequence that was shown")
    axes.grid(alpha=0.3, axis="y")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="what -study wrote")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/img/challenge.png"))
    args = parser.parse_args()
    sessions = read(args.folder / "sessions.jsonl")
    counts = rates(sessions)
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    passes(left, counts)
    likelihoods(right, sessions)
    figure.savefig(args.out, dpi=110)
    table(counts)


if __name__ == "__main__":
    main()
