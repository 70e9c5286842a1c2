"""Benchmarks are filmed in their own layout, with devices and people of their own."""

import csv
import dataclasses

import numpy as np
import pytest
from synthetic import write_faces

from liveproof_base import manifest, video
from liveproof_render import cli, dataset, portraits

REPLAYED = "train/attack/hand/attack_highdef_client001_session01_highdef_video_adverse.mov"
# As `liveproof layout` writes plan.csv; columns that the renderer does not read are there, too.
PLAN = f"""\
path,dataset,split,subject,session,camera,pai,instrument,label,width,height,rate,rotate,device,moving,fixed,person
Train_files/1_1_01_1.avi,oulu,train,01,1,1,none,,1,96,64,10,0,,1,0,1
Train_files/1_1_01_2.avi,oulu,train,01,1,1,print,print1,0,96,64,10,0,print1,0,0,1
{REPLAYED},replay,train,001,adverse,webcam,replay,highdef_video_hand,0,96,64,10,0,highdef_video,1,0,112
scene01/real/real_client003_android_SD_scene01.mp4,msu,train,003,1,android,none,,1,96,64,10,180,,1,0,234
train_release/1/HR_3.avi,casia,train,1,1,HR,cut,cut,0,96,64,10,0,cut,0,1,61
"""
ROWS = list(csv.DictReader(PLAN.splitlines()))


def write_plan(root, rows=ROWS):
    root.mkdir(parents=True, exist_ok=True)
    with (root / "plan.csv").open("w", newline="") as f:
        writer = csv.DictWriter(f, rows[0])
        writer.writeheader()
        writer.writerows(rows)


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
    for row in ROWS:
        clip = video.probe(root / row["path"])
        assert (clip.width, clip.height, clip.frames) == (96, 64, 4), row
    assert "generated portraits" in (root / manifest.RENDERED).read_text()
    assert list(root.rglob("*partial*")) == []


def test_a_second_run_keeps_what_is_there_and_films_the_rest_alike(filmed):
    folder, args = filmed
    first, second = (folder / "root" / row["path"] for row in ROWS[:2])
    kept, lost = first.stat().st_mtime_ns, second.read_bytes()
    second.unlink()
    assert cli.main(args) == 0
    assert first.stat().st_mtime_ns == kept and second.read_bytes() == lost


def test_upside_down_clips_are_stored_upside_down(filmed, tmp_path):
    folder, args = filmed
    plain = [{**row, "rotate": "0"} for row in ROWS if row["rotate"] == "180"]
    write_plan(tmp_path / "root", plain)
    assert cli.main([*args[:2], str(tmp_path / "root"), *args[3:]]) == 0
    upright, turned = (next(video.read(video.probe(root / plain[0]["path"]), 1)) for root in (tmp_path / "root", folder / "root"))
    assert np.abs(turned[::-1, ::-1].astype(int) - upright).mean() < 3


def test_a_person_has_one_portrait_and_people_of_other_datasets_have_others(filmed):
    items = portraits.read(filmed[0] / "faces")
    rows = dataset.read_plan(filmed[0] / "root" / "plan.csv")
    assert dataset.portrait_of(rows[0], items) == dataset.portrait_of(rows[1], items)
    assert dataset.portrait_of(rows[0], items) != dataset.portrait_of(dataclasses.replace(rows[0], person=2), items)


def test_a_device_is_the_same_wherever_it_is_named_and_another_in_each_dataset(filmed):
    rows = dataset.read_plan(filmed[0] / "root" / "plan.csv")
    assert dataset.device_of(rows[0]) is None
    assert dataset.device_of(rows[2]) == dataset.device_of(dataclasses.replace(rows[2], fixed=True, path="other.mov"))
    assert dataset.device_of(rows[2]) != dataset.device_of(dataclasses.replace(rows[2], dataset="msu"))


def test_a_dataset_that_the_renderer_never_heard_of_is_filmed(filmed, tmp_path):
    folder, args = filmed
    write_plan(tmp_path / "root", [{**ROWS[2], "path": "a.mkv", "dataset": "wild"}])
    assert cli.main([*args[:2], str(tmp_path / "root"), *args[3:]]) == 0
    assert video.probe(tmp_path / "root" / "a.mkv").frames == 4


@pytest.mark.parametrize(
    "column, value", [("path", "../x.avi"), ("width", "wide"), ("pai", "mask"), ("moving", "yes"), ("person", ""), ("rotate", "90")]
)
def test_a_bad_plan_is_named(tmp_path, column, value):
    write_plan(tmp_path, [{**ROWS[0], column: value}])
    with pytest.raises(ValueError, match=r"plan.csv:2"):
        dataset.read_plan(tmp_path / "plan.csv")


def test_a_plan_of_another_version_is_named(tmp_path):
    write_plan(tmp_path, [{name: value for name, value in ROWS[0].items() if name != "person"}])
    with pytest.raises(ValueError, match="no column person; `liveproof layout` of this checkout"):
        dataset.read_plan(tmp_path / "plan.csv")


def test_a_missing_plan_says_who_writes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="liveproof layout"):
        dataset.read_plan(tmp_path / "plan.csv")


# What is missing


def test_without_portraits_it_ends_at_once_and_says_what_draws_some(tmp_path, capsys):
    write_plan(tmp_path / "root")
    args = ["dataset", "--root", str(tmp_path / "root"), "--shared", str(tmp_path), "--workers", "1"]
    assert cli.main(args) == 1
    assert f"faces.csv is missing: it lists the portraits with their face boxes. `python3 -m liveproof_render portraits --out {tmp_path}/faces`" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "root" / manifest.RENDERED).exists()
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "faces.csv").write_text("file,x1\n")
    assert cli.main(args) == 1 and "lists no portraits" in capsys.readouterr().err
