import numpy as np
import pytest

from liveproof_training.method import pdle

SIZE = 224


def rng(seed=0):
    return np.random.default_rng(seed)


def mixed_share(anchor_label: float, box: pdle.Box) -> float:
    """Share of real pixels in a picture of the anchor's class with a box of the other's."""
    anchor, other = (np.full((SIZE, SIZE, 3), y) for y in (anchor_label, 1 - anchor_label))
    pdle.paste(anchor, other, box)
    return float(anchor.mean())


@pytest.mark.parametrize("anchor_label", [0.0, 1.0])
@pytest.mark.parametrize("shape", pdle.BOXES)
@pytest.mark.parametrize("labels", pdle.LABELS)
def test_label_is_the_share_of_real_pixels(shape, labels, anchor_label):
    encoding = pdle.Encoding(k=10, box=shape, labels=labels)
    for seed in range(150):
        box, lam = encoding.draw(SIZE, SIZE, rng(seed))
        assert mixed_share(anchor_label, box) == pytest.approx(pdle.mixed_label(anchor_label, lam), abs=0.005)


def test_paste_by_hand():
    anchor, other = np.zeros((4, 4, 1)), np.ones((4, 4, 1))
    pdle.paste(anchor, other, pdle.Box(1, 3, 0, 2))
    assert anchor[..., 0].tolist() == [[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]


def test_labels_by_hand():
    assert pdle.mixed_label(1.0, 0.3) == pytest.approx(0.7)  # real anchor, 30 % spoof pasted
    assert pdle.mixed_label(0.0, 0.3) == pytest.approx(0.3)  # spoof anchor, 30 % real pasted
    assert pdle.mixed_label(0.0, 1.0) == 1.0
    assert pdle.mixed_label(1.0, 1.0) == 0.0


def test_boxes_lie_inside_and_reach_every_border():
    boxes = [pdle.draw_box(SIZE, SIZE, 0.9, rng(s)) for s in range(400)]
    assert all(0 <= b.top < b.bottom <= SIZE and 0 <= b.left < b.right <= SIZE for b in boxes)
    assert min(b.top for b in boxes) == 0 and max(b.bottom for b in boxes) == SIZE
    assert min(b.left for b in boxes) == 0 and max(b.right for b in boxes) == SIZE


def test_square_root_boxes_have_the_pictures_aspect():
    for share in (0.1, 0.5, 0.9):
        box = pdle.draw_box(SIZE, 2 * SIZE, share, rng())
        assert (box.right - box.left) / (box.bottom - box.top) == pytest.approx(2, rel=0.03)


def test_aspects_vary_within_their_range():
    boxes = [pdle.Encoding(box="aspect", max_level=3).draw(SIZE, SIZE, rng(s))[0] for s in range(300)]
    aspects = [(b.bottom - b.top) / (b.right - b.left) for b in boxes]
    assert min(aspects) < 0.5 and max(aspects) > 2 and max(*aspects, *(1 / a for a in aspects)) < 3.1


def test_clipped_boxes_are_measured_again():
    """CutMix's box at the border shrinks: its label is what is left, not what was drawn."""
    shares = [pdle.Encoding(box="clip", max_level=9).draw(SIZE, SIZE, rng(s))[1] for s in range(400)]
    assert len({round(s, 4) for s in shares}) > 50
    assert np.mean(shares) < 0.40  # unclipped 0.5


def test_levels_are_uniform_over_one_to_k():
    g = rng()
    draws = [pdle.draw_level(10, g) for _ in range(5000)]
    counts = [draws.count(u) for u in range(1, 11)]
    assert set(draws) == set(range(1, 11))
    assert min(counts) > 400 and max(counts) < 600
    assert max(pdle.draw_level(10, g, max_level=9) for _ in range(500)) == 9


def test_continuous_shares_are_uniform_over_zero_to_one():
    shares = np.array([pdle.Encoding(labels="continuous").draw(64, 64, rng(s))[1] for s in range(1000)])
    assert 0 < shares.min() < 0.01 and 0.99 < shares.max() <= 1 and abs(shares.mean() - 0.5) < 0.03
    assert len(np.unique(shares)) == 1000


def test_draws_follow_from_the_generator():
    assert pdle.Encoding().draw(64, 64, rng(3)) == pdle.Encoding().draw(64, 64, rng(3))
