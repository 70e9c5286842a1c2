"""What both command lines share: how a command is added and run, and where shared inputs lie (LIVEPROOF_SHARED)."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

SHARED = "LIVEPROOF_SHARED"
DETECTOR = "models/retinaface_mobilenet025.onnx"  # below the shared folder


def shared_folder() -> str:
    """The folder that LIVEPROOF_SHARED names; empty when it is not set."""
    return os.environ.get(SHARED, "")


def shared_path(folder: str, inside: str, what: str) -> Path:
    """FOLDER/INSIDE of a flag ``--shared``; raises FileNotFoundError when no folder is given."""
    if not folder:
        raise FileNotFoundError(f"{what} are read from FOLDER/{inside}: give --shared FOLDER or set {SHARED}")
    return Path(folder) / inside


def command(sub, name: str, run, summary: str, detail: str = "") -> argparse.ArgumentParser:
    description = f"{summary}. {detail}".strip()
    p = sub.add_parser(name, help=summary, description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.set_defaults(run=run)
    return p


def add_shared(p: argparse.ArgumentParser, holds: str) -> None:
    p.add_argument("--shared", default=shared_folder(), help=f"folder with {holds}; empty: none, {SHARED} is not set")


def add_detector(p: argparse.ArgumentParser, otherwise: str) -> None:
    default = shared_folder() and f"{shared_folder()}/{DETECTOR}"
    p.add_argument("--detector", default=default, help=f"RetinaFace ONNX file, {DETECTOR} of {SHARED} unless given; without: {otherwise}")


def run(parser: argparse.ArgumentParser, argv: list[str] | None) -> int:
    """Returns the exit code. An error that the user can correct is printed in one line, without a trace."""
    args = parser.parse_args(argv)
    try:
        args.run(args)
    except (FileExistsError, FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
