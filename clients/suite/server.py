"""The real server and the real Redis, each on a free port of the loopback interface."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
START = 60  # seconds that a server may take to start
CALL = 5  # seconds that a request may take


class Server:
    """A running server and the sessions API, called with its development key (ingest/openapi.yaml)."""

    def __init__(self, url: str, api_key: str, log: Path):
        self.url, self._api_key, self._log = url.rstrip("/"), api_key, log

    def create(self) -> dict:
        return self._call("POST", "/v1/sessions", {"mode": "onboarding"})

    def read(self, session_id: str) -> dict:
        return self._call("GET", f"/v1/sessions/{session_id}")

    def samples(self, session_id: str) -> list[dict]:
        return self._call("GET", f"/v1/sessions/{session_id}/timeline")["samples"]

    def log(self, session_id: str) -> list[str]:
        """What the server logged of one session."""
        return [line for line in self._log.read_text(errors="replace").splitlines() if session_id in line]

    def _call(self, method: str, path: str, body: dict | None = None) -> dict:
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Authorization", f"Bearer {self._api_key}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=CALL) as answer:
            return json.load(answer)


@contextlib.contextmanager
def serve() -> Iterator[Server]:
    """Starts both, and stops both at the end."""
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="liveproof-clients-")))
        redis = stack.enter_context(_redis(work))
        yield stack.enter_context(_liveproof(work, redis))


@contextlib.contextmanager
def _redis(work: Path) -> Iterator[str]:
    if not shutil.which("redis-server"):
        raise SystemExit("redis-server is not installed (scripts/setup.sh test)")
    path = work / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no", "--dir", str(work)]
    with _process(command, work / "redis.log"):
        _until(lambda: _accepts(path), "redis-server does not answer")
        yield f"unix://{path}"


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(str(path)) == 0


@contextlib.contextmanager
def _liveproof(work: Path, redis: str) -> Iterator[Server]:
    binary = Path(os.environ.get("LIVEPROOF_BIN", REPOSITORY / "bin/liveproof"))
    if not binary.exists():
        raise SystemExit(f"no {binary}: run make build, or set LIVEPROOF_BIN")
    log = work / "server.log"
    settings = {
        "LIVEPROOF_SESSION_MAX_SESSIONS": "1000",  # with auto, other load on this machine could make the server refuse a session
        "LIVEPROOF_INGEST_CORS_ORIGINS": "*",  # the pages of the browser clients come from another origin, as an integrator's do
        "LIVEPROOF_INGEST_WS_ORIGINS": "*",
    }
    command = [str(binary), "serve", "--listen", "127.0.0.1:0", "--udp-port", "0", "--redis", redis]
    with _process(command, log, env={**os.environ, **settings}) as process:

        def line(pattern: str) -> str:
            found = re.search(pattern, log.read_text(errors="replace"), re.MULTILINE)
            return found[1] if found else ""

        def listening() -> bool:
            if process.poll() is not None:
                raise SystemExit(f"the server did not start:\n{log.read_text()}")
            return bool(line(r"^listening on (\S+)"))

        _until(listening, "the server does not listen")
        yield Server(line(r"^listening on (\S+)"), line(r"^development API key: (\S+)"), log)


@contextlib.contextmanager
def _process(command: list[str], log: Path, env: dict | None = None) -> Iterator[subprocess.Popen]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, start_new_session=True)
    try:
        yield process
    finally:
        stop(process, 30)


def stop(process: subprocess.Popen, grace: float) -> None:
    """Ends a process that leads a group of its own, with its children; kills what is left after grace seconds."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)


def _until(done, complaint: str) -> None:
    deadline = time.monotonic() + START
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(complaint)
        time.sleep(0.1)
