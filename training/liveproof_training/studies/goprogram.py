"""Calls of the Go program, which alone knows the datasets, their layouts and protocols (docs/benchmarks.md)."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from pathlib import Path


def program() -> Path:
    """``bin/liveproof`` of this checkout, or what LIVEPROOF_BIN names."""
    return Path(os.environ.get("LIVEPROOF_BIN", Path(__file__).resolve().parents[3] / "bin" / "liveproof"))


def call(*words: str) -> None:
    """Runs it with its own progress on the terminal; raises ValueError with the command where it fails."""
    _run(words)


def _run(words: tuple[str, ...], **options) -> subprocess.CompletedProcess:
    binary = program()
    if not binary.is_file():
        raise FileNotFoundError(f"{binary} is missing: `make build` makes it, or set LIVEPROOF_BIN")
    done = subprocess.run([str(binary), *words], **options)
    if done.returncode:
        raise ValueError(f"`liveproof {' '.join(words)}` ended with exit code {done.returncode}; its message is above")
    return done


def extract(dataset: str, root: Path, out: Path) -> None:
    """Extracts crops of every video below ``root``; continues where an interrupted call stopped."""
    call("extract", "--dataset", dataset, "--root", str(root), "--out", str(out))


def write_protocol(name: str, population: str, extracted: list[Path], out: Path) -> None:
    """``out``: which video is train, dev, test in this protocol."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    call("protocol", "--name", name, "--population", population, "--extracted", ",".join(map(str, extracted)), "--out", str(partial))
    os.replace(partial, out)


@dataclasses.dataclass(frozen=True)
class Protocol:
    name: str
    datasets: tuple[str, ...]  # that it needs, those of training first
    folds: tuple[str, ...]  # protocols with one table each; most are their own only fold
    cross: bool  # trained on some datasets, tested on others


@dataclasses.dataclass(frozen=True)
class Listing:
    """All datasets and protocols that the Go program knows."""

    datasets: tuple[str, ...]
    protocols: dict[str, Protocol]
    populations: tuple[str, ...]  # of the cross protocols, the default first

    def find(self, name: str) -> Protocol:
        """A protocol, or one fold of one (oulu-3.1)."""
        if name in self.protocols:
            return self.protocols[name]
        for whole in self.protocols.values():
            if name in whole.folds:
                return dataclasses.replace(whole, name=name, folds=(name,))
        raise ValueError(f"{name}: no such protocol; there are {', '.join(self.protocols)}, and the folds of some: name.1 …")

    def cross(self) -> list[str]:
        return [name for name, protocol in self.protocols.items() if protocol.cross]

    def needed(self, names: list[str]) -> list[str]:
        """Datasets of these protocols, in the listing's order."""
        needed = {dataset for name in names for dataset in self.find(name).datasets}
        return [dataset for dataset in self.datasets if dataset in needed]


def listing() -> Listing:
    done = _run(("protocol", "--list", "--json"), stdout=subprocess.PIPE, text=True)
    try:
        return parse(json.loads(done.stdout))
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{program()}: `protocol --list --json` is not as expected ({error!r}): build it from this checkout") from None


def parse(told: dict) -> Listing:
    """Fields that are not read here may be there."""
    protocols = [_protocol(p) for p in told["protocols"]]
    return Listing(tuple(d["name"] for d in told["datasets"]), {p.name: p for p in protocols}, tuple(told["populations"]))


def _protocol(p: dict) -> Protocol:
    datasets = tuple(dict.fromkeys([*p["train"], *p["test"]]))
    return Protocol(p["name"], datasets, tuple(p.get("folds") or [p["name"]]), p["kind"] == "cross")
