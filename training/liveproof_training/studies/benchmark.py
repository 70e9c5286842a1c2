"""Calls of the Go program, which alone knows the datasets' layouts and protocols (docs/benchmarks.md)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

DATASETS = {"O": "oulu", "C": "casia", "I": "replay", "M": "msu"}
LEAVE_ONE_OUT = ("OCI-M", "OMI-C", "OCM-I", "ICM-O")


def program() -> Path:
    """``bin/liveproof`` of this checkout, or what LIVEPROOF_BIN names."""
    return Path(os.environ.get("LIVEPROOF_BIN", Path(__file__).resolve().parents[3] / "bin" / "liveproof"))


def call(*words: str) -> None:
    """Runs it with its own progress on the terminal; raises ValueError with the command where it fails."""
    binary = program()
    if not binary.is_file():
        raise FileNotFoundError(f"{binary} is missing: `make build` makes it, or set LIVEPROOF_BIN")
    code = subprocess.run([str(binary), *words]).returncode
    if code:
        raise ValueError(f"`liveproof {' '.join(words)}` ended with exit code {code}; its message is above")


def extract(dataset: str, root: Path, out: Path) -> None:
    """Crops of every video below ``root``; goes on where an interrupted call stopped."""
    call("extract", "--dataset", dataset, "--root", str(root), "--out", str(out))


def protocol(name: str, population: str, extracted: list[Path], out: Path) -> None:
    """``out``: which video is train, dev, test in this protocol."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    call("protocol", "--name", name, "--population", population, "--extracted", ",".join(map(str, extracted)), "--out", str(partial))
    os.replace(partial, out)


def datasets(name: str) -> list[str]:
    """Data sets that a protocol needs: of ``OCI-M`` all four, of ``oulu-3`` one."""
    if name.startswith("oulu-"):
        return ["oulu"]
    letters = name.replace("-", "")
    if sorted(letters) != sorted(DATASETS):
        raise ValueError(f"{name}: no such protocol; there are oulu-1, oulu-2, oulu-3, oulu-4 (six folds each: oulu-3.1 …) "
                         f"and {', '.join(LEAVE_ONE_OUT)}")  # fmt: skip
    return [DATASETS[letter] for letter in letters]


def folds(name: str) -> list[str]:
    """OULU-NPU's protocols 3 and 4 have one fold per phone; all others are their own only fold."""
    return [f"{name}.{k}" for k in range(1, 7)] if name in ("oulu-3", "oulu-4") else [name]
