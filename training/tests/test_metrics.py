import numpy as np
import pytest

from liveproof_training import metrics


def test_auc_by_hand():
    # pairs (bona fide, attack): (.9,.1) (.9,.8) (.4,.1) right, (.4,.8) wrong
    assert metrics.auc(np.array([0.9, 0.4]), np.array([0.1, 0.8])) == pytest.approx(0.75)
    assert metrics.auc(np.array([0.5]), np.array([0.5])) == pytest.approx(0.5), "ties count half"
    assert metrics.auc(np.array([1.0, 0.9]), np.array([0.2, 0.1])) == 1.0


def test_error_rates_at_the_threshold():
    assert metrics.apcer(np.array([0.2, 0.5, 0.7]), 0.5) == pytest.approx(2 / 3), "at the threshold counts as bona fide"
    assert metrics.bpcer(np.array([0.2, 0.5, 0.7]), 0.5) == pytest.approx(1 / 3)


def test_equal_error():
    threshold, rate = metrics.equal_error(np.array([0.9, 0.8, 0.7, 0.2]), np.array([0.1, 0.15, 0.3, 0.75]))
    assert rate == pytest.approx(0.25)
    assert metrics.apcer(np.array([0.1, 0.15, 0.3, 0.75]), threshold) == pytest.approx(0.25)
    assert metrics.bpcer(np.array([0.9, 0.8, 0.7, 0.2]), threshold) == pytest.approx(0.25)


def test_equal_error_of_separable_scores_lies_between():
    threshold, rate = metrics.equal_error(np.array([0.8, 0.9]), np.array([0.1, 0.2]))
    assert rate == 0 and 0.2 < threshold < 0.8


def test_report_has_a_row_per_medium():
    scores = np.array([0.9, 0.8, 0.1, 0.95])
    rows = metrics.report(scores, np.array([1, 1, 0, 0]), ["none", "none", "print", "replay"], 0.5)
    assert set(rows) == {"all", "print", "replay"}
    assert rows["print"]["auc"] == 1.0 and rows["replay"]["auc"] == 0.0
    assert rows["all"]["apcer"] == 0.5 and rows["all"]["bpcer"] == 0.0
