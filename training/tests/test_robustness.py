"""Disturbances do what they say, to both classes alike; the probe and the correlations find what is there."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from synthetic import portrait

from liveproof_training import metrics
from liveproof_training.evaluation import robustness
from liveproof_training.loading import nuisance


def picture(seed: int = 1) -> np.ndarray:
    return np.ascontiguousarray(portrait(seed)[60:316, 90:346])


@pytest.mark.parametrize("name", robustness.SWEEPS)
def test_neutral_changes_nothing_and_the_rest_does(name):
    sweep, image = robustness.SWEEPS[name], picture()
    if sweep.neutral is not None:
        same = sweep.apply(image, sweep.neutral, np.random.default_rng(1))
        assert np.abs(same.astype(int) - image).max() <= 1
    for level in (x for x in sweep.levels if x != sweep.neutral):
        changed = sweep.apply(image, level, np.random.default_rng(1))
        assert changed.dtype == np.uint8 and changed.shape == image.shape and not np.array_equal(changed, image)


def test_disturbances_move_their_factor():
    image = picture()
    plain = dict(zip(nuisance.NAMES, nuisance.factors(image)))

    def after(name, level):
        return dict(
            zip(nuisance.NAMES, nuisance.factors(np.ascontiguousarray(robustness.SWEEPS[name].apply(image, level, np.random.default_rng(1)))))
        )

    assert after("blur", 2)["sharpness"] < plain["sharpness"] - 1
    assert after("scale", 0.25)["sharpness"] < plain["sharpness"] - 1
    assert after("noise", 15)["sharpness"] > plain["sharpness"]
    assert after("exposure", -1)["brightness"] == pytest.approx(plain["brightness"] * 0.5 ** (1 / 2.2), rel=0.02)
    assert after("colour", 0.4)["red_green"] > plain["red_green"] and after("colour", 0.4)["blue_green"] < plain["blue_green"]
    assert after("jpeg", 10)["blockiness"] > plain["blockiness"] + 0.1


class Brightness:
    """A model that judges by brightness alone."""

    threshold = 0.5

    def rho(self, images: np.ndarray) -> np.ndarray:
        return nuisance.table(images)[:, nuisance.NAMES.index("brightness")] / 255

    def describe(self) -> dict:
        return {"file": "brightness", "sha256": "", "threshold": self.threshold}


def crops(n: int = 4) -> SimpleNamespace:
    images = np.stack([picture(i) for i in range(2 * n)])
    return SimpleNamespace(images=images, labels=np.arange(2 * n) % 2)


def test_a_shortcut_shows(tmp_path):
    some = crops()
    some.images = SimpleNamespace(take=lambda ids, images=some.images: images[ids])
    result = robustness.run(Brightness(), some, 3, tmp_path)
    means = [r["bona_fide"]["mean"] for r in result["sweeps"]["exposure"]]
    assert means == sorted(means) and means[-1] - means[0] > 0.3, "rho follows exposure"
    assert result["spearman"]["brightness"]["bona_fide"] == pytest.approx(1.0)
    assert result["crops"] == {"bona_fide": 3, "attacks": 3}
    assert json.loads((tmp_path / "robustness.json").read_text()) == result
    assert (tmp_path / "robustness-rho.png").stat().st_size > 5000 and (tmp_path / "robustness-errors.png").stat().st_size > 5000
    assert "| exposure | -2 |" in robustness.markdown(result) and "| sharpness |" in robustness.markdown(result)


def test_one_class_cannot_be_swept():
    with pytest.raises(metrics.SingleClass):
        robustness.choose(SimpleNamespace(labels=np.ones(4, int)), 2)


def test_rank_correlation_by_hand():
    x = np.array([1.0, 2.0, 2.0, 4.0])
    assert robustness._ranks(x).tolist() == [1.0, 2.5, 2.5, 4.0]
    assert robustness._spearman(x, -x) == pytest.approx(-1.0) and robustness._spearman(x, np.ones(4)) == 0.0


def test_matched_weights_hide_the_class():
    rng = np.random.default_rng(1)
    y = np.arange(400) % 2
    x = rng.normal(0, 1, (400, len(nuisance.NAMES)))
    x[:, 0] += 1.2 * y
    result = nuisance.report(x[:200], y[:200], x[200:], y[200:], seed=1)
    assert result["as_rendered"]["sharpness"] > 0.7 and result["as_rendered"]["all"] > 0.7
    assert abs(result["matched"]["all"] - 0.5) < 0.13
