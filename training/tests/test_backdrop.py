"""Class-blind changes: a wall around the head leaves the middle of the picture, a cast its brightness."""

import numpy as np
from synthetic import portrait

from liveproof_training.loading import augment, backdrop


def test_the_middle_stays_and_the_rim_becomes_plain():
    picture = portrait(1)[100:324, 100:324]
    rims, middles = [], []
    for seed in range(20):
        out = backdrop.wall(picture.copy(), np.random.default_rng(seed))
        assert out.shape == picture.shape and out.dtype == np.uint8
        changed = np.abs(out.astype(int) - picture).max(axis=2) > 12
        middles.append(changed[90:140, 90:140].mean())
        rims.append(changed[:8].mean())
    assert max(middles) == 0 and np.mean(rims) > 0.5


def test_same_seed_same_wall():
    picture = portrait(2)[:224, :224]
    one, two, other = (backdrop.wall(picture, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, two) and not np.array_equal(one, other)


def test_a_cast_changes_colours_not_brightness():
    picture = portrait(3)
    shifts, levels = [], []
    for seed in range(30):
        out = augment.cast(picture, np.random.default_rng(seed)).astype(float)
        shifts.append(np.log((out[..., 0].mean() + 1) / (out[..., 2].mean() + 1)))
        levels.append(out @ (0.2126, 0.7152, 0.0722))
    assert np.std(shifts) > 0.1
    assert abs(np.mean([level.mean() for level in levels]) / (picture @ (0.2126, 0.7152, 0.0722)).mean() - 1) < 0.05
