"""The trainer's error rates against scikit-learn and SciPy, and against the file by which the Go package is held to them."""

import golden_metrics
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from liveproof_training import metrics
from liveproof_training.evaluation import published


def test_the_committed_golden_file_is_what_this_code_gives():
    assert golden_metrics.GOLDEN.read_text() == golden_metrics.text(), "run .venv/bin/python training/tests/golden_metrics.py"


def draws():
    """60 pairs of random bona fide and attack scores, from nearly all alike to all different, of random sizes."""
    for seed in range(60):
        rng = np.random.default_rng(1000 + seed)
        bona_fide, attacks = rng.integers(1, 300, 2)
        decimals = (1, 2, 3, 17)[seed % 4]
        yield np.round(rng.beta(4, 2, bona_fide), decimals), np.round(rng.beta(2, 3, attacks), decimals)


def test_area_under_the_curve():
    for drawn in draws():
        labels = np.repeat([1, 0], [len(v) for v in drawn])
        assert metrics.auc(*drawn) == pytest.approx(roc_auc_score(labels, np.concatenate(drawn)), abs=1e-13)


@pytest.mark.parametrize("drop", [True, False])
def test_roc_curve_to_the_bit(drop):
    for drawn in draws():
        for ours, theirs in zip(published.roc_curve(*drawn, drop), golden_metrics.roc(*drawn, drop)):
            np.testing.assert_array_equal(ours, theirs, strict=True)


def test_published_points_to_the_bit():
    for drawn in draws():
        expected = golden_metrics.sklearn(*drawn)
        for rule in (published.ssan, published.safas, published.iadg):
            assert golden_metrics.point(rule(*drawn)) == expected[rule.__name__], rule


def test_no_point_of_the_roc_curve_is_nearer_to_balance():
    for drawn in draws():
        fpr, tpr, thresholds = golden_metrics.roc(*drawn, drop=False)
        point = metrics.eer_point(*drawn)
        here = np.flatnonzero(thresholds == point.threshold)[-1]
        assert (point.far, point.frr) == (fpr[here], pytest.approx(1 - tpr[here], abs=1e-15))
        assert abs(point.far - point.frr) <= np.abs(fpr - (1 - tpr)).min() + 1e-12
