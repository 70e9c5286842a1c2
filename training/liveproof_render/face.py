"""Where a face lies in a picture."""

from __future__ import annotations

import dataclasses

# Left eye, right eye, nose, left and right corner of the mouth (as seen in the image), shares of the box: where they usually are.
USUAL = ((0.31, 0.40), (0.69, 0.40), (0.5, 0.60), (0.35, 0.78), (0.65, 0.78))


@dataclasses.dataclass(frozen=True)
class Face:
    """Box (x1, y1, x2, y2) and five landmarks in pixels."""

    box: tuple[float, float, float, float]
    points: tuple[tuple[float, float], ...]

    @staticmethod
    def usual(box) -> Face:
        """A face of which only the box is known."""
        x1, y1, x2, y2 = box
        return Face(tuple(box), tuple((x1 + a * (x2 - x1), y1 + b * (y2 - y1)) for a, b in USUAL))

    @property
    def width(self) -> float:
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]

    @property
    def side(self) -> float:
        return max(self.width, self.height)

    @property
    def centre(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    def moved(self, dx: float, dy: float) -> Face:
        x1, y1, x2, y2 = self.box
        return Face((x1 + dx, y1 + dy, x2 + dx, y2 + dy), tuple((x + dx, y + dy) for x, y in self.points))

    def scaled(self, factor: float) -> Face:
        return Face(tuple(factor * c for c in self.box), tuple((factor * x, factor * y) for x, y in self.points))

    def mirrored(self, width: float) -> Face:
        """In a picture of that width turned left to right; left and right change places."""
        x1, y1, x2, y2 = self.box
        left_eye, right_eye, nose, left_mouth, right_mouth = ((width - x, y) for x, y in self.points)
        return Face((width - x2, y1, width - x1, y2), (right_eye, left_eye, nose, right_mouth, left_mouth))
