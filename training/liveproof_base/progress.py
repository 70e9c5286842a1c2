"""One line of progress with the time left, on a terminal in place, else every half minute."""

from __future__ import annotations

import sys
import time


class Progress:
    def __init__(self, what: str, total: int, every_s: float = 30.0):
        self.what, self.total, self.done = what, total, 0
        self.start = self.last = time.monotonic()
        self.every = 0.5 if sys.stderr.isatty() else every_s

    def step(self, count: int = 1, note: str = "") -> None:
        self.done += count
        now = time.monotonic()
        if now - self.last < self.every and self.done < self.total:
            return
        self.last = now
        rate = self.done / max(1e-9, now - self.start)
        left = (self.total - self.done) / max(1e-9, rate)
        end = "\r" if sys.stderr.isatty() and self.done < self.total else "\n"
        line = f"{self.what} {self.done}/{self.total}  {rate:.1f}/s  {left / 60:.1f} min left  {note}"
        print(line, end=end, file=sys.stderr, flush=True)
