"""What the backend remembers, and the decision of this business."""

from __future__ import annotations

import secrets
import threading
import time

MAX_AGE = 600  # since a session's end, in seconds: later its result says nothing about who is there now
CHECKS_AN_HOUR = 10  # that a visitor may begin


def objection(result: str, model: dict | None, decided_at: float, allow_demo: bool) -> str:
    """Why Liveproof's word on a session must not count, "" when it may. A demo model proves nothing."""
    if not -60 <= time.time() - decided_at <= MAX_AGE:
        return "the session did not end just now"
    if not model:  # no picture came
        return "" if result == "retry" else "no model is named"
    if model["demo"] is not False and not allow_demo:
        return "a demo model judged: set LIVEPROOF_ALLOW_DEMO_MODEL=true to try it out, never in production"
    return ""


def decision_of(result: str) -> str:
    """Accepts only a pass."""
    return {"pass": "accept", "fail": "reject"}.get(result, "retry")


class Checks:
    """Whose checks run, what was decided, and which messages were handled. It stands in for your database: it
    forgets all when the program ends, and nothing before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By the session's id: visitor, decision, and the check's name at Liveproof, which must not be a credential.
        self._checks: dict[str, dict[str, str]] = {}
        self._begun: dict[str, list[float]] = {}  # by visitor, of the last hour
        self._handled: set[str] = set()  # ids of webhooks

    def admit(self, visitor: str) -> str | None:
        """Counts a new check of the visitor and gives it a name; None: the visitor has begun too many."""
        with self._lock:
            now = time.monotonic()
            recent = [at for at in self._begun.get(visitor, []) if now - at < 3600]
            if len(recent) >= CHECKS_AN_HOUR:
                return None
            self._begun[visitor] = [*recent, now]
            return secrets.token_urlsafe()

    def begin(self, session: str, visitor: str, external: str) -> None:
        with self._lock:
            self._checks[session] = {"visitor": visitor, "external": external, "decision": "wait"}

    def knows(self, visitor: str) -> bool:
        """Whether the visitor has begun a check."""
        with self._lock:
            return visitor in self._begun

    def decide(self, session: str, external: str, visitor: str, decision: str) -> str | None:
        """Keeps a decision for the check that Liveproof names so; the first one stays. None: the visitor has no
        such check."""
        with self._lock:
            if self._checks.get(session, {}).get("visitor") != visitor:
                return None
            return self._keep(session, external, decision)

    def handle(self, message: str, session: str, external: str, decision: str) -> str | None:
        """Is decide for a message, whose sender is Liveproof and not a visitor. The message counts as handled from
        the moment at which its decision is kept, and not before; one that comes again changes nothing."""
        with self._lock:
            if message in self._handled:
                return None
            kept = self._keep(session, external, decision)
            self._handled.add(message)  # in a database: in the transaction that keeps the decision
            return kept

    def decision(self, session: str, visitor: str) -> str | None:
        with self._lock:
            check = self._checks.get(session)
            return check["decision"] if check and check["visitor"] == visitor else None

    def _keep(self, session: str, external: str, decision: str) -> str | None:
        check = self._checks.get(session)
        if not check or check["external"] != external:
            return None
        if check["decision"] == "wait":
            check["decision"] = decision
        return check["decision"]
