"""Skin of a face: where its cheeks and forehead are, how much detail of each size it has, and its tone.

Detail is the power of contrast (luma over its mean, so that a dark face counts as a bright one) per square cycle, averaged over directions.
"""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from ..loading import rendered

EDGES = 0.5 * 2.0 ** (np.arange(-8, 1) / 2)  # cycles per pixel: half octaves up to the finest
SKIN_FROM = 3  # the first band of which a patch of skin holds a few cycles
PATCH = 48  # pixels of a patch in a crop
WIDE = 0.76  # of a usual face box, width over height
FINE = 6  # the first band of what portraits lack
FULL = 5.6e-4  # mean power of the finest octave on the cheeks of 28 portraits of 593 to 1024 pixels at the bank's scale, the median

# Del Bino's classes by the individual typology angle (Chardon et al. 1991), each from its angle up, in degrees.
TONES = (("very light", 55.0), ("light", 41.0), ("intermediate", 28.0), ("tan", 10.0), ("brown", -30.0), ("dark", -91.0))
UNTOLD, GREY = "not told", 2.0  # of skin whose b* is below this: a grey or blue picture, where the angle says nothing
MOST = 4.0  # times as often as another is a portrait drawn, at most


def places(points) -> np.ndarray:
    """Middles of left cheek, right cheek, forehead, [3, 2], of a face's five landmarks."""
    left_eye, right_eye, _, left_mouth, right_mouth = np.asarray(points, float)
    eyes, mouth, out = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2, 0.2 * (left_eye - right_eye)
    return np.array([(left_eye + left_mouth) / 2 + out, (right_eye + right_mouth) / 2 - out, eyes + 0.5 * (eyes - mouth)])


def patch(image: np.ndarray, middle, side: int) -> np.ndarray:
    """[side, side, …] about ``middle``, moved inwards at the picture's border."""
    left, top = (int(np.clip(round(at - side / 2), 0, max(0, size - side))) for at, size in zip(middle, image.shape[1::-1]))
    return image[top : top + side, left : left + side]


def cheeks(image: np.ndarray, points) -> list[np.ndarray]:
    """Luma [PATCH, PATCH] of both cheeks of a crop."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return [patch(grey, middle, PATCH) for middle in places(points)[:2]]


def power(grey: np.ndarray) -> np.ndarray:
    """Power of each band of EDGES in a square of luma, under a Hann window; NaN where a band has no frequency of the square."""
    window = np.hanning(len(grey) + 2)[1:-1]
    window = np.outer(window, window)
    mean = (window * grey).sum() / window.sum()
    found = np.abs(np.fft.rfft2(window * (grey / max(mean, 1.0) - 1))) ** 2 / (window**2).sum()
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(len(grey)), np.fft.rfftfreq(len(grey)), indexing="ij"))
    inside = [(radius >= a) & (radius < b) for a, b in zip(EDGES, EDGES[1:])]
    return np.array([found[at].mean() if at.any() else np.nan for at in inside])


def usual(side: int, face: float) -> tuple[float, float, float, float]:
    """Box of a usual face, ``face`` pixels high, in the middle of a square."""
    middle, high = side / 2, face / 2
    return middle - WIDE * high, middle - high, middle + WIDE * high, middle + high


def lack(square: np.ndarray, face: float) -> float:
    """Deviation of a grain, as contrast, that gives skin as much of the finest octave as large portraits have; 0 where nothing is missing."""
    found = np.mean([power(cheek)[FINE:].mean() for cheek in cheeks(square, rendered.usual_points(usual(len(square), face)))])
    return float(np.sqrt(max(0.0, FULL - found)))


@dataclasses.dataclass(frozen=True)
class Tone:
    """Individual typology angle of the skin and of either cheek, in degrees; NaN where it is not told."""

    angle: float
    left: float
    right: float

    @property
    def name(self) -> str:
        return named(self.angle)


def named(angle: float) -> str:
    return next((name for name, least in TONES if angle > least), UNTOLD)


def tone(image: np.ndarray, points) -> Tone:
    """Of cheeks and forehead, by the median of their pixels. The light of the picture counts as skin."""
    apart = float(np.hypot(*(np.asarray(points[0], float) - np.asarray(points[1], float))))
    side = max(3, round(0.4 * apart))
    patches = [patch(image, middle, side).reshape(-1, 3) for middle in places(points)]
    return Tone(*(_angle(pixels) for pixels in (np.concatenate(patches), patches[0], patches[1])))


def _angle(pixels: np.ndarray) -> float:
    """atan((L* − 50) / b*) of the median colour of RGB [n, 3]; NaN without yellow."""
    lightness, _, blue_yellow = np.median(cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0], axis=0)
    return float(np.degrees(np.arctan2(lightness - 50, blue_yellow))) if blue_yellow >= GREY else float("nan")


def count(names: list[str]) -> dict[str, int]:
    """Portraits of each class, the lightest first."""
    return {name: names.count(name) for name in (*(name for name, _ in TONES), UNTOLD)}


def weights(names: list[str]) -> np.ndarray:
    """[N] chances of being drawn that make the classes as equal as they get when no portrait is drawn more than MOST times as often as another.
    Those that are not told are drawn as often as portraits are on the mean of their number."""
    counts = count(names) | {UNTOLD: len(names) / len(TONES)}
    each = 1 / np.array([counts[name] for name in names], float)
    each = np.minimum(each, MOST * each.min())
    return each / each.sum()


def markdown(sets: dict[str, list[Tone]]) -> str:
    """Portraits of each class in each set, the shares in which balanced drawing shows them, and how much the light says in place of the skin."""
    lines = ["| tone | " + " | ".join(f"{name} | balanced" for name in sets) + " |", "|---|" + "---|---|" * len(sets)]
    names = {name: [tone.name for tone in tones] for name, tones in sets.items()}
    shares = {name: dict(zip(found, weights(found))) for name, found in names.items() if found}
    for tone in (*(tone for tone, _ in TONES), UNTOLD):
        told = (f"{found.count(tone)} | {100 * found.count(tone) * shares.get(name, {}).get(tone, 0):.0f} %" for name, found in names.items())
        lines.append(f"| {tone} | " + " | ".join(told) + " |")
    apart = {name: np.array([abs(tone.left - tone.right) for tone in tones]) for name, tones in sets.items()}
    told = (found[np.isfinite(found)] for found in apart.values())
    lines.append("| between the cheeks | " + " | ".join(f"{np.median(found):.0f}° | " if len(found) else " | " for found in told) + " |")
    return "\n".join(lines)
