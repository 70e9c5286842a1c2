"""A probe for shortcuts: how far do blur, exposure, contrast, colour and blockiness alone tell the classes apart?

If a logistic regression on these few numbers separates bona fide from attack, so may the
network, without ever looking at the medium. Near AUC 0.5 is good.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from liveproof_base import whole

from .. import metrics

NAMES = ("sharpness", "brightness", "contrast", "red_green", "blue_green", "saturation", "blockiness")


def factors(image: np.ndarray) -> np.ndarray:
    """RGB uint8 -> seven numbers in the order of NAMES."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    means = image.reshape(-1, 3).mean(axis=0) + 1.0
    step = np.abs(np.diff(grey, axis=1)).mean(axis=0)
    on_grid, off_grid = step[7::8].mean(), np.delete(step, np.s_[7::8]).mean()
    return np.array(
        [
            np.log(cv2.Laplacian(grey, cv2.CV_32F).var() + 1e-3),
            grey.mean(),
            grey.std(),
            np.log(means[0] / means[1]),
            np.log(means[2] / means[1]),
            cv2.cvtColor(image, cv2.COLOR_RGB2HSV)[..., 1].mean(),
            np.log((on_grid + 1e-3) / (off_grid + 1e-3)),
        ]
    )


def table(images) -> np.ndarray:
    """[N, factors] of uint8 [256, 256, 3] pictures, one at a time."""
    return np.stack([factors(images[i]) for i in range(len(images))])


def cached_table(folder: Path, split: str, images) -> np.ndarray:
    """The table of a split, kept beside its crops; the name carries the manifest's hash."""
    digest = hashlib.sha256((folder / "manifest.csv").read_bytes()).hexdigest()[:16]
    path = folder / f"nuisance-{split}-{digest}.npy"
    if not path.is_file():
        with whole.file(path) as partial:
            np.save(partial, table(images))
    return np.load(path)


def fit(x: np.ndarray, y: np.ndarray, steps: int = 2000, rate: float = 0.3, decay: float = 1e-3):
    """Logistic regression by gradient descent; returns a scoring function."""
    mean, std = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = np.column_stack([(x - mean) / std, np.ones(len(x))])
    w = np.zeros(z.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-z @ w))
        w -= rate * (z.T @ (p - y) / len(y) + decay * w)
    return lambda q: np.column_stack([(q - mean) / std, np.ones(len(q))]) @ w


def probe(train_x, train_y, test_x, test_y) -> dict[str, float]:
    """AUC on test of all factors together and of each alone (direction chosen on train)."""
    out = {}
    for name, columns in [("all", slice(None))] + [(n, [i]) for i, n in enumerate(NAMES)]:
        score = fit(train_x[:, columns], train_y)
        s = score(test_x[:, columns])
        out[name] = metrics.auc(s[test_y == 1], s[test_y == 0])
    return out


def matching_weights(x: np.ndarray, y: np.ndarray, bins: int = 20) -> np.ndarray:
    """Sampling weights under which both classes have the same distribution of the probe's score.

    Crops are binned by the score of a logistic regression on their factors; in each bin the more
    frequent class is thinned to the other's count. The score then says nothing about the class.
    """
    score = fit(x, y)(x)
    edges = np.quantile(score, np.linspace(0, 1, bins + 1)[1:-1])
    of_bin = np.searchsorted(edges, score)
    counts = np.stack([np.bincount(of_bin[y == c], minlength=bins) for c in (0, 1)])
    both = counts.min(axis=0)
    return both[of_bin] / np.maximum(1, counts[y, of_bin])


def report(train_x, train_y, test_x, test_y, seed: int) -> dict[str, dict[str, float]]:
    """The probe on the crops as rendered, and on a draw with matching weights, as training sees them."""
    rng = np.random.default_rng(seed)

    def matched(x, y):
        w = matching_weights(x, y)
        half = len(y) // 2
        ids = [rng.choice(np.flatnonzero(y == c), half, p=w[y == c] / w[y == c].sum()) for c in (0, 1)]
        ids = np.concatenate(ids)
        return x[ids], y[ids]

    return {
        "as_rendered": probe(train_x, train_y, test_x, test_y),
        "matched": probe(*matched(train_x, train_y), *matched(test_x, test_y)),
    }
