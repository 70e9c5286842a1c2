"""An integrator's backend: it creates sessions at Liveproof for its page, verifies the signed results that the page
brings, receives Liveproof's webhooks, and decides. It needs Python 3.9 or later, and PyJWT."""

from __future__ import annotations

import argparse
import contextlib
import html
import json
import os
import secrets
import socket
import sys
from datetime import datetime
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt
from checks import Checks, decision_of, objection
from liveproof import CALL_TIMEOUT, Liveproof, Refusal, Unreachable

from results import Verifier
from webhooks import verify_webhook, webhook_key

PAGE = Path(__file__).resolve().parent.parent / "page" / "index.html"
MAX_BODY = 1 << 16  # of a request, in bytes


class Backend(BaseHTTPRequestHandler):
    timeout = 10  # of reading a request, in seconds
    liveproof: Liveproof
    verifier: Verifier
    webhook_key: bytes  # empty: no webhooks
    allow_demo: bool  # accept what a demo model has judged
    checks = Checks()
    page: bytes

    def do_GET(self) -> None:
        if self.path == "/":
            self.serve_page()
        elif self.path.startswith("/my-backend/result/"):
            self.answer_decision(self.checks.decision(self.path.rpartition("/")[2], self.visitor()))
        else:
            self.answer(HTTPStatus.NOT_FOUND, {"code": "not_found"})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self.answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"code": "body_too_large"})
            return
        body = self.rfile.read(int(length))
        if self.path == "/my-backend/liveness-session":
            self.begin_check()
        elif self.path == "/my-backend/result":
            self.receive_result(body)
        elif self.path == "/my-backend/webhook":
            self.receive_webhook(body)
        else:
            self.answer(HTTPStatus.NOT_FOUND, {"code": "not_found"})

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

    def begin_check(self) -> None:
        """Creates a session for the visitor and remembers whose it is."""
        visitor = self.visitor()
        if not visitor:
            self.answer(HTTPStatus.UNAUTHORIZED, {"code": "unauthorized"})
            return
        external = self.checks.admit(visitor)
        if not external:
            self.answer(HTTPStatus.TOO_MANY_REQUESTS, {"code": "too_many_checks"})
            return
        try:
            session = self.liveproof.create_session(external)
        except (Refusal, Unreachable) as err:
            self.fail(err)
            return
        self.checks.begin(session["id"], visitor, external)
        self.answer(HTTPStatus.CREATED, session)

    def receive_result(self, body: bytes) -> None:
        """Decides by the signed result that the page brings: without a call to Liveproof, and only for the visitor
        and the session that it is about. A visitor who has begun no check is turned away first, before strangers can
        cost anything."""
        visitor, decision = self.visitor(), None
        if not self.checks.knows(visitor):
            self.answer_decision(None)
            return
        try:
            claims = self.verifier.verify(body.decode())
            why = objection(claims["result"], claims.get("model"), claims["decided_at"], self.allow_demo)
        except (jwt.PyJWTError, ValueError, KeyError) as err:
            why = f"{err!r}"
        if why:
            self.refuse(HTTPStatus.UNAUTHORIZED, "result_invalid", why)
            return
        if claims["mode"] == "onboarding":
            decision = self.checks.decide(claims["sub"], claims["external_id"], visitor, decision_of(claims["result"]))  # None: somebody else's check
        if decision:
            by = claims.get("threshold", {})  # what judged: keep it with the decision, as evidence
            self.log_message(
                "session %s: %s, by the threshold of the %s %s", claims["sub"], decision, by.get("source"), by.get("calibration_sha256", "")
            )
        self.answer_decision(decision)

    def receive_webhook(self, body: bytes) -> None:
        """Decides by Liveproof's own message, which comes even when the page is closed."""
        if not self.webhook_key:
            self.answer(HTTPStatus.NOT_FOUND, {"code": "webhooks_off"})
            return
        if not verify_webhook(self.webhook_key, self.headers, body):
            self.refuse(HTTPStatus.UNAUTHORIZED, "webhook_invalid", "no signature of Liveproof's, or one that is too old")
            return
        try:
            self.decide_by(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError) as err:
            self.refuse(HTTPStatus.BAD_REQUEST, "webhook_invalid", err)
            return
        self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()

    def decide_by(self, message: dict) -> None:
        data, kind = message["data"], message["type"]
        if not kind.startswith("session."):
            return
        decision = decision_of(data["result"])
        why = objection(data["result"], data.get("model"), seconds(data["decided_at"]), self.allow_demo)
        if why:
            self.log_message("session %s: %s", data["id"], why)
            decision = "retry"  # no reason to let the visitor wait
        kept = self.checks.handle(self.headers["webhook-id"], data["id"], data["external_id"], decision)
        if kept:
            self.log_message("session %s: %s, by %s", data["id"], kept, kind)

    def answer_decision(self, decision: str | None) -> None:
        if decision:
            self.answer(HTTPStatus.OK, {"decision": decision})
        else:
            self.answer(HTTPStatus.NOT_FOUND, {"code": "session_not_found"})

    def fail(self, err: Exception) -> None:
        """Logs the cause for the operator and tells the browser only whether to try again."""
        if isinstance(err, Refusal) and err.status in (429, 503):
            self.refuse(err.status, err.code, err)
        else:
            self.refuse(HTTPStatus.BAD_GATEWAY, "liveness_unavailable", err)

    def refuse(self, status: int, code: str, err: object) -> None:
        self.log_error("%s: %s", code, err)
        self.answer(status, {"code": code})

    def answer(self, status: int, body: dict) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())


def seconds(stamp: str) -> float:
    """Seconds since 1970 of a time such as 2026-01-15T09:00:07.2Z (RFC 3339), with any number of decimals."""
    whole, _, _ = stamp.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp()


def configure() -> None:
    url, api_key = os.environ.get("LIVEPROOF_URL", "").rstrip("/"), os.environ.get("LIVEPROOF_API_KEY")
    if not url or not api_key:
        sys.exit("set LIVEPROOF_URL (such as http://localhost:8080) and LIVEPROOF_API_KEY")
    try:
        Backend.webhook_key = webhook_key(os.environ.get("LIVEPROOF_WEBHOOK_SECRET", ""))
    except ValueError as err:
        sys.exit(f"LIVEPROOF_WEBHOOK_SECRET: {err}")
    Backend.allow_demo = os.environ.get("LIVEPROOF_ALLOW_DEMO_MODEL") == "true"
    Backend.liveproof = Liveproof(url, api_key)
    Backend.verifier = Verifier(url, os.environ.get("LIVEPROOF_ISSUER", "liveproof"), os.environ.get("LIVEPROOF_TENANT", "default"))
    Backend.page = PAGE.read_text().replace("{{LIVEPROOF_URL}}", html.escape(url)).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description="an integrator's backend")
    parser.add_argument("--listen", default="127.0.0.1:8090", help="TCP address; port 0 takes a free one")
    host, _, port = parser.parse_args().listen.rpartition(":")
    configure()
    socket.setdefaulttimeout(CALL_TIMEOUT)  # for the read of the keys too
    with ThreadingHTTPServer((host, int(port)), Backend) as server:
        print(f"listening on http://{host}:{server.server_port}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
