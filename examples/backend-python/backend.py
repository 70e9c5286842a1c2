"""An integrator's backend: it creates sessions at Liveproof for its page, reads their verdicts server to
server and decides. Only the standard library is used (Python 3.9 or later)."""

from __future__ import annotations

import argparse
import contextlib
import html
import http.client
import json
import os
import re
import secrets
import sys
import urllib.error
import urllib.request
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "page" / "index.html"
CALL_TIMEOUT = 5  # of one call to Liveproof, in seconds
MAX_ANSWER = 1 << 20  # of Liveproof, in bytes
MAX_BODY = 1 << 16  # of a browser, in bytes

# The form of Liveproof's session ids. Nothing else that a browser sends may get into a URL.
SESSION_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")


class Refusal(Exception):
    """An answer of Liveproof other than success."""

    def __init__(self, status: int, body: bytes):
        self.status, self.code, detail = status, "", ""
        with contextlib.suppress(ValueError, AttributeError):  # the answer of a proxy is no JSON object; its status is enough
            problem = json.loads(body)
            self.code, detail = problem.get("code", ""), problem.get("detail", "")  # the code is stable, the detail is not
        super().__init__(f"Liveproof answered {status} {self.code}: {detail}")


class Unreachable(Exception):
    """No usable answer came from Liveproof."""


class Liveproof:
    """Calls the sessions API (ingest/openapi.yaml). The API key never leaves it."""

    def __init__(self, url: str, api_key: str):
        self.url, self._api_key = url.rstrip("/"), api_key

    def create(self, external_id: str) -> dict:
        """Returns Liveproof's answer unchanged, for the page's component. When no answer comes, create asks
        once more; the idempotency key keeps that from making two sessions."""
        body = {"mode": "onboarding", "external_id": external_id}
        key = {"Idempotency-Key": secrets.token_urlsafe()}
        try:
            return self._call("POST", "/v1/sessions", body, key)
        except Unreachable:
            return self._call("POST", "/v1/sessions", body, key)

    def read(self, session_id: str) -> dict:
        return self._call("GET", f"/v1/sessions/{session_id}")

    def _call(self, method: str, path: str, body: dict | None = None, headers: dict | None = None) -> dict:
        request = urllib.request.Request(self.url + path, method=method, headers=headers or {})
        request.add_header("Authorization", f"Bearer {self._api_key}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            status, answer = fetch(request)
            if status // 100 != 2:
                raise Refusal(status, answer)
            return json.loads(answer)
        except (OSError, http.client.HTTPException, ValueError) as err:
            raise Unreachable(f"{method} {self.url}{path}: {err}") from err


def fetch(request: urllib.request.Request) -> tuple[int, bytes]:
    """Status and body of the answer, success or not."""
    try:
        with urllib.request.urlopen(request, timeout=CALL_TIMEOUT) as answer:
            return answer.status, answer.read(MAX_ANSWER)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read(MAX_ANSWER)


def decide(session: dict) -> str:
    """The decision of this business: it accepts only a session that was decided as live."""
    if session["state"] in ("created", "connecting", "streaming"):
        return "wait"
    if session["state"] == "decided":
        return {"live": "accept", "spoof": "reject"}.get(session["verdict"], "retry")
    return "retry"


class Backend(BaseHTTPRequestHandler):
    timeout = 10  # of reading a browser's request, in seconds
    liveproof: Liveproof
    page: bytes

    def do_GET(self) -> None:
        if self.path == "/":
            self.serve_page()
        elif self.path.startswith("/my-backend/result/"):
            self.read_result(self.path.rpartition("/")[2])
        else:
            self.answer(HTTPStatus.NOT_FOUND, {"code": "not_found"})

    def do_POST(self) -> None:
        self.discard_body()
        if self.path == "/my-backend/liveness-session":
            self.create_session()
        else:
            self.answer(HTTPStatus.NOT_FOUND, {"code": "not_found"})

    def discard_body(self) -> None:
        """Reads and ignores the browser's body: if the connection is closed before that, the answer may be lost."""
        length = self.headers.get("Content-Length", "0")
        if length.isdecimal():
            self.rfile.read(min(int(length), MAX_BODY))

    def visitor(self) -> str:
        """Who sent the request, "" for a stranger. The cookie stands in for your login."""
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get("visitor")
        except CookieError:
            return ""
        return cookie.value if cookie else ""

    def serve_page(self) -> None:
        self.send_response(HTTPStatus.OK)
        if not self.visitor():
            self.send_header("Set-Cookie", f"visitor={secrets.token_urlsafe()}; Path=/; HttpOnly; SameSite=Strict")
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.page)

    def create_session(self) -> None:
        visitor = self.visitor()
        if not visitor:
            self.answer(HTTPStatus.UNAUTHORIZED, {"code": "unauthorized"})
            return
        try:
            self.answer(HTTPStatus.CREATED, self.liveproof.create(visitor))
        except (Refusal, Unreachable) as err:
            self.fail(err)

    def read_result(self, session_id: str) -> None:
        """Trusts nothing that the browser says: the verdict is Liveproof's, and it counts only for the
        visitor for whom the session was created."""
        visitor, not_found = self.visitor(), {"code": "session_not_found"}
        if not visitor or not SESSION_ID.fullmatch(session_id):
            self.answer(HTTPStatus.NOT_FOUND, not_found)
            return
        try:
            session = self.liveproof.read(session_id)
        except (Refusal, Unreachable) as err:
            self.fail(err)
            return
        if session["external_id"] != visitor:
            self.answer(HTTPStatus.NOT_FOUND, not_found)
            return
        decision, by = decide(session), session.get("threshold")  # what judged: keep it with the decision, as evidence
        if by and decision != "wait":
            self.log_message(
                "session %s: %s, by the threshold %s of the %s %s", session_id, decision, by["value"], by["source"], by.get("calibration_sha256", "")
            )
        self.answer(HTTPStatus.OK, {"decision": decision})

    def fail(self, err: Exception) -> None:
        """Logs the cause for the operator and tells the browser only whether to try again."""
        self.log_error("%s", err)
        if isinstance(err, Refusal) and err.status in (404, 429, 503):
            self.answer(err.status, {"code": err.code})
        else:
            self.answer(HTTPStatus.BAD_GATEWAY, {"code": "liveness_unavailable"})

    def answer(self, status: int, body: dict) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


def main() -> None:
    parser = argparse.ArgumentParser(description="an integrator's backend")
    parser.add_argument("--listen", default="127.0.0.1:8090", help="TCP address; port 0 takes a free one")
    host, _, port = parser.parse_args().listen.rpartition(":")
    url, api_key = os.environ.get("LIVEPROOF_URL"), os.environ.get("LIVEPROOF_API_KEY")
    if not url or not api_key:
        sys.exit("set LIVEPROOF_URL (such as http://localhost:8080) and LIVEPROOF_API_KEY")
    Backend.liveproof = Liveproof(url, api_key)
    Backend.page = PAGE.read_text().replace("{{LIVEPROOF_URL}}", html.escape(Backend.liveproof.url)).encode()
    with ThreadingHTTPServer((host, int(port)), Backend) as server:
        print(f"listening on http://{host}:{server.server_port}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
