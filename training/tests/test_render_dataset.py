"""Benchmarks are filmed in their own layout, with devices and people of their own."""

import csv

import numpy as np
import pytest
from synthetic import write_faces

from liveproof_base import manifest, video
from liveproof_render import cli, dataset, portraits

COLUMNS = ("path", "video", "dataset", "split", "subject", "session", "camera", "pai", "instrument", "label", "width", "height", "rate", "rotate")
ROWS = [
    ("Train_files/1_1_01_1.avi", "oulu", "01", "1", "1", "none", "", 0),
    ("Train_files/1_1_01_2.avi", "oulu", "01", "1", "1", "print", "print1", 0),
    (
        "train/attack/hand/attack_highdef_client001_session01_highdef_video_adverse.mov",
        "replay",
        "001",
        "adverse",
        "webcam",
        "replay",
        "highdef_video_hand",
        0,
    ),
    ("scene01/real/real_client003_android_SD_scene01.mp4", "msu", "003", "1", "android", "none", "", 180),
    ("train_release/1/HR_3.avi", "casia", "1", "1", "HR", "cut", "cut", 0),
]


def write_plan(root, rows=ROWS):
    root.mkdir(parents=True, exist_ok=True)
    with (root / "plan.csv").open("w", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS, restval="")
        writer.writeheader()
        for path, name, subject, session, camera, pai, instrument, rotate in rows:
            writer.writerow(
                dict(
                    path=path,
                    dataset=name,
                    subject=subject,
                    session=session,
                    camera=camera,
                    pai=pai,
                    instrument=instrument,
                    width=96,
                    height=64,
                    rate=10,
                    rotate=rotate,
                    split="train",
                    label=int(pai == "none"),
                )
            )


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    write_faces(folder / "faces", grids=8, per_grid=2)
    write_plan(folder / "root")
    args = ["dataset", "--root", str(folder / "root"), "--shared", str(folder), "--frames", "4", "--workers", "2"]
    assert cli.main(args) == 0
    return folder, args


def test_every_row_becomes_a_video(filmed):
    root = filmed[0] / "root"
    for path, *_ in ROWS:
        clip = video.probe(root / path)
        assert (clip.width, clip.height, clip.frames) == (96, 64, 4), path
    assert "generated portraits" in (root / manifest.RENDERED).read_text()
    assert list(root.rglob("*partial*")) == []


def test_a_second_run_keeps_what_is_there_and_films_the_rest_alike(filmed):
    folder, args = filmed
    first, second = (folder / "root" / path for path, *_ in ROWS[:2])
    kept, lost = first.stat().st_mtime_ns, second.read_bytes()
    second.unlink()
    assert cli.main(args) == 0
    assert first.stat().st_mtime_ns == kept and second.read_bytes() == lost


def test_upside_down_clips_are_stored_upside_down(filmed, tmp_path):
    folder, args = filmed
    plain = [(*row[:-1], 0) for row in ROWS if row[-1] == 180]
    write_plan(tmp_path / "root", plain)
    assert cli.main([*args[:2], str(tmp_path / "root"), *args[3:]]) == 0
    upright, turned = (next(video.read(video.probe(root / plain[0][0]), 1)) for root in (tmp_path / "root", folder / "root"))
    assert np.abs(turned[::-1, ::-1].astype(int) - upright).mean() < 3


def test_subjects_and_devices_are_apart(filmed):
    items = portraits.read(filmed[0] / "faces")
    rows = dataset.read_plan(filmed[0] / "root" / "plan.csv")
    assert dataset.portrait_of(rows[0], items) == dataset.portrait_of(rows[1], items)
    assert dataset.device_of(rows[2]) == dataset.device_of(dataset.dataclasses.replace(rows[2], instrument="highdef_video_fixed"))
    assert dataset.device_of(rows[0]) is None


@pytest.mark.parametrize(
    "change, message", [({"path": "../x.avi"}, "plan.csv:2"), ({"width": "wide"}, "plan.csv:2"), ({"pai": "mask"}, "plan.csv:2")]
)
def test_a_bad_plan_is_named(tmp_path, change, message):
    write_plan(tmp_path, ROWS[:1])
    with (tmp_path / "plan.csv").open(newline="") as f:
        rows = [{**r, **change} for r in csv.DictReader(f)]
    with (tmp_path / "plan.csv").open("w", newline="") as f:
        writer = csv.DictWriter(f, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(ValueError, match=message):
        dataset.read_plan(tmp_path / "plan.csv")


def test_a_missing_plan_says_who_writes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="liveproof layout"):
        dataset.read_plan(tmp_path / "plan.csv")
