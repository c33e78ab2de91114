"""What SAHI makes of the boxes of tiles, and where its tiles begin: test/boxes/fixtures/sahi.json.

    pip install sahi==0.12.8
    python bench/parity/sahi_boxes.py > test/boxes/fixtures/sahi.json
"""

import json
import random

from sahi.postprocess.combine import GreedyNMMPostprocess
from sahi.prediction import ObjectPrediction
from sahi.slicing import get_slice_bboxes


def merged(boxes, threshold):
    predictions = [
        ObjectPrediction(bbox=box[:4], score=box[4], category_id=0, category_name="a") for box in boxes
    ]
    post = GreedyNMMPostprocess(match_threshold=threshold, match_metric="IOS")
    return sorted(
        ([*map(float, one.bbox.to_xyxy()), float(one.score.value)] for one in post(predictions)),
        key=lambda box: -box[4],
    )


random.seed(7)
cases = []
for count, threshold in [(12, 0.5), (40, 0.5), (40, 0.3), (40, 0.9), (120, 0.5)]:
    boxes = []
    for at in range(count):
        x, y = random.randint(0, 200), random.randint(0, 200)
        width, height = random.randint(4, 60), random.randint(4, 60)
        boxes.append([x, y, x + width, y + height, (at * 7919 % 1009) / 1009])
    cases.append({"boxes": boxes, "threshold": threshold, "merged": merged(boxes, threshold)})

sizes = [(640, 480, 256, 0.2), (1000, 300, 512, 0.25), (512, 512, 512, 0.2), (513, 100, 512, 0.2), (2000, 1500, 333, 0.1)]
tiles = [
    {
        "width": width,
        "height": height,
        "size": size,
        "overlap": overlap,
        "places": [box[:2] for box in get_slice_bboxes(height, width, size, size, False, overlap, overlap)],
    }
    for width, height, size, overlap in sizes
]
print(json.dumps({"merged": cases, "tiles": tiles}))
