"""One page of figures: conditions disturb both classes alike, clips are cut once, each part is told and may be missing."""

import json

import numpy as np
import pytest
from synthetic import portrait

from liveproof_base import video
from liveproof_training import cli
from liveproof_training.evaluation import disturbances, onepage, realpictures


class Middle:
    """In place of the detector."""

    def __init__(self):
        self.asked = 0

    def largest(self, image: np.ndarray):
        self.asked += 1
        h, w = image.shape[:2]
        return (w / 4, h / 4, 3 * w / 4, 3 * h / 4)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "someone.mkv"
    out = video.Writer(path, 320, 320, 10)
    for n in range(20):
        out.write(np.roll(portrait(1)[:320, :320], n, axis=1))
    out.close()
    return path


def brightness(images: np.ndarray) -> np.ndarray:
    """In place of a model."""
    return images.reshape(len(images), -1).mean(axis=1) / 255


def test_every_condition_changes_a_picture_and_none_the_plain_one():
    image = np.ascontiguousarray(portrait(2)[60:316, 90:346])
    for name, change in disturbances.CONDITIONS.items():
        found = change(image)
        assert found.dtype == np.uint8 and found.shape == image.shape
        assert np.array_equal(found, image) == (name == "as it is"), name
    lit = disturbances.CONDITIONS["back light"](image).astype(float)
    assert lit[118:138, 118:138].mean() < image[118:138, 118:138].mean() and lit[:20, :20].mean() > image[:20, :20].mean()


def test_a_clip_is_cut_once_with_its_encodings(film, tmp_path):
    detector = Middle()
    found = onepage.clips([film], True, detector, True, tmp_path)
    versions = found[0].versions
    assert set(versions) == {"as it is", *(f"{name} {rate}" for name, rate in onepage.CALLS)}
    assert {len(images) for images in versions.values()} == {4}  # two seconds, two pictures each
    coded = np.abs(versions["vp8 300"].astype(int) - versions["as it is"]).mean()
    assert 0 < coded < 40
    asked = detector.asked
    again = onepage.clips([film], True, detector, True, tmp_path)
    assert detector.asked == asked and np.array_equal(again[0].versions["vp8 600"], versions["vp8 600"])


def test_small_faces_are_told_and_not_scored(film, tmp_path):
    class Far(Middle):
        def largest(self, image):
            return (100, 100, 150, 150)

    found = onepage.clips([film], True, Far(), True, tmp_path)
    rows = onepage.of_clips(brightness, found, 0.5)
    assert rows[0]["samples"] == 0 and rows[0]["mean"] == {"as it is": None}
    page = {"model": {"file": "m.onnx", "sha256": "0"}, "threshold": 0.5, "clips": rows}
    assert "No face of 80 pixels: someone." in onepage.markdown(page)


def test_the_page_tells_people_attacks_and_real_pictures(film, tmp_path):
    shades = np.repeat(np.array([200, 180, 60, 40], np.uint8), 256 * 256 * 3).reshape(4, 256, 256, 3)
    real = realpictures.Pictures(shades, np.array([1, 1, 0, 0]), np.array(["a", "b", "c", "d"]), np.array([True] * 4))
    people = onepage.clips([film], True, Middle(), True, tmp_path / "crops")
    attacks = onepage.clips([film], False, Middle(), False, tmp_path / "crops")
    page = {"model": {"file": "m.onnx", "sha256": "0"}, "threshold": 0.5, "real": onepage.of_real(brightness, real, 0.5)}
    page["clips"] = onepage.of_clips(brightness, people + attacks, 0.5)
    text = onepage.write(page, tmp_path / "out").read_text()
    plain = page["real"][0]
    assert plain["all"] == 1 and plain["bpcer"] == 0 and plain["apcer"] == 0
    dark = next(row for row in page["real"] if row["what"] == "0.4 of the exposure")
    assert dark["bpcer"] > 0, "what is dark is below the threshold of this model"
    assert "Encodings that move a clip's mean ρ" in text and "Mean ρ above the threshold: 1 of 1" in text
    assert text.count("| someone |") == 2 and "| haze 0.3 |" in text
    assert json.loads((tmp_path / "out" / "page.json").read_text())["clips"][1]["live"] is False
    assert (tmp_path / "out" / "page.png").stat().st_size > 1000


def test_a_clip_that_is_not_there_is_named(tmp_path, capsys):
    model = "../models/liveproof-demo-mobilenetv2-int8.onnx"
    words = ["page", "--model", model, "--out", str(tmp_path), "--people", str(tmp_path / "none.mp4"), "--detector", model]
    assert cli.main(words) == 1
    assert "none.mp4: no such clip or folder" in capsys.readouterr().err


def test_what_cannot_be_told_is_a_dash_and_null(film, tmp_path):
    shades = np.repeat(np.array([200, 60], np.uint8), 256 * 256 * 3).reshape(2, 256, 256, 3)
    people = realpictures.Pictures(shades, np.array([1, 1]), np.array(["a", "b"]), np.array([True] * 2))
    made = [{"what": "all", **onepage._rates(np.array([0.9]), np.array([]), 0.5)}]
    page = {"model": {"file": "m.onnx", "sha256": "0"}, "threshold": 0.5, "made": {"crops, dev": made}, "clips": []}
    page["real"] = onepage.of_real(brightness, people, 0.5)
    text = onepage.write(page, tmp_path).read_text()
    assert "| all | 1 | 0 | – | 0.0 % | – |" in text
    assert "NaN" not in (tmp_path / "page.json").read_text()


def test_the_command_says_what_is_missing(tmp_path, capsys):
    words = ["page", "--model", "../models/liveproof-demo-mobilenetv2-int8.onnx", "--out", str(tmp_path / "out"), "--detector", "none.onnx"]
    assert cli.main(words) == 1 and "nothing to score" in capsys.readouterr().err
    assert cli.main([*words, "--people", str(tmp_path)]) == 1 and "no clip in this folder" in capsys.readouterr().err
