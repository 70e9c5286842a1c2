"""The tables that the trainer shares with Go (docs/benchmarks.md): a row a crop, a row a video."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from . import columns

RENDERED = "RENDERED.txt"  # beside a manifest or in a dataset's root: made by the renderer, in whatever layout
SPLITS = ("train", "dev", "test")
SPECIES = ("none", "print", "cut", "replay")  # presentation attack instrument species; none: bona fide


@dataclasses.dataclass(frozen=True)
class Row:
    """One crop. Boxes and landmarks in pixels of the frame; None where not known."""

    crop: str  # a picture file below the folder, or FILE.npy#ROW
    dataset: str
    split: str
    subject: str
    session: str
    camera: str
    pai: str
    instrument: str
    label: int  # 1 bona fide, 0 attack
    domain: str
    video: str  # unique within the dataset
    frame: int | None
    time: float | None  # seconds
    face_score: float | None
    box_x1: float | None
    box_y1: float | None
    box_x2: float | None
    box_y2: float | None
    left_eye_x: float | None
    left_eye_y: float | None
    right_eye_x: float | None
    right_eye_y: float | None
    nose_x: float | None
    nose_y: float | None
    left_mouth_x: float | None
    left_mouth_y: float | None
    right_mouth_x: float | None
    right_mouth_y: float | None
    sharpness: float | None
    brightness: float | None
    sha256: str  # of the decoded crop's bytes


@dataclasses.dataclass(frozen=True)
class Use:
    """What one protocol does with one video."""

    dataset: str
    video: str
    role: str  # train | dev | test
    domain: int  # from 0 for the adversary, -1 none
    label: int
    pai: str
    instrument: str
    camera: str


def read(folder: Path) -> columns.Rows:
    """FOLDER/manifest.csv. Raises ValueError naming file, line and column of the first bad value."""
    path = folder / "manifest.csv"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: make it with `liveproof extract --out {folder}` or `python3 -m "
            f"liveproof_render crops --out {folder}`; it appears when all crops are there"
        )
    table = {f.name: (_COLUMNS.get(f.name) or _KINDS[f.type])() for f in dataclasses.fields(Row)}
    appends, seen = [column.append for column in table.values()], set()
    for number, values in enumerate(_table(path, Row), start=1):
        if values[0] in seen:  # crop comes first
            raise ValueError(f"{path}: column crop: {values[0]!r} is listed twice (row {number})")
        seen.add(values[0])
        for append, value in zip(appends, values):
            append(value)
    if not seen:
        raise ValueError(f"{path}: no crops")
    return columns.Rows(Row, table, len(seen))


def read_protocol(path: Path) -> dict[tuple[str, str], Use]:
    """(dataset, video) -> Use, in the file's order."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such protocol; `liveproof protocol NAME --out {path}` writes one")
    uses: dict[tuple[str, str], Use] = {}
    for number, values in enumerate(_table(path, Use), start=1):
        use = Use(*values)
        key = (use.dataset, use.video)
        if key in uses:
            raise ValueError(f"{path}: column video: {use.dataset} {use.video} is listed twice (row {number})")
        uses[key] = use
    return uses


def _table(path: Path, kind: type) -> Iterator[list]:
    """The values of ``kind``'s fields, row by row. Columns by name, in any order; others are ignored."""
    names = [f.name for f in dataclasses.fields(kind)]
    label, pai = names.index("label"), names.index("pai")
    parsers = [(f.name, _PARSERS.get(f.name) or _BY_TYPE[f.type]) for f in dataclasses.fields(kind)]
    with path.open(newline="", encoding="utf-8") as f:
        reader = csv.reader(f)
        header = next(reader, [])
        missing = [name for name, _ in parsers if name not in header]
        if missing:
            raise ValueError(f"{path}: line 1: no column {', '.join(missing)}")
        places = [(name, header.index(name), parse) for name, parse in parsers]
        for words in filter(None, reader):
            values = _values(path, reader.line_num, words, places)
            if (values[pai] == "none") != (values[label] == 1):
                raise ValueError(f"{path}: line {reader.line_num}: column label: {values[label]} does not go with pai {values[pai]}")
            yield values


def _values(path: Path, line: int, words: list[str], places) -> list:
    values = []
    for name, at, parse in places:
        try:
            values.append(parse(words[at]))
        except IndexError:
            raise ValueError(f"{path}: line {line}: column {name}: the row ends before it") from None
        except ValueError as error:
            raise ValueError(f"{path}: line {line}: column {name}: {error}") from None
    return values


def _one_of(*choices: str):
    def parse(word: str) -> str:
        if word not in choices:
            raise ValueError(f"{word!r} is not one of {', '.join(choices)}")
        return word

    return parse


def _named(word: str) -> str:
    if not word:
        raise ValueError("is empty")
    return word


def _crop(word: str) -> str:
    path = PurePosixPath(_named(word))
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{word!r} does not lie below the manifest's folder")
    return word


def _whole(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise ValueError(f"{word!r} is not a whole number") from None


def _label(word: str) -> int:
    if word not in ("0", "1"):
        raise ValueError(f"{word!r} is neither 1 (bona fide) nor 0 (attack)")
    return int(word)


def _number(word: str) -> float:
    value = float(word) if _is_number(word) else math.nan
    if not math.isfinite(value):
        raise ValueError(f"{word!r} is not a finite number")
    return value


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


_PARSERS = {
    "crop": _crop,
    "dataset": _named,
    "split": _one_of(*SPLITS),
    "role": _one_of(*SPLITS),
    "pai": _one_of(*SPECIES),
    "label": _label,
    "video": _named,
}
_BY_TYPE = {
    "str": str,
    "int": _whole,
    "int | None": lambda word: _whole(word) if word else None,
    "float | None": lambda word: _number(word) if word else None,
}
# How the manifest's columns are kept.
_COLUMNS = {"crop": columns.Names, "sha256": columns.Names}
_KINDS = {
    "str": columns.Words,
    "int": lambda: columns.Numbers(whole=True),
    "int | None": lambda: columns.Numbers(whole=True),
    "float | None": lambda: columns.Numbers(whole=False),
}
