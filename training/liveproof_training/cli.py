"""From portraits (or extracted crops) to a model that the scorer loads."""

from __future__ import annotations

import argparse
import sys

from . import commands

EPILOG = """the demo model, from portraits alone:

  python3 -m liveproof_training render   --out data/demo
  python3 -m liveproof_training train    --data data/demo --out out/demo
  python3 -m liveproof_training evaluate --model out/demo/final.pt --data data/demo --split test
  python3 -m liveproof_training export   --checkpoint out/demo/final.pt --data data/demo --out ../models

attacks on a clip, filmed by a virtual camera:

  python3 -m liveproof_training render-video --attack replay --in me.mp4 --out attack.mkv

Run in training/ with the project's virtual environment (../.venv/bin/python3). Every command has --help.
"""


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="python3 -m liveproof_training", description=__doc__, epilog=EPILOG,
                                formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    sub = p.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for topic in commands.TOPICS:
        topic.add(sub)
    return p


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        args.run(args)
    except (FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
