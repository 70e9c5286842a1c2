#!/usr/bin/env python3
"""Prints the scored samples per core-second of each server, and the ratio of ours to the peer's.

Reads the lines of the peer's measure.py. A label is SERVER/LOAD; a server whose name begins with "peer" is the peer.
"""

import argparse
import collections
import json
import pathlib
import statistics

# Which of our servers is compared with which peer, by their labels.
PAIRS = (("ours", "peer-ort"), ("ours-fp32", "peer-ort"), ("ours", "peer-openvino"))


def read(path):
    """Efficiency by load and server, in the order of the runs."""
    runs = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in path.read_text().splitlines():
        run = json.loads(line)
        server, load = run["label"].split("/")
        runs[load][server].append(run)
    return runs


def efficiency(run):
    return run["scored_per_s_total"] / run["server_cores"]


def print_load(load, servers):
    print(f"{load}\n{'server':15}{'N':>4}{'scored a second':>17}{'server cores':>14}{'samples per core-second':>25}")
    for server, runs in servers.items():
        for r in runs:
            print(f"{server:15}{r['n']:>4}{r['scored_per_s_total']:>17.1f}{r['server_cores']:>14.2f}{efficiency(r):>25.1f}")
    for ours, peer in PAIRS:
        if ours in servers and peer in servers:
            a, b = (statistics.median(map(efficiency, servers[s])) for s in (ours, peer))
            print(f"{ours} {a:.1f} / {peer} {b:.1f} = {a / b:.2f}  (ratio of the medians)")
    print()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("results", type=pathlib.Path, help="lines of JSON")
    for load, servers in read(p.parse_args().results).items():
        print_load(load, servers)


if __name__ == "__main__":
    main()
