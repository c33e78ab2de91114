"""Writes test/evaluate/fixtures/coco-ap.json: randomised detections and pycocotools' numbers for them.

    python bench/parity/coco_ap.py        needs pycocotools and numpy
"""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def fixture(name, seed, images, categories, boxes, crowds=0.0, ties=False, empty=0):
    rng = np.random.default_rng(seed)
    truth, detections = [], []
    for image in range(images):
        for _ in range(rng.integers(0, boxes + 1)):
            x, y, w, h = (float(round(v, 2)) for v in (*rng.uniform(0, 400, 2), *np.exp(rng.uniform(1.5, 5.5, 2))))
            category = int(rng.integers(categories - empty))
            area = round(w * h * float(rng.uniform(0.5, 1)), 2)
            truth.append(dict(image=image, category=category, bbox=[x, y, w, h], area=area, iscrowd=bool(rng.random() < crowds)))
            for _ in range(rng.integers(0, 4)):
                move = rng.normal(0, 0.12, 4) * [w, h, w, h]
                near = [float(round(a + b, 2)) for a, b in zip((x, y, w, h), move)]
                score = float(rng.integers(1, 6)) / 5 if ties else float(round(rng.random(), 4))
                guess = category if rng.random() < 0.8 else int(rng.integers(categories))
                detections.append(dict(image=image, category=guess, bbox=near[:2] + [max(1.0, v) for v in near[2:]], score=score))
    return dict(name=name, truth=truth, detections=detections, stats=pycocotools(truth, detections, range(images), range(categories)))


def grid(name, seed, images, categories, ids=1):
    """Whole pixels: areas exactly at 32 x 32 and 96 x 96, overlaps exactly at a threshold, equal overlaps, equal scores,
    categories that nothing detects, pictures without boxes; with `ids`, ids that are neither dense nor in order."""
    rng = np.random.default_rng(seed)
    truth, detections = [], []
    for image in rng.permutation(images) * ids:
        for _ in range(rng.integers(0, 7)):
            w, h = (int(v) for v in rng.choice([12, 24, 60, 96, 120], 2)) if rng.random() < 0.5 else [int(rng.choice([32, 96]))] * 2
            x, y = (int(v) for v in rng.integers(0, 8, 2) * 8)
            category = int(rng.integers(categories)) * ids
            truth.append(dict(image=int(image), category=category, bbox=[x, y, w, h], area=float(w * h), iscrowd=bool(rng.random() < 0.15)))
            for _ in range(rng.integers(0, 4)):
                # Overlaps of 1, 1/2, 3/5, 3/4 and 4/5 with the box.
                kind = rng.integers(5)
                near = [[x, y, w, h], [x + w // 3, y, w, h], [x + w // 4, y, w, h], [x, y, w, h * 3 // 4], [x, y, w * 4 // 5, h]][kind]
                guess = category if rng.random() < 0.9 else int(rng.integers(max(1, categories - 1))) * ids
                detections.append(dict(image=int(image), category=guess, bbox=near, score=float(rng.integers(1, 5)) / 4))
    stats = pycocotools(truth, detections, [i * ids for i in range(images)], [c * ids for c in range(categories)])
    return dict(name=name, truth=truth, detections=detections, stats=stats)


def pycocotools(truth, detections, images, categories):
    coco = COCO()
    coco.dataset = dict(
        images=[dict(id=i) for i in images],
        categories=[dict(id=c) for c in categories],
        annotations=[
            dict(id=i + 1, image_id=t["image"], category_id=t["category"], bbox=t["bbox"], area=t["area"], iscrowd=int(t["iscrowd"]))
            for i, t in enumerate(truth)
        ],
    )
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        found = coco.loadRes([dict(image_id=d["image"], category_id=d["category"], bbox=d["bbox"], score=d["score"]) for d in detections])
        evaluation = COCOeval(coco, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(v) for v in evaluation.stats]


fixtures = [
    fixture("plain", 1, 12, 3, 6),
    fixture("crowds", 2, 10, 3, 6, crowds=0.3),
    fixture("equal scores", 3, 10, 2, 6, ties=True),
    fixture("categories without boxes, crowds and equal scores", 4, 8, 5, 5, crowds=0.2, ties=True, empty=2),
    fixture("over a hundred detections of one category in a picture", 5, 2, 1, 120),
    grid("areas and overlaps exactly at the bounds", 6, 30, 3),
    grid("ids with gaps, out of order", 7, 20, 4, ids=37),
    fixture("many categories, crowds and equal scores", 8, 30, 12, 5, crowds=0.1, ties=True, empty=3),
]
path = Path(__file__).parents[2] / "test/evaluate/fixtures/coco-ap.json"
path.write_text(json.dumps(fixtures) + "\n")
print(f"{path}: {len(fixtures)} fixtures")
