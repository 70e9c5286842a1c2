"""Films a whole benchmark: every row of ``plan.csv`` (docs/benchmarks.md) becomes a video at its path.

Each dataset has cameras, printers and displays of its own (their keys carry its name), each subject a portrait of
their own, each session its light; so loaders, protocols and domain labels meet what they would meet in the real ones.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
from pathlib import Path

import cv2
import numpy as np

from liveproof_base import manifest, processes, progress, video, whole

from . import content, devices, draw, film, geometry, media, portraits
from .ingredients import ALL

ROOM = 1.9  # of a portrait that may fill a frame
NOTICE = "Rendered from generated portraits, in the layout of the dataset: no recording of anybody. Good for tests and studies of method only.\n"


@dataclasses.dataclass(frozen=True)
class Row:
    """A video of the plan; other columns of plan.csv are not needed to film it."""

    path: str
    dataset: str
    session: str
    camera: str
    pai: str
    device: str  # printer or display; empty for bona fide
    moving: bool  # what is shown moves: a person, or a video of one
    fixed: bool  # the medium stands, nobody holds it
    person: int  # a number of their own among the people of all datasets
    width: int
    height: int
    rate: float
    rotate: int  # degrees: 180 for the clips that are stored upside down


COLUMNS = tuple(f.name for f in dataclasses.fields(Row))


def read_plan(path: Path) -> list[Row]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: `liveproof layout --dataset … --out {path.parent}` writes it")
    with path.open(newline="") as f:
        reader = csv.DictReader(f)
        missing = [c for c in COLUMNS if c not in (reader.fieldnames or [])]
        if missing:
            raise ValueError(f"{path}: no column {', '.join(missing)}; `liveproof layout` of this checkout writes them")
        return [_row(path, number, r) for number, r in enumerate(reader, start=2)]


def _row(path: Path, line: int, r: dict[str, str]) -> Row:
    try:
        row = Row(*(_PARSERS.get(c, str)(r[c]) for c in COLUMNS))
    except ValueError as error:
        raise ValueError(f"{path}:{line}: {error}") from error
    if row.pai not in media.KINDS or row.rotate not in (0, 180) or ".." in Path(row.path).parts:
        raise ValueError(f"{path}:{line}: pai, rotate or path is not as docs/benchmarks.md has it")
    return row


def _flag(word: str) -> bool:
    if word not in ("0", "1"):
        raise ValueError(f"{word!r} is neither 0 nor 1")
    return word == "1"


_PARSERS = {
    "moving": _flag,
    "fixed": _flag,
    "person": int,
    "width": int,
    "height": int,
    "rate": float,
    "rotate": lambda word: int(word or 0),
}


@dataclasses.dataclass(frozen=True)
class Production:
    root: Path
    faces: Path
    frames: int
    seed: int


def cast(folder: Path) -> list[portraits.Portrait]:
    """Portraits with enough around the face to fill a frame; in a tighter one the mirrored border would show a second face."""
    items = portraits.read(folder)
    return [p for p in items if p.room >= ROOM] or items


def portrait_of(row: Row, items: list[portraits.Portrait]) -> portraits.Portrait:
    """Where there are as many portraits as people, no portrait is two people."""
    order = sorted(items, key=lambda p: hashlib.sha256(p.path.name.encode()).hexdigest())
    return order[row.person % len(order)]


def device_of(row: Row):
    """The printer or display."""
    return devices.instrument(row.pai, f"{row.dataset}/{row.device}")


def settle(row: Row, picture: content.Content, seed: int) -> film.Setting:
    """Camera, light, pose and medium of one video."""
    rng, medium_rng = (np.random.default_rng(s) for s in np.random.SeedSequence([seed, *row.path.encode()]).spawn(2))
    session = devices.generator("session", f"{row.dataset}/{row.session}")
    camera = devices.camera(f"{row.dataset}/{row.camera}").shot(rng).still_standing()
    camera = dataclasses.replace(
        camera,
        balance=tuple(float(g) for g in np.exp(session.normal(0, 0.08, 3) + rng.normal(0, 0.02, 3))),
        exposure=float(np.clip(session.normal(0.45, 0.09) + rng.normal(0, 0.02), 0.25, 0.65)),
        shade=draw.uniform(session, 0, 0.45),
    )
    face = draw.uniform(rng, 0.36, 0.5) * min(row.height, 1.1 * row.width)
    pose = geometry.Pose.sample(rng, face / picture.face.height)
    held = 0.3 if row.fixed else None
    return film.Setting(
        camera=camera,
        pose=dataclasses.replace(pose, bend=pose.bend if row.pai == "print" else 0.0),
        hand=film.Hand.sample(rng, held),
        medium=media.present(row.pai, medium_rng, picture.face, device_of(row)),
        centre=picture.face.centre,
        size=(row.height, row.width),
    )


def shoot(row: Row, production: Production, items: list[portraits.Portrait]) -> None:
    """Films one row; a file that is there is whole and stays."""
    target = production.root / row.path
    if target.exists():
        return
    portrait = portrait_of(row, items)
    rng = np.random.default_rng([production.seed, 2, *row.path.encode()])
    style = dataclasses.replace(content.ContentStyle.sample(rng, ALL.without("distractors")), flip=False)
    picture = content.degrade(content.cut(portrait.load(), portrait.face, 2.6), style)
    setting, head = settle(row, picture, production.seed), film.Hand.sample(rng, 0.05 * picture.face.side)
    writer = video.Writer(target, row.width, row.height, row.rate)
    for n in range(production.frames):
        t = n / row.rate
        shown = film.animate(picture.image, picture.face, head.at(t)[:2]) if row.moving else picture.image
        frame = setting.frame(shown, t, rng)
        writer.write(cv2.rotate(frame, cv2.ROTATE_180) if row.rotate == 180 else frame)
    writer.close()


def shoot_all(production: Production, workers: int) -> int:
    """Films what is not there yet; returns the number of videos of the plan."""
    rows, items = read_plan(production.root / "plan.csv"), cast(production.faces)
    whole.text(production.root / manifest.RENDERED, NOTICE)
    bar = progress.Progress(f"film {production.root.name}", len(rows))
    for _ in processes.spread(_one, rows, workers, _start, (production, items), chunk=2):
        bar.step()
    return len(rows)


_production: Production | None = None  # per worker process
_items: list[portraits.Portrait] = []


def _start(production: Production, items: list[portraits.Portrait]) -> None:
    global _production, _items
    cv2.setNumThreads(1)
    _production, _items = production, items


def _one(row: Row) -> None:
    shoot(row, _production, _items)
