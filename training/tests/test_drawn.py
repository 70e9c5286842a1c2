"""Faces drawn in code stand in for portraits."""

import cv2
import numpy as np
import pytest

from liveproof_render import cli, dataset, drawn, portraits

CASCADE = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("drawn") / "faces"
    assert cli.main(["portraits", "--out", str(out), "--count", "12"]) == 0
    return out


def test_they_are_read_as_portraits_of_every_split_with_room_to_fill_a_frame(folder):
    items = portraits.read(folder)
    assert len(items) == 12 and items == dataset.cast(folder) and all(p.room >= dataset.ROOM for p in items)
    assert all(portraits.split(items).values()), "whole source grids are held out"
    for p in items:
        x1, y1, x2, y2 = p.face.box
        assert all(x1 < x < x2 and y1 < y < y2 for x, y in p.face.points) and x1 > 0 and y2 < drawn.SIDE


def test_the_detector_of_the_service_finds_each_where_the_table_says(folder):
    cascade = cv2.CascadeClassifier(CASCADE)
    if cascade.empty():
        pytest.skip(f"{CASCADE} is missing (opencv-data)")
    for p in portraits.read(folder):
        found = cascade.detectMultiScale(cv2.cvtColor(p.load(), cv2.COLOR_RGB2GRAY), 1.1, 5)
        (x, y, w, h) = max(found, key=lambda box: box[2])
        assert np.hypot(x + w / 2 - p.face.centre[0], y + h / 2 - p.face.centre[1]) < 0.15 * p.face.side


def test_a_seed_gives_the_same_faces_and_no_two_are_alike(folder, tmp_path):
    drawn.write(tmp_path / "again", 3, seed=1)
    drawn.write(tmp_path / "other", 1, seed=2)
    images = [p.read_bytes() for p in sorted(folder.glob("*.png"))]
    assert [p.read_bytes() for p in sorted((tmp_path / "again").glob("*.png"))] == images[:3]
    assert len({*images, (tmp_path / "other" / "drawn_0000.png").read_bytes()}) == 13


def test_a_folder_of_portraits_is_not_overwritten(folder, capsys):
    assert cli.main(["portraits", "--out", str(folder)]) == 1
    assert "faces.csv is there already" in capsys.readouterr().err
