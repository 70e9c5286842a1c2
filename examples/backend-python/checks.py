"""What the backend remembers, and the decision of this business."""

from __future__ import annotations

import threading


class Checks:
    """Whose checks run, what was decided, and which messages were handled. It stands in for your database: it
    forgets all when the program ends, and nothing before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._decisions: dict[tuple[str, str], str] = {}  # by the session's id and its visitor
        self._handled: set[str] = set()  # ids of webhooks

    def begin(self, session: str, visitor: str) -> None:
        with self._lock:
            self._decisions[session, visitor] = "wait"

    def decide(self, session: str, visitor: str, result: str) -> str | None:
        """Turns the result into a decision, and accepts only a pass; the first one stays. None: the visitor has
        no such check."""
        with self._lock:
            if self._decisions.get((session, visitor)) == "wait":
                self._decisions[session, visitor] = {"pass": "accept", "fail": "reject"}.get(result, "retry")
            return self._decisions.get((session, visitor))

    def decision(self, session: str, visitor: str) -> str | None:
        with self._lock:
            return self._decisions.get((session, visitor))

    def first(self, message: str) -> bool:
        """Whether this message has not been handled before."""
        with self._lock:
            known = message in self._handled
            self._handled.add(message)
            return not known
