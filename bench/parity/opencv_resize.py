"""Writes test/pictures/fixtures/opencv-resize.json: single bytes of what `cv2.resize` makes of pictures, and sums that no wrong
byte leaves alone. The pictures are those of test/teacher/pictures.ts, the first one cut to even sides. Needs numpy and OpenCV.

    python bench/parity/opencv_resize.py
"""

import json
from pathlib import Path

import cv2
import numpy

SIZES = [(16, 20), (64, 64), (200, 31), (17, 90), (180, 160), (9, 8), (300, 200), (1, 1)]


def picture(index: int) -> numpy.ndarray:
    width, height = 33 + index * 37 % 115, 40 + index * 29 % 86
    y, x = numpy.mgrid[:height, :width]
    channels = [
        (x * (3 + index) + y * (5 + 2 * c) + ((x >> 3 ^ y >> 3) & 1) * 70 + 40 * c + (x * y >> 5) * (c + 1)) & 255 for c in range(3)
    ]
    return numpy.stack(channels, -1).astype(numpy.uint8)


cases = []
for index, size in enumerate(SIZES):
    source = picture(index)
    if index == 0:
        # Exactly twice the size asked for: OpenCV takes means of four then.
        source = source[: 2 * size[1], : 2 * size[0]]
    values = cv2.resize(source, size).astype(int).flatten()
    weights = numpy.arange(values.size) % 997
    cases.append({"size": size, "sample": values[:: max(1, values.size // 40)].tolist(), "sum": int((values * weights).sum())})
path = Path(__file__).parents[2] / "test/pictures/fixtures/opencv-resize.json"
path.write_text(json.dumps({"opencv": cv2.__version__, "cases": cases}, separators=(",", ":")) + "\n")
