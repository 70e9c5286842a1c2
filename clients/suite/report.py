"""The table of docs/clients.md, and the snippets in it, which are the files that run."""

from __future__ import annotations

import re

from .attempt import Outcome
from .clients import REPOSITORY, Client

PAGE = REPOSITORY / "docs/clients.md"
LANGUAGES = {".py": "python", ".sh": "sh", ".mjs": "js", ".js": "js"}


def cell(outcome: Outcome | None) -> str:
    if outcome is None:
        return "–"
    if outcome.verdict in ("", "pending"):
        return f"no verdict ({outcome.state})"
    parts = [outcome.verdict]
    if outcome.verdict == "inconclusive":
        parts[0] += f" ({', '.join(outcome.reasons)})"
    if outcome.scored:
        parts.append(f"ρ {outcome.rho:.2f}")
    if outcome.seconds is not None and outcome.scored:
        parts.append(f"{outcome.seconds:.1f} s")
    return ", ".join(parts)


def table(clients: list[Client], cameras: list[str], outcomes: list[Outcome]) -> str:
    rows = [f"| client | version | codec | {' | '.join(cameras)} |", f"|{'---|' * (3 + len(cameras))}"]
    by_run = {(o.client, o.codec, o.camera): o for o in outcomes}
    for client in clients:
        for codec in client.codecs:
            cells = [by_run.get((client.name, codec, camera)) for camera in cameras]
            if any(cells):
                rows.append(f"| {client.title} | {client.version()} | {codec} | {' | '.join(map(cell, cells))} |")
    return "\n".join(rows)


def page(text: str, rows: str | None) -> str:
    """The page with its snippets as the files have them now and, unless rows is None, with a new table."""
    text = re.sub(r"(<!-- (\S+) -->\n)```.*?\n```\n", lambda m: m[1] + snippet(m[2]), text, flags=re.DOTALL)
    if rows is not None:
        text = re.sub(r"(<!-- table -->\n).*?(?=<!-- end of table -->)", lambda m: f"{m[1]}{rows}\n", text, flags=re.DOTALL)
    return text


def snippet(file: str) -> str:
    path = REPOSITORY / file
    return f"```{LANGUAGES[path.suffix]}\n{path.read_text().strip()}\n```\n"


def write(rows: str | None) -> None:
    PAGE.write_text(page(PAGE.read_text(), rows))


def stale() -> bool:
    """Whether a snippet of the page is not what runs."""
    text = PAGE.read_text()
    return page(text, None) != text
