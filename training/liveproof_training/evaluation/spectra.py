"""Power spectra of whole crops and of the skin of their cheeks, over a few octaves up to half a cycle per pixel: real pictures beside made ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from liveproof_base import crop

from .. import plots
from ..loading import rendered
from ..simulation import skin

SAME = 0.1  # faces within this of the median size count as equally large
PARTS = {"whole": 0, "skin": skin.SKIN_FROM}  # the first band of each that is told

Box = tuple[float, float, float, float]


@dataclasses.dataclass
class Spectra:
    """Decibels [N, bands] of whole crops and of skin; ``uneven`` [N]: how many times as bright as the other the brighter cheek is."""

    whole: np.ndarray
    skin: np.ndarray
    uneven: np.ndarray

    def only(self, keep: np.ndarray) -> Spectra:
        return Spectra(self.whole[keep], self.skin[keep], self.uneven[keep])

    def __len__(self) -> int:
        return len(self.uneven)


def of(images: Sequence[np.ndarray], find: Callable[[np.ndarray], Box | None]) -> Spectra:
    """Of crops uint8 [256, 256, 3]; ``find`` gives the box of the face in each, as the margin of a made crop is drawn."""
    found = [_one(np.ascontiguousarray(images[n]), find) for n in range(len(images))]
    return Spectra(*(np.array(column) for column in zip(*found)))


def _one(image: np.ndarray, find: Callable[[np.ndarray], Box | None]) -> tuple[np.ndarray, np.ndarray, float]:
    sides = skin.cheeks(image, rendered.usual_points(find(image) or skin.usual(crop.SIZE, crop.SIZE / crop.MARGIN)))
    left, right = (side.mean() + 1 for side in sides)
    whole = _decibels(skin.power(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)))
    return whole, np.mean([_decibels(skin.power(side)) for side in sides], axis=0), max(left / right, right / left)


def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(power + 1e-9)


def same_size(sides: np.ndarray) -> np.ndarray:
    """Whether a face's longer side is within a tenth of the median: such crops were all scaled about alike."""
    return np.abs(sides / np.median(sides) - 1) <= SAME


def markdown(sets: dict[str, Spectra]) -> str:
    """Medians of each band, the sets side by side."""
    lines = ["| dB, by cycles per pixel | " + " | ".join(f"{name} ({len(found)})" for name, found in sets.items()) + " |"]
    lines.append("|---|" + "---|" * len(sets))
    for part, first in PARTS.items():
        for n in range(first, len(skin.EDGES) - 1):
            medians = (f"{np.median(getattr(found, part)[:, n]):.1f}" for found in sets.values())
            lines.append(f"| {part}, {skin.EDGES[n]:.3f} to {skin.EDGES[n + 1]:.3f} | " + " | ".join(medians) + " |")
    lines.append("| brighter cheek over the other | " + " | ".join(f"{np.median(found.uneven):.2f}" for found in sets.values()) + " |")
    return "\n".join(lines)


def plot(sets: dict[str, Spectra], out) -> None:
    """Medians, and the middle half of the pictures as a band, over log frequency."""
    fig, axes = plots.figure(8.4, 3.4, columns=len(PARTS), sharey=True)
    for axis, (part, first) in zip(axes, PARTS.items()):
        at = np.sqrt(skin.EDGES[1:] * skin.EDGES[:-1])[first:]
        for (name, found), colour in zip(sets.items(), ("#1b7f5c", "#b8572a", "#4a5fb0", "#8d6a9f")):
            low, middle, high = np.quantile(getattr(found, part)[:, first:], (0.25, 0.5, 0.75), axis=0)
            axis.plot(at, middle, color=colour, lw=1.5, ls="-" if name.startswith("real") else "--", label=name)
            axis.fill_between(at, low, high, color=colour, alpha=0.12, lw=0)
        axis.set(xscale="log", xlabel="cycles per pixel", title=part)
        axis.set_xticks([0.0625, 0.125, 0.25, 0.5], ["1/16", "1/8", "1/4", "1/2"])
        axis.minorticks_off()
    axes[0].set_ylabel("power of contrast, dB")
    axes[0].legend(frameon=False, loc="lower left")
    plots.save(fig, out)
