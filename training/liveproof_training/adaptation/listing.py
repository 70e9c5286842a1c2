"""The user's table of pictures and clips, in the form of ``liveproof evaluate --csv`` (docs/evaluation.md)."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path, PurePosixPath

NAMES = {
    "filename": ("filename", "file"),
    "attack_type": ("attack_type",),
    "label": ("label",),
    "series": ("series", "subject"),
    "set": ("set", "split"),
}
SETS = {
    "train": ("train", "training"),
    "dev": ("dev", "devel", "development", "validation", "val"),
    "eval": ("eval", "evaluation", "test"),
    "": ("",),
}
BONA_FIDE_WORDS = ("bonafide", "bona_fide", "bona fide", "bona-fide", "real", "live", "genuine", "none", "0", "1", "true", "false")
SOME_ATTACK = "attack"  # the attack type of a table that has labels only
TOLD = 20  # faulty rows that the message names
LARGEST = 16 << 20  # bytes of a table


class BadTable(ValueError):
    """What is wrong with the table, a line for each faulty row."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """One file."""

    name: str  # as the table has it
    path: Path
    attack: str  # attack type, empty for bona fide
    series: str
    set: str  # train, dev, eval; empty: not said
    columns: dict[str, str]  # the whole row

    @property
    def label(self) -> int:
        """1 bona fide, 0 attack."""
        return int(not self.attack)


@dataclasses.dataclass(frozen=True)
class Listing:
    """``grouped``: the table says which files belong together."""

    entries: list[Entry]
    grouped: bool


def read(table: Path, root: Path) -> Listing:
    """Raises BadTable, FileNotFoundError."""
    if not table.is_file():
        raise FileNotFoundError(f"{table}: no such table; it lists the files as filename,attack_type and, better, series")
    header, rows = _rows(table)
    places = _places(table, header)
    entries, faults, seen = [], [], {}
    for line, words in rows:
        try:
            entry = _entry(header, words, places, root)
            if entry.path in seen:
                raise ValueError(f"{entry.name} is in line {seen[entry.path]} already")
            seen[entry.path] = line
            entries.append(entry)
        except ValueError as error:
            faults.append(f"{table}:{line}: {error}")
    faults += [] if faults else _straddling(table, entries)
    if faults:
        more = [f"and {len(faults) - TOLD} more"] if len(faults) > TOLD else []
        raise BadTable("\n".join(faults[:TOLD] + more))
    if not entries:
        raise BadTable(f"{table}: lists no file")
    return Listing(entries, "series" in places)


def _rows(table: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """(header, [(line, fields)]) without empty lines."""
    if table.stat().st_size > LARGEST:
        raise BadTable(f"{table}: larger than {LARGEST >> 20} MB; is it the table?")
    try:
        reader = csv.reader(io.StringIO(table.read_text(encoding="utf-8-sig"), newline=""), strict=True)
        rows = [(reader.line_num, [word.strip() for word in words]) for words in reader if any(words)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadTable(f"{table}: not a table in UTF-8 with commas: {error}") from None
    if not rows:
        raise BadTable(f"{table}: is empty")
    return rows[0][1], rows[1:]


def _places(table: Path, header: list[str]) -> dict[str, int]:
    """Where each known column is; the first of its names wins."""
    lower = [name.lower() for name in header]
    places = {meaning: lower.index(name) for meaning, names in NAMES.items() for name in reversed(names) if name in lower}
    if "filename" not in places:
        raise BadTable(f"{table}:1: there is no column filename")
    if "attack_type" not in places and "label" not in places:
        raise BadTable(f"{table}:1: there is neither a column attack_type (empty for bona fide) nor label (1 bona fide, 0 attack)")
    return places


def _entry(header: list[str], words: list[str], places: dict[str, int], root: Path) -> Entry:
    if len(words) != len(header):
        raise ValueError(f"{len(words)} fields instead of {len(header)}")
    said = {meaning: words[at] for meaning, at in places.items()}
    path = _file(root, said["filename"])
    series = said.get("series", said["filename"])
    if not series:
        raise ValueError("series is empty: files of one person or capture must share a name, whatever it is")
    return Entry(said["filename"], path, _attack(said), series, _set(said.get("set", "")), dict(zip(header, words)))


def _file(root: Path, name: str) -> Path:
    if not name:
        raise ValueError("filename is empty")
    local = PurePosixPath(name)
    if local.is_absolute() or ".." in local.parts or "\0" in name:
        raise ValueError(f"{name} leaves the root: write it relative to {root}")
    path = root / local
    if not path.is_file():
        raise ValueError(f"{name}: there is no such file in {root}")
    return path


def _attack(said: dict[str, str]) -> str:
    attack, label = said.get("attack_type", ""), said.get("label")
    if attack.lower() in BONA_FIDE_WORDS:
        raise ValueError(f"attack_type {attack!r}: name the kind of attack, such as print, and leave it empty for bona fide")
    if label is None:
        return attack
    if label not in ("0", "1"):
        raise ValueError(f"label {label!r} is neither 1 (bona fide) nor 0 (attack)")
    if "attack_type" not in said:
        return "" if label == "1" else SOME_ATTACK
    if (label == "1") != (attack == ""):
        raise ValueError(f"label {label} and attack_type {attack!r} contradict each other")
    return attack


def _set(word: str) -> str:
    for name, words in SETS.items():
        if word.lower() in words:
            return name
    raise ValueError(f"set {word!r} is not train, dev or eval")


def _straddling(table: Path, entries: list[Entry]) -> list[str]:
    """A series on both sides would be measured on what was learned by heart."""
    sets: dict[str, set[str]] = {}
    for entry in entries:
        sets.setdefault(entry.series, set()).add(entry.set or "train")
    return [
        f"{table}: series {name} is in the sets {' and '.join(sorted(of))}: give all its files the same" for name, of in sets.items() if len(of) > 1
    ]
