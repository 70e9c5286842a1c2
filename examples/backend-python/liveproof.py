"""Calls Liveproof's sessions API (ingest/openapi.yaml)."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import urllib.error
import urllib.request

CALL_TIMEOUT = 5  # of one call, in seconds
MAX_ANSWER = 1 << 20  # in bytes


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
    """The API key never leaves it."""

    def __init__(self, url: str, api_key: str):
        self.url, self._api_key = url.rstrip("/"), api_key

    def create_session(self, external_id: str) -> dict:
        """Returns Liveproof's answer unchanged, for the page's component. When no answer comes, it asks once
        more; the idempotency key keeps that from making two sessions."""
        body = {"mode": "onboarding", "external_id": external_id}
        key = secrets.token_urlsafe()
        try:
            return self._post("/v1/sessions", key, body)
        except Unreachable:
            return self._post("/v1/sessions", key, body)

    def _post(self, path: str, idempotency_key: str, body: dict) -> dict:
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), method="POST")
        request.add_header("Authorization", f"Bearer {self._api_key}")
        request.add_header("Content-Type", "application/json")
        request.add_header("Idempotency-Key", idempotency_key)
        try:
            with urllib.request.urlopen(request, timeout=CALL_TIMEOUT) as answer:
                return json.loads(answer.read(MAX_ANSWER))
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise Refusal(refusal.code, refusal.read(MAX_ANSWER)) from refusal
        except (OSError, http.client.HTTPException, ValueError) as err:
            raise Unreachable(f"{self.url}{path}: {err}") from err
