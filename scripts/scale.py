#!/usr/bin/env python3
"""Sizing on paper: docs/scale.md's tables from the measured costs of one session, and a simulation of admission and drain.

  make scale                                      writes the tables and the picture of docs/scale.md anew
  scripts/scale.py                                prints them
  scripts/scale.py --sessions 2500 --cores 32     for a load and machines of your own

Every number that was measured stands in UNITS, with its source. Everything else follows from them.
"""

import argparse
import dataclasses
import heapq
import itertools
import math
import pathlib
import random
import re

# ── Units, measured ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
# P: docs/performance.md, two Zen 4 cores, the detector in fp32. R: `make bench-redis`. C: the code.
UNITS = {
    # name: (value, unit, source)
    "cpu_full": (92.0, "ms of CPU a session-second, 5 samples a second, 640×480 at 30 frames", "P, 20 sessions, a network of 9.9 ms"),
    "cpu_new": (1.09, "ms a sample for likeness and motion, which came after that measurement", "P, one frame"),
    "cpu_score": (9.9, "ms a sample for the scorer's network", "P, one frame"),
    "cpu_detect": (2.4, "ms a sample for the detector", "P, one frame"),
    "cpu_frame": (0.49, "ms a frame for decoding VP8", "P, one frame"),
    "fps": (15.0, "frames a second of the web component", "C, webclient camera.ts"),
    "full_rate": (5.0, "samples a second, pipeline.sample_rate", "C"),
    "live_rate": (1.3, "samples a second of a call that stands at live", "P, a long call"),
    "memory": (9.0, "MB a session, at the limit", "P, sessions"),
    "base_memory": (253.0, "MB of a server without sessions", "P"),
    "video": (1.0, "Mbit/s a session, as measured; Chromium goes up to 1.4", "P, sessions"),
    "crop": (150_528.0, "bytes of a crop for inference servers (224×224×3)", "C"),
    "gpu": (14_976.0, "crops a second of an H200, ResNet18 fp16, three workers", "P, GPU"),
    "views": (2.0, "runs of the network a crop: the shipped models look twice; not measured on a GPU", "docs/training.md"),
    "redis_check": (147.0, "Redis commands of an onboarding session, those within scripts included", "R"),
    "redis_call": (22.0, "Redis commands a second of a call at 4.7 samples a second", "R"),
    "redis_idle": (16.8, "Redis commands a second of a server without sessions", "R"),
    "redis_check_bytes": (46_038.0, "bytes to and from Redis of an onboarding session", "R"),
    "redis_call_bytes": (4719.0, "bytes to and from Redis a second of a call", "R"),
    "redis_check_cpu": (3.37, "ms of Redis's CPU of an onboarding session", "R"),
    "redis_call_cpu": (0.31, "ms of Redis's CPU a second of a call", "R"),
    "events": (4.0, "events of a session; a cluster spreads them over 16 streams", "R"),
    "check_samples": (14.0, "samples of an onboarding session", "R"),
    "record": (1984.0, "bytes of Redis's memory a record, without its timeline", "R"),
    "sample_bytes": (690.0, "bytes of Redis's memory a sample of the timeline", "R"),
}
# ── Assumptions, to be replaced by yours ─────────────────────────────────────────────────────────────────────────────────────────────────
CORES = 16  # of a media node
NODE_SHARE = 0.85  # of a node's CPU that admission gives to sessions
GPU_SHARE = 0.8  # of a GPU, at which the 99th percentile waits 7 ms
REDIS_SHARE = 0.5  # of a core of a Redis server; the rest is for its replicas, expiry and peaks
CHECK_SECONDS = 6.0  # an onboarding session, from creation to end
CALL_SECONDS = 600.0
BUSY_HOURS = 4  # a day's sessions are those of so many hours at the peak
RECORD_HOURS = 24  # session.record_ttl
SPARE = 1  # nodes that may fail or drain
# ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def unit(name):
    return UNITS[name][0]


def session_ms(rate, local):
    """ms of CPU a session-second at a sampling rate; without the scorer's network if inference servers run it."""
    full = unit("cpu_full") + unit("full_rate") * unit("cpu_new") - 15 * unit("cpu_frame")  # 15 frames a second instead of 30
    fewer = (unit("full_rate") - rate) * (unit("cpu_score") + unit("cpu_detect") + unit("cpu_new"))
    return full - fewer - (0 if local else rate * unit("cpu_score"))


@dataclasses.dataclass(frozen=True)
class Load:
    """One kind of session at a number of concurrent ones."""

    name: str
    rate: float  # samples a second
    seconds: float  # a session's mean length
    commands: float  # of Redis, a session-second
    redis_bytes: float  # the same
    redis_cpu: float  # ms, the same
    samples: float  # of a session's timeline

    def row(self, sessions, cores=CORES):
        per_node = math.floor(NODE_SHARE * 1000 * cores / session_ms(self.rate, True))
        per_node_remote = math.floor(NODE_SHARE * 1000 * cores / session_ms(self.rate, False))
        crops = sessions * self.rate
        begun = sessions / self.seconds
        nodes = math.ceil(sessions / per_node) + SPARE
        commands = sessions * self.commands + nodes * unit("redis_idle")
        kept = begun * 3600 * min(BUSY_HOURS, RECORD_HOURS)
        return {
            "sessions": sessions,
            "begun a second": begun,
            "cores": sessions * session_ms(self.rate, True) / 1000 / NODE_SHARE,
            "nodes": nodes,
            "nodes with remote scorer": math.ceil(sessions / per_node_remote) + SPARE,
            "GPUs": math.ceil(crops * unit("views") / unit("gpu") / GPU_SHARE) + SPARE,
            "memory of the nodes, GB": (sessions * unit("memory") + nodes * unit("base_memory")) / 1000,
            "video, Gbit/s": sessions * unit("video") / 1000,
            "crops, Gbit/s": crops * unit("crop") * 8 / 1e9,
            "Redis commands/s": commands,
            "Redis, Mbit/s": sessions * self.redis_bytes * 8 / 1e6,
            "Redis masters": max(1, math.ceil(sessions * self.redis_cpu / 1000 / REDIS_SHARE)),
            "events/s": begun * unit("events"),
            "Redis memory, GB": kept * (unit("record") + self.samples * unit("sample_bytes")) / 1e9,
        }


LOADS = [
    Load(
        "Onboarding",
        unit("full_rate"),
        CHECK_SECONDS,
        *(unit(f"redis_check{k}") / CHECK_SECONDS for k in ("", "_bytes", "_cpu")),
        unit("check_samples"),
    ),
    Load(
        "Calls that stand at `live`",
        unit("live_rate"),
        CALL_SECONDS,
        *(unit(f"redis_call{k}") for k in ("", "_bytes", "_cpu")),
        CALL_SECONDS * unit("live_rate"),
    ),
]
ORDERS = (100, 1000, 10_000, 100_000)


def number(v):
    if isinstance(v, int) or v >= 100:
        return f"{round(v):,}".replace(",", " ")
    return f"{v:.2g}" if v < 10 else f"{v:.0f}"


def table(load, orders=ORDERS, cores=CORES):
    rows = [load.row(n, cores) for n in orders]
    lines = [
        f"**{load.name}** ({session_ms(load.rate, True):.0f} ms of CPU a session-second, {session_ms(load.rate, False):.0f} with a remote scorer)",
        "",
    ]
    lines.append("| | " + " | ".join(number(r["sessions"]) for r in rows) + " |")
    lines.append("|---|" + "---|" * len(rows))
    for name in list(rows[0])[1:]:
        lines.append(f"| {name} | " + " | ".join(number(r[name]) for r in rows) + " |")
    return "\n".join(lines)


def units_table():
    lines = ["| unit | value | source |", "|---|---|---|"]
    for value, what, source in UNITS.values():
        lines.append(f"| {what} | {number(value) if value >= 1 else f'{value:.2g}'} | {source} |")
    return "\n".join(lines)


# ── Simulation ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclasses.dataclass
class Fleet:
    """Media nodes with a limit each; sessions come as a Poisson process and last for an exponential time.

    A creation goes to one of the ready nodes at random, as a balancer without knowledge sends it. A node at its limit refuses it, and the
    caller tries again, up to `tries` times at once, each at random.
    """

    nodes: int
    limit: int
    load: float  # offered sessions as a share of nodes × limit
    mean: float  # seconds
    tries: int = 1
    seed: int = 1
    events: list = dataclasses.field(default_factory=list)
    running: dict = dataclasses.field(default_factory=dict)  # node → ids of its sessions
    ready: set = dataclasses.field(default_factory=set)
    tally: dict = dataclasses.field(default_factory=lambda: dict.fromkeys(("offered", "refused", "ended", "cut", "lost"), 0))

    def __post_init__(self):
        self.random, self.ids = random.Random(self.seed), itertools.count()
        self.running = {n: {} for n in range(self.nodes)}
        self.ready = set(self.running)
        self.at(0, "arrive")

    def at(self, time, what, *args):
        heapq.heappush(self.events, (time, next(self.ids), what, args))

    def run(self, until, every=None, watch=None):
        """Until a time; `watch(time, fleet)` is called every so many seconds."""
        if every:
            for i in range(int(until / every) + 1):
                self.at(i * every, "watch")
        while self.events and self.events[0][0] <= until:
            time, _, what, args = heapq.heappop(self.events)
            if what == "watch":
                watch(time, self)
            else:
                getattr(self, what)(time, *args)

    def arrive(self, now):
        rate = self.load * self.nodes * self.limit / self.mean
        self.at(now + self.random.expovariate(rate), "arrive")
        self.tally["offered"] += 1
        for _ in range(self.tries):
            if not self.ready:
                break
            node = self.random.choice(tuple(self.ready))
            if len(self.running[node]) < self.limit:
                session = next(self.ids)
                self.running[node][session] = now
                self.at(now + self.random.expovariate(1 / self.mean), "end", node, session)
                return
        self.tally["refused"] += 1

    def end(self, now, node, session):
        if self.running[node].pop(session, None) is not None:
            self.tally["ended"] += 1

    def drain(self, now, node, deadline, back, then=None):
        """The node takes no more sessions; what runs at the deadline is cut; it is ready again `back` seconds after it has stopped."""
        self.ready.discard(node)
        self.at(now, "stop", node, now + deadline, back, then)

    def stop(self, now, node, deadline, back, then):
        if self.running[node] and now < deadline:
            self.at(now + 1, "stop", node, deadline, back, then)
            return
        self.tally["cut"] += len(self.running[node])
        self.running[node].clear()
        self.at(now + back, "join", node, then)

    def join(self, now, node, then):
        self.ready.add(node)
        if then:
            then(now)

    def lose(self, now, node, back):
        """The node dies with its sessions."""
        self.ready.discard(node)
        self.tally["lost"] += len(self.running[node])
        self.running[node].clear()
        self.at(now + back, "join", node, None)

    def restart_all(self, now, deadline, back):
        """A rolling restart, one node after the other."""
        left = iter(range(self.nodes))

        def following(at):
            node = next(left, None)
            if node is not None:
                self.drain(at, node, deadline, back, following)

        following(now)


def refusals(nodes, limit, load, tries, mean=CHECK_SECONDS, sessions=20_000):
    """The share of creations that are refused in the steady state."""
    fleet = Fleet(nodes, limit, load, mean, tries)
    fleet.run(10 * mean)
    fleet.tally = dict.fromkeys(fleet.tally, 0)
    fleet.run(10 * mean + sessions * mean / (load * nodes * limit))
    return fleet.tally["refused"] / max(1, fleet.tally["offered"])


def cut_share(mean, deadline, nodes=10, limit=100, load=0.7):
    """How many sessions a rolling restart cuts, as a share of those that run at its begin. One that comes back to a node whose turn is still
    to come can be cut again."""
    fleet = Fleet(nodes, limit, load, mean, 3)
    fleet.run(5 * mean)
    running = sum(len(r) for r in fleet.running.values())
    fleet.tally["cut"] = 0
    fleet.restart_all(5 * mean, deadline, 20)
    fleet.run(5 * mean + nodes * (deadline + 30))
    return fleet.tally["cut"] / running


def bad_day():
    """Ten nodes with onboarding: a rolling restart from 60 s on, a node lost at 500 s."""
    fleet, times, rows, ready = Fleet(10, 100, 0.7, CHECK_SECONDS, 3), [], [], []

    def watch(now, f):
        times.append(now)
        rows.append([len(f.running[n]) for n in range(f.nodes)])
        ready.append(len(f.ready))

    fleet.at(60, "restart_all", 60, 10)
    fleet.at(500, "lose", 3, 30)
    fleet.run(580, 4, watch)
    return times, rows, ready, fleet.tally


def simulation_table():
    lines = ["| nodes × limit | offered | refused, one try | three tries |", "|---|---|---|---|"]
    for nodes, limit in ((2, 100), (10, 100), (100, 100)):
        for load in (0.7, 0.85, 0.95):
            one, three = (refusals(nodes, limit, load, tries) for tries in (1, 3))
            lines.append(f"| {nodes} × {limit} | {load:.0%} | {one:.2%} | {three:.2%} |")
    lines += ["", "| mean length | cut at 20 s | 60 s | 600 s |", "|---|---|---|---|"]
    for mean in (CHECK_SECONDS, 180, CALL_SECONDS):
        lines.append(f"| {mean:.0f} s | " + " | ".join(f"{cut_share(mean, d):.0%}" for d in (20, 60, 600)) + " |")
    return "\n".join(lines)


def plot(path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (day, refused, cut) = plt.subplots(1, 3, figsize=(15, 5.2), layout="constrained")
    times, rows, ready, tally = bad_day()
    restarted = max((t for t, r in zip(times, ready) if 60 < t < 499 and r < len(rows[0])), default=60)
    for n in range(len(rows[0])):
        day.plot(times, [r[n] for r in rows], linewidth=0.9, color=plt.cm.viridis(n / len(rows[0])))
    day.axhline(100, color="grey", linestyle=":", label="a node's limit")
    day.axvspan(60, restarted, color="C1", alpha=0.08, label="rolling restart")
    day.axvline(500, color="C3", linestyle="--", linewidth=1, label=f"a node dies: {tally['lost']} sessions lost")
    day.set(title="Ten nodes at 70 %, sessions of 6 s", xlabel="seconds", ylabel="running sessions of each node")
    loads = [0.6 + 0.04 * i for i in range(10)]
    for i, nodes in enumerate((2, 10, 100)):
        for tries, style in ((1, "-"), (3, "--")):
            refused.plot(
                loads,
                [100 * refusals(nodes, 100, x, tries, sessions=15000) for x in loads],
                style,
                color=f"C{i}",
                label=f"{nodes} nodes, {tries} {'try' if tries == 1 else 'tries'}",
            )
    refused.set(title="Refused, with 100 places a node", xlabel="offered sessions, share of all places", ylabel="% of creations")
    deadlines = [0, 10, 20, 30, 60, 120, 180, 300, 450, 600]
    for mean, name in ((CHECK_SECONDS, "onboarding, 6 s"), (180, "calls of 3 minutes"), (CALL_SECONDS, "calls of 10 minutes")):
        cut.plot(deadlines, [100 * cut_share(mean, d) for d in deadlines], "o-", markersize=3, label=name)
    cut.set(title="Cut in a rolling restart of ten nodes", xlabel="session.drain_timeout, s", ylabel="cut, for 100 sessions that ran at its begin")
    for axis in (day, refused, cut):
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    figure.savefig(path, dpi=80)


COMPUTED = {"units": units_table, "onboarding": lambda: table(LOADS[0]), "calls": lambda: table(LOADS[1])}
SIMULATED = {"simulation": simulation_table}


def filled(page, sections):
    """The page with its generated parts replaced."""
    text = page.read_text()
    for name, make in sections.items():
        text, n = re.subn(rf"(<!-- scale: {name} -->\n).*?(<!-- end -->)", lambda m, make=make: f"{m[1]}{make()}\n{m[2]}", text, flags=re.S)
        if n != 1:
            raise SystemExit(f"{page} has {n} parts named {name}")
    return text


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sessions", type=int, nargs="+", default=ORDERS, help="concurrent sessions (default 100 … 100000)")
    p.add_argument("--cores", type=int, default=CORES, help=f"cores of a media node (default {CORES})")
    p.add_argument("--write", type=pathlib.Path, help="replace the tables of this page instead")
    p.add_argument(
        "--check", type=pathlib.Path, help="fail if this page's computed tables are others (the simulated ones, which take a minute, are left out)"
    )
    p.add_argument("--plot", type=pathlib.Path, help="draw the simulation into this file")
    a = p.parse_args()
    if a.check:
        if filled(a.check, COMPUTED) != a.check.read_text():
            raise SystemExit(f"{a.check} does not have the tables that this script computes: run `make scale`")
        return
    if a.write:
        a.write.write_text(filled(a.write, COMPUTED | SIMULATED))
    else:
        print("\n\n".join(table(load, a.sessions, a.cores) for load in LOADS))
        print("\n" + simulation_table())
    if a.plot:
        plot(a.plot)


if __name__ == "__main__":
    main()
