#!/usr/bin/env python3
"""Sessions come and go for a long time; then every verdict must be in Redis, and nothing may have grown.

  make soak                                        10 minutes at 16 sessions
  make soak SOAK="--minutes 2 --sessions 4"

Calls and onboarding sessions are published over WebRTC to one server with a Redis server of its own. Memory, goroutines and running sessions
are read from the server's metrics every five seconds. The results are a plot, a JSON file and the exit status.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

SHARED = pathlib.Path(os.environ.get("LIVEPROOF_SHARED", "../shared")) / "media"
CALLS = [SHARED / f"person_{p}_640x480.mjpeg" for p in "ABC"] + [SHARED / "headpose_640x480.mjpeg"]
ONBOARDING = [*(SHARED / f"people/person_{p}.mp4" for p in ("d6", "d9", "d13", "d19", "s18")), SHARED / "hostile/f2_print_A.mp4"]
EVERY = 5  # seconds between two readings of the metrics
WARM = 0.3  # share of the run that does not count for the trend
GAUGES = {
    "memory": "process_resident_memory_bytes",
    "goroutines": "go_goroutines",
    "descriptors": "process_open_fds",
}
MOST_GROWTH = 0.05  # of the mean, over the rest of the run
ENDED = ("decided", "expired", "failed")
MOST_LEFT = 10  # goroutines that may be left when all sessions have ended


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def process(command, **kwargs):
    p = subprocess.Popen([str(c) for c in command], **kwargs)
    try:
        yield p
    finally:
        p.send_signal(signal.SIGTERM)
        try:
            p.wait(30)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()


def until(done, seconds, what):
    end = time.monotonic() + seconds
    while not (result := done()):
        if time.monotonic() > end:
            sys.exit(f"{what} after {seconds} s")
        time.sleep(0.1)
    return result


def read(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def measure(metrics):
    text = read(metrics)
    return {name: float(re.search(rf"^{metric} (\S+)$", text, re.M)[1]) for name, metric in GAUGES.items()}


class Publisher:
    """One `liveproof replay --via webrtc` after the other until the time is over."""

    def __init__(self, name, files, sessions, mode, server, folder):
        repeated = [str(f) for f in files] * max(1, 4 * sessions // len(files))
        # The last lines of a publisher that is interrupted would be missing, so it always ends by itself.
        self.command = ["bin/liveproof", "replay", "--via", "webrtc", "--quiet", "--json", "--mode", mode, *server, "--sessions", sessions, *repeated]
        self.log, self.out, self.running = folder / f"{name}.log", folder / f"{name}.jsonl", None

    def keep_going(self):
        if self.running is None or self.running.poll() is not None:
            with open(self.out, "ab") as out, open(self.log, "ab") as log:
                self.running = subprocess.Popen([str(c) for c in self.command], stdout=out, stderr=log)

    def results(self):
        return [json.loads(line) for line in self.out.read_text().splitlines()]


def soak(args, metrics, publishers):
    readings, begun = [], time.monotonic()
    while (spent := time.monotonic() - begun) < 60 * args.minutes:
        for p in publishers:
            p.keep_going()
        readings.append({"seconds": round(spent, 1), **measure(metrics)})
        print(
            f"\r{spent / 60:.1f} of {args.minutes} min: {readings[-1]['memory'] / 1e6:.0f} MB, {readings[-1]['goroutines']:.0f} goroutines   ",
            end="",
            file=sys.stderr,
            flush=True,
        )
        time.sleep(max(0, EVERY - (time.monotonic() - begun - spent)))
    print(file=sys.stderr)
    for p in publishers:
        p.running.wait()
    return readings


def trend(readings, name):
    """By which share of its mean a value grows from the end of the warm-up to the end, by a straight line."""
    late = [r for r in readings if r["seconds"] >= WARM * readings[-1]["seconds"]]
    x, y = np.array([r["seconds"] for r in late]), np.array([r[name] for r in late])
    return float(np.polyfit(x, y, 1)[0] * (x[-1] - x[0]) / y.mean())


def missing(results, redis):
    """Sessions whose verdict in Redis is not the one that the client read, and those that have not ended."""

    def field(session, name):
        return subprocess.run(
            ["redis-cli", "-p", str(redis), "HGET", f"liveproof:{{{session}}}:session", name], capture_output=True, text=True, check=True
        ).stdout.strip()

    wrong = []
    for r in results:
        session = r["webrtc"]["session"]
        if not session:  # refused, or a file that cannot be sent; `error` says so
            continue
        if field(session, "verdict") != r["verdict"] or field(session, "state") not in ENDED:
            wrong.append(session)
    return wrong


def plot(readings, path):
    figure, axes = plt.subplots(len(GAUGES), 1, figsize=(8, 6), sharex=True, layout="constrained")
    minutes = [r["seconds"] / 60 for r in readings]
    for axis, (name, scale, unit) in zip(axes, (("memory", 1e6, "MB"), ("goroutines", 1, ""), ("descriptors", 1, ""))):
        axis.plot(minutes, [r[name] / scale for r in readings], lw=1)
        axis.set(ylabel=f"{name} {unit}".strip(), ylim=(0, None))
        axis.grid(alpha=0.3)
    axes[-1].set(xlabel="minutes")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def serve(port, log):
    env = {
        **os.environ,
        "LIVEPROOF_OPS_LISTEN": "127.0.0.1:0",
        "LIVEPROOF_SESSION_MAX_SESSIONS": "1000",
        "LIVEPROOF_INJECTION_WITHHOLD": "off",  # recordings are published on purpose
        "LIVEPROOF_INGEST_RATE_PER_IP_BURST": "100000",
        "LIVEPROOF_INGEST_RATE_PER_TENANT_BURST": "100000",
    }
    command = ["bin/liveproof", "serve", "--listen", "127.0.0.1:0", "--udp-port", "0", "--redis", f"redis://127.0.0.1:{port}"]
    return process(command, env=env, stdout=log, stderr=subprocess.STDOUT)


def found(log, pattern):
    match = re.search(pattern, pathlib.Path(log.name).read_text(), re.M)
    return match and match[1]


def run(args, folder):
    port = free_port()
    redis = ["redis-server", "--port", port, "--save", "", "--appendonly", "no", "--dir", folder, "--bind", "127.0.0.1"]
    with process(redis, stdout=subprocess.DEVNULL), open(folder / "server.log", "wb") as log, serve(port, log):
        metrics = until(lambda: found(log, r"^metrics at (\S+)$"), 60, f"the server has not begun; {log.name} says why")
        server = ["--server", found(log, r"^listening on (\S+)$"), "--api-key", found(log, r"^development API key: (\S+)$")]
        onboarding = max(1, args.sessions // 3)
        publishers = [
            Publisher("calls", CALLS, max(1, args.sessions - onboarding), "call", server, folder),
            Publisher("onboarding", ONBOARDING, onboarding, "onboarding", server, folder),
        ]
        idle = measure(metrics)
        readings = soak(args, metrics, publishers)
        time.sleep(EVERY)
        results = [r for p in publishers for r in p.results()]
        return {
            "minutes": args.minutes,
            "sessions_at_once": args.sessions,
            "sessions": len(results),
            "idle": idle,
            "after": measure(metrics),
            "verdicts": {v: sum(r["verdict"] == v for r in results) for v in ("live", "inconclusive", "spoof")},
            "errors": [r["error"] for r in results if r.get("error")],
            "not_in_redis": missing(results, port),
            "growth": {name: round(trend(readings, name), 4) for name in GAUGES},
            "readings": readings,
        }


def faults(r):
    yield from (f"session {s}: its verdict is not in Redis" for s in r["not_in_redis"])
    yield from (f"a session failed: {e}" for e in r["errors"])
    yield from (f"{name} grew by {100 * g:.1f} %" for name, g in r["growth"].items() if g > MOST_GROWTH)
    if (left := r["after"]["goroutines"] - r["idle"]["goroutines"]) > MOST_LEFT:
        yield f"{left:.0f} goroutines are left without a session"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--sessions", type=int, default=16, help="at once; a third of them are onboarding sessions, which end at their verdict")
    parser.add_argument("--plot", type=pathlib.Path, default="docs/img/soak.png")
    parser.add_argument("--json", type=pathlib.Path, default=".cache/soak.json")
    args = parser.parse_args()
    absent = [str(f) for f in CALLS + ONBOARDING if not f.exists()]
    if absent or not shutil.which("redis-server"):
        sys.exit(f"needed: redis-server, and {', '.join(absent) or 'nothing else'} (LIVEPROOF_SHARED)")
    with tempfile.TemporaryDirectory() as folder:
        result = run(args, pathlib.Path(folder))
    plot(result["readings"], args.plot)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(result, indent=1))
    print(json.dumps({k: v for k, v in result.items() if k != "readings"}, indent=1))
    if found_faults := list(faults(result)):
        sys.exit("\n".join(found_faults))


if __name__ == "__main__":
    main()
