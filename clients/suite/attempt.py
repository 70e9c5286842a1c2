"""One client publishes one camera in one session, until the session has ended or its time is over."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

from .cameras import Camera
from .clients import FFMPEG, Client
from .server import Server, stop

LIMIT = 45.0  # seconds from the client's start to the session's end
EXITED = 12.0  # … from the client's end: the server waits idle_timeout for its media
POLL = 0.1
ENDED = ("decided", "expired", "failed")


@dataclass
class Outcome:
    client: str
    codec: str
    camera: str
    state: str = "not run"
    verdict: str = ""
    reasons: list[str] = field(default_factory=list)
    score: float = 0
    rho: float = 0  # mean of the scored samples
    scored: int = 0
    connect: float | None = None  # seconds from the client's start to the first media
    seconds: float | None = None  # from there to the verdict
    trouble: str = ""  # what the client printed, where that helps
    hints: list[str] | None = None  # that the client was told; None: over WHIP nothing is told

    def right(self) -> bool:
        """A person is live, or is not judged because the bitrate is too low, and is told so."""
        unscored = self.verdict == "inconclusive" and "low_bitrate" in self.reasons
        return self.verdict == "live" or (unscored and (self.hints is None or "low_bitrate" in self.hints))


def attempt(server: Server, client: Client, codec: str, camera: Camera) -> Outcome:
    session = server.create()
    outcome = Outcome(client.name, codec, camera.name)
    with tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(
            list(map(str, client.command)),
            env=environment(session, client, codec, camera),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            watch(server, session["id"], process, outcome)
        finally:
            stop(process, 5)
        printed.seek(0)
        lines = printed.read().splitlines()
    judge(server, session["id"], outcome)
    if client.told:
        outcome.hints = hints(lines)
    if not outcome.right():
        outcome.trouble = "\n".join(lines[-12:])
    return outcome


def environment(session: dict, client: Client, codec: str, camera: Camera) -> dict[str, str]:
    """The contract with every client."""
    return os.environ | {
        "CAMERA": str(camera.matroska),
        "CAMERA_MJPEG": str(camera.mjpeg),
        "CODEC": codec,
        "BITRATE": str(client.bitrate),
        "WHIP_URL": session["whip_url"],
        "SIGNAL_URL": session["signal_url"],
        "TOKEN": session["client_token"],
        "SESSION": json.dumps(session),
        "FFMPEG": str(FFMPEG),
    }


def watch(server: Server, session_id: str, process: subprocess.Popen, outcome: Outcome) -> None:
    """Reads the session until it has ended, and notes when its media came and when it ended."""
    start, exited, now = time.monotonic(), None, 0.0
    while now < LIMIT:
        now = time.monotonic() - start
        state = server.read(session_id)["state"]
        if state in ("streaming", *ENDED) and outcome.connect is None:
            outcome.connect = now
        if state in ENDED:
            outcome.seconds = now - (outcome.connect or 0)
            return
        if process.poll() is not None:
            exited = exited or now
            if now - exited > (1 if state == "created" else EXITED):
                return
        time.sleep(POLL)


def judge(server: Server, session_id: str, outcome: Outcome) -> None:
    record, samples = server.read(session_id), server.samples(session_id)
    scored = [s["rho"] for s in samples if s["scored"]]
    outcome.state, outcome.verdict, outcome.score = record["state"], record["verdict"], record["score"]
    outcome.reasons = record["reasons"] or []
    outcome.scored, outcome.rho = len(scored), sum(scored) / max(1, len(scored))


def hints(lines: list[str]) -> list[str]:
    told = [json.loads(line) for line in lines if line.startswith("{")]
    return [t["reason"] for t in told if t["type"] == "hint" and t["reason"]]
