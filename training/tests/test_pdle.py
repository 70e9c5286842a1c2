import pytest
import torch

from liveproof_training import pdle

SIZE = 224


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("u", range(1, 11))
@pytest.mark.parametrize("anchor_label", [0.0, 1.0])
def test_label_is_the_share_of_real_pixels(u, anchor_label):
    lam = u / 10
    anchor = torch.full((3, SIZE, SIZE), anchor_label)
    other = torch.full((3, SIZE, SIZE), 1.0 - anchor_label)
    for seed in range(20):
        box = pdle.draw_box(SIZE, SIZE, lam, generator(seed))
        share = float(pdle.exchange(anchor, other, box).mean())
        assert share == pytest.approx(pdle.mixed_label(anchor_label, lam), abs=0.005)


def test_exchange_by_hand():
    anchor, other = torch.zeros(1, 4, 4), torch.ones(1, 4, 4)
    mixed = pdle.exchange(anchor, other, pdle.Box(1, 3, 0, 2))
    want = torch.tensor([[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]], dtype=torch.float32)
    assert torch.equal(mixed[0], want)
    assert float(anchor.sum()) == 0, "the anchor itself must stay"


def test_labels_by_hand():
    assert pdle.mixed_label(1.0, 0.3) == pytest.approx(0.7)  # real anchor, 30 % spoof pasted
    assert pdle.mixed_label(0.0, 0.3) == pytest.approx(0.3)  # spoof anchor, 30 % real pasted
    assert pdle.mixed_label(0.0, 1.0) == 1.0
    assert pdle.mixed_label(1.0, 1.0) == 0.0


def test_boxes_lie_inside_and_reach_every_border():
    boxes = [pdle.draw_box(SIZE, SIZE, 0.9, generator(s)) for s in range(400)]
    assert all(0 <= b.top < b.bottom <= SIZE and 0 <= b.left < b.right <= SIZE for b in boxes)
    assert min(b.top for b in boxes) == 0 and max(b.bottom for b in boxes) == SIZE
    assert min(b.left for b in boxes) == 0 and max(b.right for b in boxes) == SIZE


def test_levels_are_uniform_over_one_to_k():
    g = generator()
    draws = [pdle.draw_level(10, g) for _ in range(5000)]
    counts = [draws.count(u) for u in range(1, 11)]
    assert set(draws) == set(range(1, 11))
    assert min(counts) > 400 and max(counts) < 600
    assert max(pdle.draw_level(10, g, max_level=9) for _ in range(500)) == 9


def test_encode_is_deterministic():
    a, b = torch.zeros(3, 64, 64), torch.ones(3, 64, 64)
    first, second = (pdle.encode(a, 0.0, b, 10, generator(3)) for _ in range(2))
    assert torch.equal(first[0], second[0]) and first[1] == second[1]
