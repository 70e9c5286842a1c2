"""Plots the verdicts that `go run ./scripts/verdicts` wrote: the share of each variant that is live, by route and required evidence.

python scripts/plot_variants.py verdicts.csv docs/img/variants.png
"""

import argparse
import collections
import csv

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

ROUTES = {"files": "file", "webrtc": "WebRTC"}


def accepted(row):
    """Live, and not for the person who came after a swap on evidence of that person alone."""
    alone = row["shows"] == "swap" and row["anew"] == "true" and not row["variant"].endswith("to-still")
    return row["verdict"] == "live" and not alone


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table")
    parser.add_argument("image")
    args = parser.parse_args()
    with open(args.table, newline="") as file:
        rows = [r for r in csv.DictReader(file)]
    for r in rows:
        r["variant"] = "PEOPLE" if r["shows"] == "person" else r["variant"]
    people = [r for r in rows if r["variant"] == "PEOPLE"]
    answered = {r["required"] for r in people if len(r["required"].split()) < 3}  # nobody answers the challenge
    variants = list(dict.fromkeys(["PEOPLE", *(r["variant"] for r in rows)]))
    columns = [(route, required) for route in ROUTES for required in dict.fromkeys(r["required"] for r in rows if r["route"] == route)]
    counts = collections.defaultdict(lambda: [0, 0])
    for r in rows:
        counts[r["variant"], r["route"], r["required"]][0] += accepted(r)
        counts[r["variant"], r["route"], r["required"]][1] += 1
    shares = np.full((len(variants), len(columns)), np.nan)
    figure, axes = plt.subplots(figsize=(8, 0.24 * len(variants) + 1.6), layout="constrained")
    for y, variant in enumerate(variants):
        for x, (route, required) in enumerate(columns):
            live, n = counts[variant, route, required]
            if n and (variant != "PEOPLE" or required in answered):
                # People should be live and the rest should not: red is what should not be.
                shares[y, x] = 1 - live / n if variant == "PEOPLE" else live / n
                axes.text(x, y, f"{live}/{n}", ha="center", va="center", fontsize=8)
    axes.imshow(shares, aspect="auto", cmap="RdYlGn_r", vmin=-0.15, vmax=1.15, alpha=0.75)
    labels = [ROUTES[route] + "\n" + required.replace(" ", "\n+ ") for route, required in columns]
    axes.set_xticks(range(len(columns)), labels, fontsize=8)
    axes.set_yticks(range(len(variants)), ["people" if v == "PEOPLE" else v for v in variants], fontsize=8)
    axes.xaxis.tick_top()
    axes.set_title("presentations that are live: green is as it should be, red is not", fontsize=9)
    figure.savefig(args.image, dpi=90)


if __name__ == "__main__":
    main()
