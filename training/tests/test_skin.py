"""Skin: its detail and its tone on portraits, and the spectra of real pictures beside made ones."""

import cv2
import numpy as np
import pytest
import synthetic

from liveproof_training import cli
from liveproof_training.evaluation import spectra
from liveproof_training.simulation import skin


def noise(side: int, deviation: float = 0.1, mean: float = 120, seed: int = 1) -> np.ndarray:
    return mean * (1 + deviation * np.random.default_rng(seed).standard_normal((side, side)))


def lab(lightness: float, blue_yellow: float) -> np.ndarray:
    """RGB uint8 of a colour."""
    colour = cv2.cvtColor(np.float32([[[lightness, 10, blue_yellow]]]), cv2.COLOR_LAB2RGB)[0, 0]
    return np.round(255 * colour).astype(np.uint8)


# Detail


def test_white_noise_has_the_power_of_its_contrast_in_every_band():
    found = 10 * np.log10(np.mean([skin.power(noise(256, seed=seed)) for seed in range(4)], axis=0))
    assert found == pytest.approx(np.full(8, -20.0), abs=1.5)


def test_power_is_of_contrast_not_of_brightness():
    assert skin.power(noise(48, mean=200)) == pytest.approx(skin.power(noise(48, mean=50)), rel=1e-6)


def test_a_blur_takes_the_finest_band_most():
    sharp, soft = skin.power(noise(96)), skin.power(cv2.GaussianBlur(noise(96), (0, 0), 1.0))
    lost = sharp / soft
    assert (np.diff(lost[3:]) > 0).all() and lost[-1] > 20


def test_a_patch_too_small_for_a_band_says_so():
    assert np.isnan(skin.power(noise(16))[0]) and np.isfinite(skin.power(noise(skin.PATCH))[skin.SKIN_FROM :]).all()


def test_cheeks_lie_between_eyes_and_mouth_and_inside_the_picture():
    left, right, forehead = skin.places(synthetic.POINTS)
    assert left[0] < 190 < 260 < right[0] and 205 < left[1] == right[1] < 300 and forehead[1] < 205
    assert [x.shape for x in skin.cheeks(synthetic.portrait(1)[:260, :220], synthetic.POINTS)] == [(48, 48)] * 2


# Spectra


def crops(count: int, sigma: float, light: float = 1.0) -> np.ndarray:
    ramp = np.linspace(1, light, 256)[None, :]
    soft = [cv2.GaussianBlur(noise(256, 0.3, seed=n), (0, 0), sigma) * ramp for n in range(count)]
    return np.stack(soft).clip(0, 255).astype(np.uint8)[..., None].repeat(3, axis=3)


def test_spectra_tell_soft_from_sharp_and_uneven_light(tmp_path):
    sharp, soft = spectra.of(crops(3, 0.5), lambda _: None), spectra.of(crops(3, 1.2, 0.2), lambda _: (60, 40, 190, 210))
    assert (sharp.whole[:, -1] > soft.whole[:, -1] + 10).all() and (sharp.skin[:, -1] > soft.skin[:, -1] + 10).all()
    assert (sharp.uneven < 1.1).all() and (soft.uneven > 1.3).all()
    sets = {"real bona fide": sharp, "made bona fide": soft.only(np.array([True, False, True]))}
    text = spectra.markdown(sets)
    assert "| real bona fide (3) | made bona fide (2) |" in text and "| skin, 0.354 to 0.500 |" in text and "nan" not in text
    spectra.plot(sets, tmp_path / "spectra.png")
    assert (tmp_path / "spectra.png").stat().st_size > 1000


def test_faces_of_about_the_median_size_are_alike():
    assert spectra.same_size(np.array([100, 91, 109, 130, 60])).tolist() == [True, True, True, False, False]


# Tone


@pytest.mark.parametrize(
    "lightness, name",
    [(80, "very light"), (70, "light"), (62, "intermediate"), (56, "tan"), (48, "brown"), (30, "dark")],
)
def test_tones_by_the_individual_typology_angle(lightness, name):
    face = np.full((448, 448, 3), lab(lightness, 18), np.uint8)
    found = skin.tone(face, synthetic.POINTS)
    assert found.name == name and found.angle == pytest.approx(np.degrees(np.arctan2(lightness - 50, 18)), abs=3)


def test_a_cheek_in_the_dark_is_told_by_its_own_angle():
    face = np.full((448, 448, 3), lab(70, 18), np.uint8)
    face[:, :225] = lab(40, 18)
    found = skin.tone(face, synthetic.POINTS)
    assert found.left < 0 < found.right


def test_a_grey_picture_tells_no_tone():
    found = skin.tone(np.full((448, 448, 3), 150, np.uint8), synthetic.POINTS)
    assert found.name == skin.UNTOLD and np.isnan(found.angle)
    assert "nan" not in skin.markdown({"grey": [found], "none": []})


def test_weights_balance_the_classes_up_to_the_cap():
    names = ["light"] * 60 + ["tan"] * 30 + ["dark"] * 2
    found = skin.weights(names)
    assert found.sum() == pytest.approx(1) and found[:60].sum() == pytest.approx(found[60:90].sum())
    assert found[-1] == pytest.approx(skin.MOST * found[0]) and skin.count(names)["tan"] == 30
    assert skin.weights([*names, skin.UNTOLD]).min() > 0 and skin.weights([skin.UNTOLD] * 3) == pytest.approx([1 / 3] * 3)


def test_the_command_counts_tones_of_each_split(tmp_path, capsys):
    synthetic.write_faces(tmp_path / "faces", grids=9)
    cli.main(["tones", "--portraits", str(tmp_path / "faces"), "--also", str(tmp_path / "faces")])
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head == "| tone | train | balanced | dev | balanced | test | balanced | faces | balanced |"
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[0] for row in cells] == [*(name for name, _ in skin.TONES), skin.UNTOLD, "between the cheeks"]
    assert sum(int(row[1]) + int(row[3]) + int(row[5]) for row in cells[:-1]) == sum(int(row[7]) for row in cells[:-1]) == 18
