"""From extracted or rendered crops to a model that the scorer loads."""

from __future__ import annotations

import argparse
import os
import sys

from liveproof_base import commandline

EPILOG = """the demo model, from portraits alone:

  python3 -m liveproof_render   crops    --out data/demo
  python3 -m liveproof_training train    --data data/demo --out out/demo
  python3 -m liveproof_training evaluate --model out/demo/final.pt --data data/demo --split test
  python3 -m liveproof_training export   --checkpoint out/demo/final.pt --data data/demo --out ../models

Run in training/ with the project's virtual environment (../.venv/bin/python3). Every command has --help.
"""
# Commands of earlier versions that the renderer has now.
MOVED = {"render": "crops", "render-dataset": "dataset", "render-video": "video", "render-media": "media", "sheet": "sheet"}


def parser() -> argparse.ArgumentParser:
    from . import commands  # loads PyTorch; see main

    formatter = argparse.RawDescriptionHelpFormatter
    p = argparse.ArgumentParser(prog="python3 -m liveproof_training", description=__doc__, epilog=EPILOG, formatter_class=formatter)
    sub = p.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for topic in commands.TOPICS:
        topic.add(sub)
    return p


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in MOVED:
        print(f"error: `{argv[0]}` is now `python3 -m liveproof_render {MOVED[argv[0]]}`, with the same flags", file=sys.stderr)
        return 2
    # OpenMP threads that spin at barriers waste half of a machine that others use too. Read when PyTorch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    return commandline.run(parser(), argv)
