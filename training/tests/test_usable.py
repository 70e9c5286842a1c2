"""Crops whose quality a session refuses do not count for the threshold: from the crops to pictures, and from reasons back to crops."""

import csv

import cv2
import numpy as np
import pytest
from synthetic import pictures, write_crops

from liveproof_training import cli
from liveproof_training.evaluation import realpictures, usable
from liveproof_training.loading import data


@pytest.fixture
def crops(tmp_path):
    (tmp_path / "crops").mkdir()
    write_crops(tmp_path / "crops", {"dev": pictures(40, seed=5)})
    return tmp_path / "crops"


def table(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("claimed_id", "test_label", "reasons"), *rows])
    return path


def files(folder):
    """Name of each bona fide crop's file, by its place."""
    images = data.load_split(folder, "dev").images
    return {n: usable.name(n, images[n]) for n in range(1, 40, 2)}


def test_bona_fide_crops_become_pictures_for_evaluate(crops, tmp_path, capsys):
    out = tmp_path / "files"
    assert cli.main(["unpack", "--data", str(crops), "--out", str(out)]) == 0
    assert "20 pictures; now: liveproof evaluate --csv" in capsys.readouterr().out
    rows = list(csv.DictReader((out / "labels.csv").open()))
    assert [row["file"] for row in rows] == list(files(crops).values()) and {row["label"] for row in rows} == {"1"}
    picture = cv2.imread(str(out / files(crops)[3]))[..., ::-1]
    assert picture.shape == (480, 640, 3)
    np.testing.assert_array_equal(picture[112:368, 192:448], data.load_split(crops, "dev").images[3])
    picture[112:368, 192:448] = usable.GREY
    assert (picture == usable.GREY).all()


def test_the_table_comes_last(crops, tmp_path, monkeypatch):
    monkeypatch.setattr(usable.cv2, "imwrite", lambda *_: False)
    with pytest.raises(OSError, match="could not be written"):
        usable.write(data.load_split(crops, "dev"), tmp_path / "files")
    assert not (tmp_path / "files" / "labels.csv").exists()


def test_a_refused_crop_does_not_count_and_a_face_that_is_not_found_again_does(crops, tmp_path):
    said = {1: "blurred", 3: "no_face", 5: "no_face hazy"}
    scores = table(tmp_path / "scores-eval.csv", [("x", file, said.get(n, "")) for n, file in files(crops).items()])
    kept = usable.kept(data.load_split(crops, "dev"), scores)
    assert np.flatnonzero(kept).tolist() == [3, *range(7, 40, 2)]


def test_reasons_of_other_crops_are_refused(crops, tmp_path):
    """Also of crops at the same places."""
    scores = table(tmp_path / "scores-eval.csv", [("x", file, "") for file in files(crops).values()])
    write_crops(crops, {"dev": pictures(40, seed=6)})
    with pytest.raises(ValueError, match="is not of these crops, 000001-"):
        usable.kept(data.load_split(crops, "dev"), scores)


def test_a_file_that_was_not_judged_is_told(tmp_path):
    scores = tmp_path / "scores-eval.csv"
    scores.write_text("claimed_id,test_label,reasons,error\nx,a.png,,cannot be decoded\n")
    with pytest.raises(ValueError, match="a.png could not be judged \\(cannot be decoded\\); run"):
        realpictures.reasons(scores)
