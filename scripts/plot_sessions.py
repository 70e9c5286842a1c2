#!/usr/bin/env python3
"""Plots the CPU cores and the scored samples of sessions against their number, from lines of `liveproof load --append`.

Each file holds one configuration, whose name comes from the file name (sessions-NAME.jsonl). If a number of sessions was
measured more than once, the median is plotted. The line is the least-squares fit of the server's cores over those numbers at
which every session got enough samples; the largest of them is the limit.
"""

import argparse
import collections
import json
import pathlib
import statistics

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

ENOUGH = 4.5  # scored samples a second that every session must get
DRAWN = ("server_cores", "machine_cores", "scored_per_second_least", "scored_per_second_median")  # fields of a line


def read(path):
    """The medians of each number of sessions, in ascending order."""
    runs = collections.defaultdict(list)
    for line in path.read_text().splitlines():
        run = json.loads(line)
        if run["sessions"] < run["sessions_wanted"]:  # a session that was refused or lost got nothing
            run["scored_per_second_least"] = 0
        runs[run["sessions_wanted"]].append(run)
    return [{"sessions": n, **{k: statistics.median(r[k] for r in runs[n]) for k in DRAWN}} for n in sorted(runs)]


def column(rows, name):
    return np.array([r[name] for r in rows])


def held(rows):
    return [r for r in rows if r["scored_per_second_least"] >= ENOUGH]


def draw_cores(axis, rows, colour, name):
    n, cores = column(rows, "sessions"), column(rows, "server_cores")
    axis.plot(n, cores, "o", color=colour, label=f"{name}: server")
    axis.plot(n, column(rows, "machine_cores"), "+", color=colour, alpha=0.6, label=f"{name}: whole machine")
    good = held(rows)
    if len(good) < 2:
        return
    slope, offset = np.polyfit(column(good, "sessions"), column(good, "server_cores"), 1)
    line = np.array([0, n.max()])
    axis.plot(line, offset + slope * line, "-", color=colour, linewidth=1, label=f"fit: {offset:.2f} + {slope:.4f} cores a session")


def draw_samples(axis, rows, colour, name):
    n = column(rows, "sessions")
    axis.plot(n, column(rows, "scored_per_second_median"), "o-", color=colour, label=f"{name}: median session")
    axis.plot(n, column(rows, "scored_per_second_least"), "v--", color=colour, alpha=0.6, label=f"{name}: least session")


def draw(named, cpus):
    figure, (cores, samples) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    for i, (name, rows) in enumerate(named.items()):
        draw_cores(cores, rows, f"C{i}", name)
        draw_samples(samples, rows, f"C{i}", name)
        if good := held(rows):
            samples.axvline(good[-1]["sessions"], color=f"C{i}", linestyle=":", label=f"{name}: limit {good[-1]['sessions']}")
    cores.axhline(cpus, color="grey", linestyle=":", label=f"the machine's {cpus} cores")
    samples.axhline(ENOUGH, color="grey", linestyle=":", label=f"enough: {ENOUGH} a second")
    cores.set(title="CPU", xlabel="sessions, 640×480 at 30 frames a second", ylabel="cores")
    samples.set(title="Samples", xlabel="sessions", ylabel="scored samples a second and session")
    for axis in (cores, samples):
        axis.set_xlim(left=0)
        axis.set_ylim(0, 1.1 * axis.get_ylim()[1])
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=2, frameon=False)
    return figure


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("results", type=pathlib.Path, nargs="+", help="sessions-NAME.jsonl")
    p.add_argument("--out", type=pathlib.Path, required=True, help="the picture, .png or .svg")
    p.add_argument("--cpus", type=int, default=2, help="cores of the machine (default 2)")
    a = p.parse_args()
    draw({f.stem.removeprefix("sessions-"): read(f) for f in a.results}, a.cpus).savefig(a.out, dpi=110)
    print(a.out)


if __name__ == "__main__":
    main()
