"""Verifies Liveproof's webhooks (Standard Webhooks)."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Mapping

TOLERANCE = 5 * 60  # how far a webhook's time may be from this machine's, in seconds


def verify_webhook(key: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether Liveproof sent this message, just now. The key is what LIVEPROOF_WEBHOOK_SECRET holds in base64."""
    message_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not sent.isdecimal() or abs(time.time() - int(sent)) > TOLERANCE:
        return False
    digest = hmac.digest(key, f"{message_id}.{sent}.".encode() + body, "sha256")
    want = b"v1," + base64.b64encode(digest)
    return any(hmac.compare_digest(want, given.encode()) for given in headers.get("webhook-signature", "").split())


def webhook_key(secret: str) -> bytes:
    """The key of a secret such as whsec_MfKQ…; empty without a secret."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    if secret and len(key) < 24:
        raise ValueError("not whsec_ and the base64 of at least 24 bytes")
    return key
