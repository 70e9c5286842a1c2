"""Plots what `go test ./identity -run TestStudy -study identity.csv` wrote, and prints its table.

    python scripts/plot_identity.py identity.csv docs/img/identity.png

Each row is one view of a person: compared with earlier views of the same person, as filmed or after a rendered nuisance, or with views of
another person. People are in two halves: on one, the limits of identity/ were chosen; on the other, they are reported.
"""

import argparse
import csv

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from plot_motion import interval

ALIKE, SURE = 0.86, 0.9  # identity.alike, identity.sure
SAME, OTHER = 0.62, 0.2  # identity.same, identity.other
HALVES = {"chosen on": "--", "reported": "-"}
MEASURES = {"likeness": "likeness of head and shoulders", "cosine": "cosine of the face embedder"}


def kind(row):
    if row["who"] != row["with"]:
        return "another person"
    return row["nuisance"] or "as filmed"


def share(values, below):
    k, n = int(sum(v < below for v in values)), len(values)
    low, high = interval(k, n)
    return f"{k}/{n} ({100 * low:.1f} to {100 * high:.1f} %)"


def table(rows):
    heads = ["one view", "views", "likeness: 5 %, median, 95 %", "below 0.86", "cosine: 5 %, median, 95 %", "below 0.62", "below 0.2"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for name in ORDER:
        these = [r for r in rows if r["kind"] == name]
        cells = [name, str(len(these))]
        for measure, limits in (("likeness", (ALIKE,)), ("cosine", (SAME, OTHER))):
            values = [r[measure] for r in these]
            cells.append(", ".join(f"{v:.2f}" for v in np.quantile(values, (0.05, 0.5, 0.95))))
            cells += [share(values, limit) for limit in limits]
        print("| " + " | ".join(cells) + " |")


ORDER = ["as filmed", "spectacles", "darker", "gamma", "warm light", "light from a side", "low contrast", "coarse encoding", "another person"]


def roc(axes, rows, measure):
    """Another person's views below a limit over the same person's below it, with Clopper and Pearson's intervals."""
    limits = np.linspace(-0.3, 1, 131)
    for half, style in HALVES.items():
        for spoiled, colour in ((False, "C0"), (True, "C1")):
            same = np.array([r[measure] for r in rows if r["half"] == half and r["who"] == r["with"] and bool(r["nuisance"]) == spoiled])
            other = np.array([r[measure] for r in rows if r["half"] == half and r["who"] != r["with"]])
            false = [np.mean(same < x) for x in limits]
            found = [np.mean(other < x) for x in limits]
            low, high = zip(*(interval(int(np.sum(other < x)), len(other)) for x in limits), strict=True)
            what = "with nuisances" if spoiled else "as filmed"
            axes.step(false, found, style, where="post", color=colour, label=f"{half}, {what}: {len(same)} views, {len(other)} of others")
            axes.fill_between(false, low, high, alpha=0.12, step="post", color=colour)
    for limit, marker in {"likeness": ((ALIKE, "o"), (SURE, "s")), "cosine": ((SAME, "o"), (OTHER, "s"))}[measure]:
        same = [r[measure] for r in rows if r["half"] == "reported" and r["who"] == r["with"]]
        other = [r[measure] for r in rows if r["half"] == "reported" and r["who"] != r["with"]]
        axes.plot(np.mean(np.array(same) < limit), np.mean(np.array(other) < limit), marker, color="black", label=f"limit {limit}, reported")
    axes.set(xlabel="views of the same person below the limit", ylabel="views of another person below it", title=MEASURES[measure])
    axes.set(xlim=(-0.02, 0.6), ylim=(0.4, 1.01))
    axes.legend(loc="lower right", fontsize=7)
    axes.grid(alpha=0.3)


def spread(axes, rows, measure, limits):
    values = [[r[measure] for r in rows if r["kind"] == name] for name in ORDER]
    axes.boxplot(values, vert=False, labels=ORDER, whis=(5, 95), flierprops={"markersize": 3})
    for limit in limits:
        axes.axvline(limit, color="black", linewidth=1, linestyle=":")
    axes.invert_yaxis()
    axes.set(xlabel=MEASURES[measure])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("image")
    args = parser.parse_args()
    with open(args.table, newline="") as file:
        rows = list(csv.DictReader(file))
    for r in rows:
        r["kind"] = kind(r)
        for measure in MEASURES:
            r[measure] = float(r[measure])
    figure, axes = plt.subplots(2, 2, figsize=(12, 8.5), layout="constrained")
    roc(axes[0][0], rows, "likeness")
    roc(axes[0][1], rows, "cosine")
    spread(axes[1][0], rows, "likeness", (ALIKE, SURE))
    spread(axes[1][1], rows, "cosine", (SAME, OTHER))
    figure.savefig(args.image, dpi=90)
    table(rows)


if __name__ == "__main__":
    main()
