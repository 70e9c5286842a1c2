#!/usr/bin/env python3
"""What a session costs Redis: commands, bytes and memory, from INFO of a real redis-server beside a real server.

  make bench-redis        the units of Redis in scripts/scale.py

First onboarding sessions come and go; then calls run, and the commands of a window are counted. What an idle server asks is taken off.
"""

import argparse
import json
import os
import pathlib
import re
import secrets
import subprocess
import tempfile
import time

from soak import free_port, process, read, until

SHARED = pathlib.Path(os.environ.get("LIVEPROOF_SHARED", "../shared")) / "media"
PERSON = SHARED / "person_A_640x480.mjpeg"
CALL = SHARED / "people/person_d6.mp4"  # 33 s
BINARY = os.environ.get("SERVER_BIN", "bin/liveproof")


def cli(port, *words):
    return subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, text=True, check=True).stdout


class Counts:
    """INFO at one moment; the difference of two is what happened between them."""

    def __init__(self, port):
        info = cli(port, "INFO", "all")
        self.at = time.monotonic()
        self.calls = {n: int(c) for n, c in re.findall(r"^cmdstat_([^:]+):calls=(\d+)", info, re.M)}
        self.usec = sum(int(u) for u in re.findall(r"^cmdstat_[^:]+:calls=\d+,usec=(\d+)", info, re.M))
        self.bytes = sum(int(re.search(rf"^{n}:(\d+)", info, re.M)[1]) for n in ("total_net_input_bytes", "total_net_output_bytes"))
        self.memory = int(re.search(r"^used_memory_dataset:(\d+)", info, re.M)[1])
        self.cpu = sum(float(re.search(rf"^{n}:([\d.]+)", info, re.M)[1]) for n in ("used_cpu_user", "used_cpu_sys"))

    def minus(self, earlier):
        calls = {
            n: c - earlier.calls.get(n, 0)
            for n, c in self.calls.items()
            if n not in ("info", "hello", "client", "client|setinfo", "client|maint_notifications", "command", "config")
        }
        return {
            "seconds": self.at - earlier.at,
            "calls": {n: c for n, c in sorted(calls.items()) if c},
            # Commands that a script runs are calls too; clients sent only these.
            "commands": sum(calls.values()),
            "sent": sum(c for n, c in calls.items() if n in ("eval", "evalsha", "fcall")),
            "bytes": self.bytes - earlier.bytes,
            "memory": self.memory - earlier.memory,
            "cpu_ms": 1000 * (self.cpu - earlier.cpu),
        }


def share(counts, idle, divisor):
    """What one session (or one second of one) took, without the idle server's part."""
    part = {k: counts[k] - idle[k] * counts["seconds"] / idle["seconds"] for k in ("commands", "bytes", "cpu_ms")}
    part["memory"] = counts["memory"]
    return {k: round(v / divisor, 2) for k, v in part.items()}


def memory(redis, session):
    """Redis's memory of a session's record, and of one sample of its timeline."""
    of = {k: int(cli(redis, "MEMORY", "USAGE", k)) for k in cli(redis, "KEYS", f"liveproof:{{{session}}}:*").split()}
    timeline = f"liveproof:{{{session}}}:timeline"
    samples = int(cli(redis, "LLEN", timeline))
    return {
        "record_bytes": sum(of.values()) - of.get(timeline, 0),
        "samples": samples,
        "sample_bytes": round(of.get(timeline, 0) / max(1, samples), 1),
    }


def replay(server, mode, sessions, file):
    command = [BINARY, "replay", "--via", "webrtc", "--signalling", "websocket", "--quiet", "--json", "--mode", mode, *server]
    return subprocess.Popen([*command, "--sessions", str(sessions), *[str(file)] * sessions], stdout=subprocess.PIPE, text=True)


def measure(args, redis, server, metrics):
    def running():
        return float(re.search(r"^liveproof_sessions_active (\S+)$", read(metrics), re.M)[1])

    def idle_for(seconds):
        begun = Counts(redis)
        time.sleep(seconds)
        return Counts(redis).minus(begun)

    idle = idle_for(args.window)
    begun = Counts(redis)
    checks = replay(server, "onboarding", args.sessions, PERSON)
    answers = [json.loads(line) for line in checks.communicate()[0].splitlines()]
    ended = sum(1 for a in answers if a["webrtc"]["session"])
    until(lambda: running() == 0, 30, "sessions did not end")
    onboarding = Counts(redis).minus(begun)

    calls = replay(server, "call", args.sessions, CALL)
    until(lambda: running() == args.sessions, 120, "the calls did not begin")
    time.sleep(3)
    window = idle_for(args.window)
    if running() != args.sessions:
        raise SystemExit("a call ended within the window")
    called = [json.loads(line) for line in calls.communicate()[0].splitlines()]
    until(lambda: running() == 0, 30, "calls did not end")
    return {
        "memory_onboarding": [memory(redis, a["webrtc"]["session"]) for a in answers],
        "memory_call": [memory(redis, a["webrtc"]["session"]) for a in called],
        "idle_commands_a_second": round(idle["commands"] / idle["seconds"], 2),
        "onboarding_session": share(onboarding, idle, ended),
        "onboarding_commands": {n: round(c / ended, 1) for n, c in onboarding["calls"].items()},
        "call_second": share(window, idle, args.sessions * window["seconds"]),
        "call_commands_a_second": {n: round(c / args.sessions / window["seconds"], 2) for n, c in window["calls"].items()},
    }


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sessions", type=int, default=3, help="sessions at once (default 3)")
    p.add_argument("--window", type=float, default=15, help="seconds of the calls that are counted (default 15)")
    args = p.parse_args()
    redis, port, ops, key = free_port(), free_port(), free_port(), secrets.token_hex(16)
    environment = {**os.environ, "LIVEPROOF_INGEST_API_KEYS": key, "LIVEPROOF_SESSION_MAX_SESSIONS": "1000"}
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "wb") as log:
        quiet = {"stdout": log, "stderr": log}
        with process(["redis-server", "--port", redis, "--bind", "127.0.0.1", "--save", "", "--dir", folder], **quiet):
            serve = [BINARY, "serve", "--listen", f"127.0.0.1:{port}", "--udp-port", "0", "--ops-listen", f"127.0.0.1:{ops}"]
            with process([*serve, "--redis", f"redis://127.0.0.1:{redis}/0"], env=environment, **quiet):
                metrics = f"http://127.0.0.1:{ops}/metrics"
                until(lambda: answers(metrics), 120, "the server did not start")
                server = ["--server", f"http://127.0.0.1:{port}", "--api-key", key]
                print(json.dumps(measure(args, redis, server, metrics), indent=1))


def answers(url):
    try:
        return read(url)
    except OSError:
        return None


if __name__ == "__main__":
    main()
