"""Plots what `go run ./scripts/motion measure` wrote, and prints its tables.

    python scripts/plot_motion.py motion.csv docs/img/motion.png

People are compared with photographs that are moved, bent or lit. Subjects are in two halves: on one, the limit was chosen; on the other, it is
reported. Warped photographs (elastic, fake turns and blinks) are no photographs before a camera and are counted apart.
"""

import argparse
import collections
import csv
import math

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

LIMIT = 0.35  # motion.min_residual
CHOSEN_ON = ("person_A", "person_d9", "person_d6", "person_d13", "asl_b", "SFHQ_sample_1x2_0_0")
WARPED = ("elastic", "fake_turn", "fake_blink")
NEEDED = 10  # scored samples without which no session is live whatever moves


def group(row):
    """People, photographs, warped photographs, or "" for what is left out."""
    if row["shows"] == "person":
        return "people" if int(row["scored"]) >= NEEDED else ""
    if row["shows"] != "still" or row["variant"].startswith("c1_"):
        return ""
    return "warped" if row["kind"] in WARPED or row["variant"].startswith("a5_") else "photographs"


def tail(k, n, p, upper):
    """P(X <= k), or P(X >= k) for the lower bound, of a binomial distribution."""
    values = range(k + 1) if upper else range(k, n + 1)
    return sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in values)


def interval(k, n):
    """Clopper and Pearson's 95 % interval of a proportion."""

    def bound(upper):
        lo, hi = 0.0, 1.0
        for _ in range(50):
            p = (lo + hi) / 2
            if (tail(k, n, p, upper) > 0.025) == upper:
                lo = p
            else:
                hi = p
        return lo

    return (0.0 if k == 0 else bound(False), 1.0 if k == n else bound(True))


def share(values, n):
    low, high = interval(values, n)
    return f"{values}/{n} ({100 * low:.1f} to {100 * high:.1f} %)"


def table(rows):
    for half in ("chosen on", "reported"):
        for name in ("people", "photographs", "warped"):
            these = [r for r in rows if r["half"] == half and r["group"] == name]
            if these:
                given = sum(r["given"] >= 0 for r in these)
                print(f"{half:10} {name:12} evidence in {share(given, len(these))}")
    kinds = collections.defaultdict(list)
    for r in rows:
        if r["group"] != "people":
            kinds[r["kind"] if r["kind"] != "file" else r["variant"]].append(r)
    for kind, these in sorted(kinds.items()):
        given, largest = sum(r["given"] >= 0 for r in these), max(r["limit"] for r in these)
        print(f"{kind:14} given {given:3} of {len(these):3}, largest limit {largest:.2f}")
    subjects = collections.defaultdict(list)
    for r in rows:
        if r["group"] == "people":
            subjects[r["subject"]].append(r["given"])
    for subject, times in sorted(subjects.items()):
        seen = [t for t in times if t >= 0]
        late = sum(t < 0 or t > 2.15 for t in times)
        print(f"{subject:20} given in {len(seen)} of {len(times)}, median {np.median(seen):.1f} s, after 2.1 s or not at all {late}")


def plot(rows, path):
    fig, (roc, hist) = plt.subplots(1, 2, figsize=(11, 4.2))
    limits = np.geomspace(0.05, 20, 60)
    for half, style in (("chosen on", "--"), ("reported", "-")):
        person = np.array([r["limit"] for r in rows if r["half"] == half and r["group"] == "people"])
        photo = np.array([r["limit"] for r in rows if r["half"] == half and r["group"] == "photographs"])
        false = [np.mean(photo >= x) for x in limits]
        true = [np.mean(person >= x) for x in limits]
        roc.step(false, true, style, where="post", label=f"{half}: {len(person)} sessions of people, {len(photo)} of photographs")
        low, high = zip(*(interval(int(np.sum(person >= x)), len(person)) for x in limits))
        roc.fill_between(false, low, high, alpha=0.15, step="post")
    roc.set(xlabel="photographs with evidence of motion", ylabel="people with it", xlim=(-0.02, 1), ylim=(0.5, 1.01))
    roc.legend(loc="lower right", fontsize=8)
    bins = np.geomspace(0.04, 30, 40)
    for name in ("photographs", "warped", "people"):
        values = [max(r["limit"], 0.04) for r in rows if r["group"] == name]
        hist.hist(values, bins, weights=np.full(len(values), 1 / len(values)), alpha=0.6, label=name)
    hist.axvline(LIMIT, color="black", linewidth=1)
    hist.set(xscale="log", xlabel="highest motion.min_residual with evidence in 3.6 s, levels", ylabel="share of sessions")
    hist.legend(fontsize=8)
    fig.tight_layout()
    fig.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("image")
    args = parser.parse_args()
    with open(args.table, newline="") as file:
        rows = list(csv.DictReader(file))
    for r in rows:
        r["group"], r["limit"], r["given"] = group(r), float(r["limit"]), float(r["given"])
        r["half"] = "chosen on" if r["subject"].startswith(CHOSEN_ON) else "reported"
    rows = [r for r in rows if r["group"]]
    table(rows)
    plot(rows, args.image)


if __name__ == "__main__":
    main()
