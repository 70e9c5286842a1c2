"""How far simulated or rendered pictures are from real ones: the same factors of light, colour and detail on both, side by side.

A factor of which real attacks have more than real bona fide pictures should have the same sign where pictures are made by code, and
should overlap: neither class may be told by one factor alone, and none of reality may lie outside of what is made.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np

from .. import plots
from ..loading import nuisance
from .realpictures import auc

WINDOW = 15  # pixels of the local standard deviation
FLAT = 0.1  # share of the picture that counts as flat
PLOT_ROWS, PLOT_COLUMNS = 3, 4


def _luma(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)


def sharpness(image: np.ndarray) -> float:
    """log10 of the Laplacian's variance."""
    return float(np.log10(cv2.Laplacian(_luma(image), cv2.CV_32F).var() + 1e-3))


def _spectrum(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(radius in cycles per pixel, power) of luma under a Hann window."""
    grey = _luma(image)
    window = np.outer(np.hanning(grey.shape[0]), np.hanning(grey.shape[1]))
    power = np.abs(np.fft.rfft2((grey - grey.mean()) * window)) ** 2
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(grey.shape[0]), np.fft.rfftfreq(grey.shape[1]), indexing="ij"))
    return radius.ravel(), power.ravel()


def high_share(image: np.ndarray) -> float:
    """log10 of the share of power above a quarter cycle per pixel."""
    radius, power = _spectrum(image)
    return float(np.log10(power[radius > 0.25].sum() / (power.sum() + 1e-9) + 1e-9))


def slope(image: np.ndarray) -> float:
    """Of log power over log frequency between 0.02 and 0.4 cycles per pixel."""
    radius, power = _spectrum(image)
    edges = np.geomspace(0.02, 0.4, 13)
    means = [power[(radius >= a) & (radius < b)].mean() for a, b in zip(edges, edges[1:])]
    return float(np.polyfit(np.log10(np.sqrt(edges[1:] * edges[:-1])), np.log10(np.array(means) + 1e-6), 1)[0])


def _local_deviation(image: np.ndarray) -> np.ndarray:
    grey = _luma(image)
    mean, square = cv2.blur(grey, (WINDOW, WINDOW)), cv2.blur(grey * grey, (WINDOW, WINDOW))
    return np.sqrt(np.maximum(square - mean * mean, 0))


def flat_noise(image: np.ndarray) -> float:
    """Median deviation from a smoothed copy in the flattest tenth."""
    grey, local = _luma(image), _local_deviation(image)
    rest = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.5))
    return float(1.48 * np.median(rest[local <= np.quantile(local, FLAT)]))


FACTORS = {
    "log10 Laplacian variance": sharpness,
    "log10 high-frequency share": high_share,
    "spectral slope": slope,
    "local standard deviation": lambda image: float(np.median(_local_deviation(image))),
    "luma, mean": lambda image: float(_luma(image).mean()),
    "luma, 2 %": lambda image: float(np.quantile(_luma(image), 0.02)),
    "luma, 98 %": lambda image: float(np.quantile(_luma(image), 0.98)),
    "saturation": lambda image: float(cv2.cvtColor(image, cv2.COLOR_RGB2HSV)[..., 1].mean()),
    "red over blue, log": lambda image: float(np.log((image[..., 0].mean() + 1) / (image[..., 2].mean() + 1))),
    "clipped above 250, %": lambda image: float(100 * (_luma(image) > 250).mean()),
    "noise in flat areas": flat_noise,
}


def table(images) -> np.ndarray:
    """[N, factors] of uint8 [256, 256, 3] pictures."""
    return np.array([[factor(images[i]) for factor in FACTORS.values()] for i in range(len(images))]).reshape(-1, len(FACTORS))


@dataclasses.dataclass
class Sample:
    """Factors of one set of pictures."""

    factors: np.ndarray  # [N, factors]
    labels: np.ndarray  # [N], 1 bona fide

    def median(self, label: int) -> np.ndarray:
        return np.median(self.factors[self.labels == label], axis=0)

    def larger(self) -> np.ndarray:
        """Probability that an attack has the larger value than a bona fide picture; 0.5: no difference."""
        return np.array([auc(-column, self.labels) for column in self.factors.T])


def inside(real: np.ndarray, made: np.ndarray) -> float:
    """Share of the real values that lie within the middle 95 % of those that were made."""
    low, high = np.quantile(made, (0.025, 0.975))
    return float(((real >= low) & (real <= high)).mean())


def transfer(made: Sample, real: Sample) -> float:
    """AUC on real pictures of a logistic regression fitted on made ones: below 0.5 the maker stands on the wrong side."""
    return auc(nuisance.fit(made.factors, made.labels)(real.factors), real.labels)


def markdown(real: Sample, made: Sample) -> str:
    lines = [
        "| factor | real bona fide | real attack | made bona fide | made attack | P real | P made | real inside: bona fide | attack |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    columns = [real.median(1), real.median(0), made.median(1), made.median(0), real.larger(), made.larger()]
    for n, name in enumerate(FACTORS):
        shares = [inside(real.factors[real.labels == y, n], made.factors[made.labels == y, n]) for y in (1, 0)]
        values = " | ".join(f"{column[n]:.2f}" for column in columns)
        lines.append(f"| {name} | {values} | {100 * shares[0]:.0f} % | {100 * shares[1]:.0f} % |")
    lines.append(f"\nA logistic regression on the factors, fitted on made pictures: AUC {transfer(made, real):.3f} on the real ones.")
    return "\n".join(lines)


def plot(real: Sample, made: Sample, out: Path) -> None:
    """Of each factor, real beside made: median, middle half (box) and middle 95 % (whiskers) of bona fide pictures and of attacks."""
    fig, axes = plots.figure(11, 7.5, rows=PLOT_ROWS, columns=PLOT_COLUMNS)
    for n, (axis, name) in enumerate(zip(axes.flat, FACTORS)):
        groups = [sample.factors[sample.labels == label, n] for sample in (real, made) for label in (1, 0)]
        boxes = axis.boxplot(groups, whis=(2.5, 97.5), showfliers=False, widths=0.6, patch_artist=True, medianprops={"color": "black"})
        for box, colour in zip(boxes["boxes"], ("#1b7f5c", "#b8572a") * 2):
            box.set(facecolor=colour, alpha=0.6, linewidth=0)
        axis.set_xticks(range(1, 5), ["bona fide", "attack"] * 2, fontsize=7)
        axis.set_title(name)
        axis.set_xlabel("real | made", fontsize=8)
    for axis in axes.flat[len(FACTORS) :]:
        axis.set_axis_off()
    plots.save(fig, out)
