"""Measures on real pictures: the reader of labels.csv, the figures by series, the gap to made pictures, the rule of the threshold."""

import csv

import cv2
import numpy as np
import pytest

from liveproof_training.evaluation import disturbances, gap, realpictures
from liveproof_training.export.threshold import Rule


class Middle:
    """In place of the detector: the middle of the picture, or nothing where it is black."""

    def largest(self, image: np.ndarray):
        h, w = image.shape[:2]
        return (w / 4, h / 4, 3 * w / 4, 3 * h / 4) if image.any() else None


def write(folder, rows, columns=("file", "label", "series", "matched")):
    folder.mkdir(exist_ok=True)
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    for row in rows:
        cv2.imwrite(str(folder / row[0]), np.full((80, 60, 3), 0 if row[0].startswith("black") else 120, np.uint8))
    return folder


def pictures(labels, series, matched=None):
    n = len(labels)
    return realpictures.Pictures(np.zeros((n, 1)), np.array(labels), np.array(series), np.array(matched or [False] * n))


def test_pictures_are_cropped_and_those_without_a_face_counted(tmp_path):
    folder = write(tmp_path / "set", [("a.png", 1, "s", 1), ("black.png", 0, "t", 0), ("b.png", 0, "t", 0)])
    found = realpictures.read(folder, Middle())
    assert found.images.shape == (2, 256, 256, 3) and found.labels.tolist() == [1, 0] and found.no_face == 1
    assert found.series.tolist() == ["s", "t"] and found.matched.tolist() == [True, False]


def test_pictures_that_a_session_would_not_score_are_left_out(tmp_path):
    folder = write(tmp_path / "set", [("a.png", 1, "s", 1), ("b.png", 1, "s", 0), ("c.png", 0, "t", 0)])
    scores = tmp_path / "scores-eval.csv"
    scores.write_text("claimed_id,test_label,reasons\ns,a.png,face_turned too_dark\ns,b.png,\nt,c.png,\n")
    refused = realpictures.refused(scores)
    assert refused == {"a.png"}
    assert realpictures.read(folder, Middle(), refused).matched.tolist() == [False, False]
    with pytest.raises(ValueError, match="no column reasons"):
        realpictures.refused(write(tmp_path / "other", [("a.png", 1)], ("test_label", "label")) / "labels.csv")


@pytest.mark.parametrize(
    "rows, columns, said",
    [
        ([("a.png", 1)], ("file", "label"), "column series is missing"),
        ([("a.png", "spoof", "s")], ("file", "label", "series"), "write 1 for bona fide"),
        ([("black.png", 1, "s")], ("file", "label", "series"), "finds no face"),
    ],
)
def test_a_faulty_table_says_what_to_mend(tmp_path, rows, columns, said):
    with pytest.raises(ValueError, match=said):
        realpictures.read(write(tmp_path / "set", rows, columns), Middle())


def test_a_folder_without_a_table_or_with_a_missing_picture(tmp_path):
    with pytest.raises(FileNotFoundError, match="labels.csv is missing"):
        realpictures.read(tmp_path, Middle())
    folder = write(tmp_path / "set", [("a.png", 1, "s", 1)])
    (folder / "a.png").unlink()
    with pytest.raises(ValueError, match="not a readable picture"):
        realpictures.read(folder, Middle())


def test_a_series_counts_once_in_the_means():
    shown = pictures([1, 1, 1, 1, 0, 0], ["a", "a", "a", "b", "c", "d"])
    rho = np.array([0.9, 0.9, 0.9, 0.2, 0.3, 0.1])
    found = realpictures.figures(rho, shown, 0.5)
    assert found.all == pytest.approx(7 / 8) and found.series == pytest.approx(3 / 4)
    assert found.bpcer == 0.25 and found.apcer == 0.0 and found.low <= found.all <= found.high


def test_matched_pictures_are_judged_alone():
    shown = pictures([1, 1, 0, 0], list("abcd"), [True, False, True, False])
    assert realpictures.figures(np.array([0.2, 0.9, 0.4, 0.1]), shown, 0.5).matched == 0.0


def test_the_halves_part_whole_series_the_same_way_each_time():
    shown = pictures([1, 0] * 20, [f"series {n // 4}" for n in range(40)])
    parts = realpictures.halves(np.linspace(0, 1, 40), shown, 0.5)
    assert sum(f.pictures for name, f in parts.items() if not name.startswith("all")) == 40
    even = realpictures.is_even(shown.series)
    assert all(len(set(even[shown.series == name])) == 1 for name in set(shown.series))
    assert realpictures.is_even(np.array(["series 0", "series 1", "series 2"])).tolist() == even[[0, 4, 8]].tolist()


def test_lines_tell_every_half_and_disturbance():
    shown = realpictures.Pictures(np.full((8, 256, 256, 3), 90, np.uint8), np.array([1, 0] * 4), np.array(list("aabbccdd")), np.ones(8, bool))
    told = realpictures.lines(realpictures.told(lambda images: images.mean(axis=(1, 2, 3)) / 255, shown, 0.5))
    assert len(told) >= 1 + len(disturbances.CONDITIONS) and all(line.count("|") == realpictures.HEADER.split("\n")[0].count("|") for line in told)


# Factors of the gap


def noise(sigma: float, seed: int = 1) -> np.ndarray:
    return np.clip(128 + sigma * np.random.default_rng(seed).standard_normal((256, 256, 3)), 0, 255).astype(np.uint8)


def test_factors_follow_what_they_are_named_after():
    crisp, soft = noise(30), cv2.GaussianBlur(noise(30), (0, 0), 2)
    assert gap.sharpness(crisp) > gap.sharpness(soft) + 1
    assert gap.high_share(crisp) > gap.high_share(soft) and gap.slope(crisp) > gap.slope(soft)
    assert gap.flat_noise(noise(8)) == pytest.approx(2 * gap.flat_noise(noise(4)), rel=0.2)
    grey, red = np.full((256, 256, 3), 100, np.uint8), np.full((256, 256, 3), (200, 20, 20), np.uint8)
    of = dict(zip(gap.FACTORS, gap.table([grey, red]).T))
    assert of["saturation"].tolist() == [0.0, pytest.approx(229.5, abs=1)]
    assert of["red over blue, log"][0] == 0 < of["red over blue, log"][1]
    assert of["luma, mean"][0] == 100 and of["clipped above 250, %"].tolist() == [0, 0]


def sample(shift: float, n: int = 60, seed: int = 1) -> gap.Sample:
    """Attacks have ``shift`` more of every factor."""
    rng, labels = np.random.default_rng(seed), np.arange(2 * n) % 2
    return gap.Sample(rng.standard_normal((2 * n, len(gap.FACTORS))) + shift * (1 - labels)[:, None], labels)


def test_factors_are_drawn_real_beside_made(tmp_path):
    gap.plot(sample(1.0), sample(1.0, seed=2), tmp_path / "factors.png")
    assert (tmp_path / "factors.png").stat().st_size > 1000
    assert len(gap.FACTORS) <= gap.PLOT_ROWS * gap.PLOT_COLUMNS


def test_a_maker_on_the_wrong_side_of_reality_is_found():
    real = sample(1.0)
    assert (real.larger() > 0.6).all() and gap.transfer(sample(1.0, seed=2), real) > 0.9 and gap.transfer(sample(-1.0, seed=2), real) < 0.1
    assert gap.inside(np.array([0.0, 9.0]), np.linspace(-1, 1, 50)) == 0.5
    text = gap.markdown(real, sample(1.0, seed=2))
    assert all(f"| {name} |" in text for name in gap.FACTORS)


# Threshold


def test_the_threshold_rejects_no_more_than_it_may_of_either_kind():
    dev, real = np.linspace(0.5, 1, 101), np.linspace(0.2, 1, 41)
    threshold = Rule(0.1).threshold(dev, real)
    assert (dev < threshold).mean() <= 0.1 and (real < threshold).mean() <= 0.1
    assert (real < threshold + 0.03).mean() > 0.1  # a larger one would not do
    assert Rule(0.0).threshold(dev) == 0.5
