"""What every command shares: how a sub-parser is made and where the shared inputs lie."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def shared_folder() -> str:
    return os.environ.get("LIVEPROOF_SHARED", str(Path(__file__).resolve().parents[4] / "shared"))


def command(sub, name: str, run, summary: str, detail: str = "") -> argparse.ArgumentParser:
    p = sub.add_parser(name, help=summary, description=f"{summary}. {detail}".strip(),
                       formatter_class=argparse.ArgumentDefaultsHelpFormatter)  # fmt: skip
    p.set_defaults(run=run)
    return p
