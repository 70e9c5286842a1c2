#!/usr/bin/env python3
"""Publishes recordings of people through clients that others wrote, to the real server, and prints a table of what came out.

make test-clients             every client, codec and camera, under 15 minutes; writes the table of docs/clients.md
clients/run.py --quick        what CI runs: the clients that are installed in seconds
clients/run.py --only NAME    one client (may be repeated); `--list` names them
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from suite import cameras, report
from suite.attempt import Outcome, attempt
from suite.clients import CLIENTS, Client, lacking
from suite.server import Server, serve

IN_ALL = 13.5 * 60  # seconds, after which nothing more is started


def main() -> int:
    options = arguments()
    if options.list:
        print(*(c.name for c in CLIENTS), sep="\n")
        return 0
    if report.stale():
        report.write(None)
        print(f"{report.PAGE}: a snippet was not the file that runs; it is now")
        return 1
    if absent := cameras.missing():
        print(f"SKIPPED clients: no {', '.join(map(str, absent))} (LIVEPROOF_SHARED names the folder)")
        return 0
    chosen, skipped = choose(options)
    with tempfile.TemporaryDirectory(prefix="liveproof-cameras-") as folder, serve() as server:
        outcomes = run(server, plan(chosen, options.quick, Path(folder)))
    return conclude(chosen, skipped, outcomes, options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only what CI runs")
    parser.add_argument("--only", action="append", default=[], choices=[c.name for c in CLIENTS], metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--write", action="store_true", help="write the table of docs/clients.md")
    return parser.parse_args()


def choose(options: argparse.Namespace) -> tuple[list[Client], list[Client]]:
    """The clients to run, and those that cannot run here; says why they cannot."""
    wanted = [c for c in CLIENTS if (not options.only or c.name in options.only) and (c.quick or not options.quick)]
    skipped = [c for c in wanted if lacking(c)]
    for client in skipped:
        print(f"SKIPPED client {client.name}: {lacking(client)}")
    return [c for c in wanted if c not in skipped], skipped


def plan(clients: list[Client], quick: bool, folder: Path) -> list[tuple[Client, str, cameras.Camera]]:
    people, attacks = cameras.prepare(cameras.PEOPLE, folder), cameras.prepare(cameras.ATTACKS, folder)
    if quick:  # one camera for each, in turn
        return [(c, codec, people[i % len(people)]) for i, (c, codec) in enumerate((c, codec) for c in clients for codec in c.quick)]
    return [(c, codec, camera) for c in clients for codec in c.codecs for camera in people + (attacks if c.attacks else [])]


def run(server: Server, runs: list[tuple[Client, str, cameras.Camera]]) -> list[Outcome]:
    start, outcomes = time.monotonic(), []
    for i, (client, codec, camera) in enumerate(runs, 1):
        print(f"{i}/{len(runs)}  {client.name} {codec} {camera.name}: ", end="", flush=True)
        late = time.monotonic() - start > IN_ALL
        outcome = Outcome(client.name, codec, camera.name) if late else tried(server, client, codec, camera)
        print(report.cell(outcome), flush=True)
        if outcome.trouble and camera.name in cameras.PEOPLE:
            print("    " + outcome.trouble.replace("\n", "\n    "), flush=True)
        outcomes.append(outcome)
    print(f"{len(runs)} runs in {time.monotonic() - start:.0f} s")
    return outcomes


def tried(server: Server, client: Client, codec: str, camera: cameras.Camera) -> Outcome:
    """A request that the server refuses or leaves unanswered is that run's outcome, and not the end of the suite."""
    try:
        return attempt(server, client, codec, camera)
    except OSError as err:
        return Outcome(client.name, codec, camera.name, state=f"the server: {err}")


def conclude(clients: list[Client], skipped: list[Client], outcomes: list[Outcome], options: argparse.Namespace) -> int:
    rows = report.table(clients, [*cameras.PEOPLE, *({} if options.quick else cameras.ATTACKS)], outcomes)
    print(f"\n{rows}\n")
    if options.write and not skipped and not options.only:
        report.write(rows)
    elif options.write:
        print(f"{report.PAGE} is left as it is: not every client ran")
    wrong = [o for o in outcomes if o.camera in cameras.PEOPLE and not o.right()]
    for o in wrong:
        print(f"WRONG {o.client} {o.codec} {o.camera}: {report.cell(o)}")
    print(f"{len(outcomes) - len(wrong)} passed, {len(wrong)} failed, {len(skipped)} skipped")
    return 1 if wrong or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
