"""Writes crops.json: what OpenCV makes of the crop that the model contract describes.

Run with Debian's python3-opencv:  /usr/bin/python3 detector/testdata/make_golden.py
The picture is a formula, so that only the expected pixels have to be stored: gradients with
hard edges in red, rings in green, noise in blue.
"""

import json
import pathlib

import cv2
import numpy as np

WIDTH, HEIGHT = 480, 360
MARGIN, CROP, INPUT = 1.3, 256, 224
SAMPLES = 300  # pixels compared in each crop

BOXES = [
    (200, 150, 230, 195),  # grows: side 58
    (100.25, 80.5, 201.75, 232.5),  # grows: side 198
    (150, 90, 320, 286.5),  # side 255
    (150, 90, 320, 286.9),  # side 256: copied
    (150, 90, 320, 288),  # side 257
    (120.3, 40.8, 290.9, 270.2),  # shrinks: side 298
    (60, 20, 400, 340),  # shrinks and leaves the picture: side 442
    (0, 0, 480, 394),  # side 624
    (-30, -20, 150, 190),  # over the top left corner
    (330, 200, 500, 400),  # over the bottom right corner
    (10, 10, 11.4, 11.2),  # side 2
    (-200, -300, 900, 800),  # much larger than the picture
]


def picture():
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.int64)
    red = (x * 5 + y * 3) & 255
    green = ((x * x + y * y) >> 4) & 255
    blue = ((x ^ y) * 37 + x * y) & 255
    return np.stack([red, green, blue], -1).astype(np.uint8)


def crop(image, box):
    x1, y1, x2, y2 = box
    side = max(2, int(round(MARGIN * max(x2 - x1, y2 - y1))))
    left = int(round((x1 + x2) / 2 - side / 2))
    top = int(round((y1 + y2) / 2 - side / 2))
    xs = np.clip(np.arange(left, left + side), 0, WIDTH - 1)
    ys = np.clip(np.arange(top, top + side), 0, HEIGHT - 1)
    how = cv2.INTER_AREA if side > CROP else cv2.INTER_LINEAR
    resized = cv2.resize(image[ys][:, xs], (CROP, CROP), interpolation=how)
    at = (CROP - INPUT) // 2
    return resized[at : at + INPUT, at : at + INPUT], (left, top, side)


def main():
    image = picture()
    rng = np.random.default_rng(1)
    cases = []
    for box in BOXES:
        box = tuple(float(np.float32(v)) for v in box)
        out, square = crop(image, box)
        at = rng.integers(0, INPUT, (SAMPLES, 2))
        cases.append(
            {
                "box": box,
                "square": square,
                "at": at.ravel().tolist(),
                "rgb": out[at[:, 1], at[:, 0]].ravel().tolist(),
                "mean": [round(float(v), 4) for v in out.mean((0, 1))],
            }
        )
    golden = {"opencv": cv2.__version__, "width": WIDTH, "height": HEIGHT, "cases": cases}
    path = pathlib.Path(__file__).with_name("crops.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
