import numpy as np
import pytest

from liveproof_training import metrics
from liveproof_training.evaluation import published

GOLDEN_BONA_FIDE, GOLDEN_ATTACKS = np.array([0.9, 0.8, 0.7, 0.4]), np.array([0.1, 0.2, 0.3, 0.6])


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


def test_golden_equal_error_point():
    point = metrics.eer_point(GOLDEN_BONA_FIDE, GOLDEN_ATTACKS)
    assert point == metrics.Point(0.6, 0.25, 0.25) and point.hter == 0.25
    assert metrics.auc(GOLDEN_BONA_FIDE, GOLDEN_ATTACKS) == 15 / 16


def test_golden_half_total_error_of_msu_size():
    bona_fide, attacks = np.full(40, 0.9), np.full(120, 0.1)
    bona_fide[:2], attacks[:7] = 0.2, 0.8
    assert metrics.at(bona_fide, attacks, 0.5).hter == pytest.approx(0.0541667, abs=1e-7)


def test_golden_oulu_protocol_1():
    scores = np.concatenate([np.full(117, 0.9), np.full(3, 0.1), np.full(6, 0.9), np.full(234, 0.1), np.full(240, 0.1)])
    labels = np.repeat([1, 0], [120, 480])
    pai = ["none"] * 120 + ["print"] * 240 + ["replay"] * 240
    instrument = [""] * 120 + ["print1"] * 120 + ["print2"] * 120 + ["display1"] * 120 + ["display2"] * 120
    row = metrics.iso(scores, labels, pai, instrument, 0.5).row()
    assert [row[k] for k in ("bpcer", "apcer", "acer")] == pytest.approx([0.025, 0.025, 0.025])
    assert [row[k] for k in ("apcer_pooled", "acer_pooled")] == pytest.approx([0.0125, 0.01875])
    assert [row[k] for k in ("apcer_instrument", "acer_instrument")] == pytest.approx([0.05, 0.0375]), "all six are print1"


def test_golden_equal_scores_and_no_errors():
    same = metrics.eer_point(np.full(3, 0.5), np.full(5, 0.5))
    assert same.hter == 0.5 and metrics.auc(np.full(3, 0.5), np.full(5, 0.5)) == 0.5
    right = metrics.eer_point(np.array([0.8, 0.9]), np.array([0.1, 0.7]))
    assert right == metrics.Point(0.8, 0.0, 0.0)


@pytest.mark.parametrize("bona_fide, attacks", [([], [0.5]), ([0.5], [])])
def test_a_single_class_is_a_defined_error(bona_fide, attacks):
    for rate in (metrics.auc, metrics.eer_point, metrics.equal_error, published.grid, published.iadg, published.ssan):
        with pytest.raises(metrics.SingleClass):
            rate(np.array(bona_fide), np.array(attacks))


def test_scores_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="bona fide scores hold NaN"):
        metrics.auc(np.array([np.nan, 0.5]), np.array([0.1]))


def test_a_tie_of_distances_goes_to_the_smaller_hter():
    # .7 gives FAR 1 and FRR .5, .9 gives FAR 0 and FRR .5: both .5 apart
    point = metrics.eer_point(np.array([0.5, 0.9]), np.array([0.7]))
    assert point == metrics.Point(0.9, 0.0, 0.5)


def test_published_rules_are_those_of_the_published_code():
    """Values computed by scikit-learn 1.3.2, SciPy 1.11.4 and the projects' own formulas."""
    bona_fide = np.array([0.91, 0.83, 0.83, 0.77, 0.64, 0.52, 0.41, 0.88])
    attacks = np.array([0.12, 0.33, 0.41, 0.52, 0.52, 0.19, 0.66, 0.07, 0.28, 0.83])
    for rule in (published.grid, published.ssan, published.safas):
        assert rule(bona_fide, attacks) == metrics.Point(0.64, 0.2, 0.25), rule
        assert rule(GOLDEN_BONA_FIDE, GOLDEN_ATTACKS) == metrics.Point(0.6, 0.25, 0.25), rule
    assert published.iadg(bona_fide, attacks) == metrics.Point(0.6215384615384176, 0.2, 0.25)
    assert published.iadg(GOLDEN_BONA_FIDE, GOLDEN_ATTACKS) == metrics.Point(0.6000000000000475, 0.0, 0.25)


def test_grid_takes_the_last_minimum():
    assert published.grid(np.array([0.8, 0.9]), np.array([0.1])).threshold == 0.8
    assert metrics.eer_point(np.array([0.8, 0.9]), np.array([0.1])).threshold == 0.8
    assert published.grid(np.array([1.0]), np.array([1.0])).threshold == 1.1, "nothing accepted is as good as all, and later"


def test_spread_of_folds():
    s = metrics.spread([0.0, 0.02, 0.04])
    assert s["mean"] == pytest.approx(0.02) and s["std1"] == pytest.approx(0.02) and s["std0"] == pytest.approx(0.02 * (2 / 3) ** 0.5)
    assert metrics.spread([0.3])["std1"] == 0.0
