"""Writes test/evaluate/fixtures/lvis-ap.json: randomised detections and the lvis package's numbers for them.

    python bench/parity/lvis_ap.py        needs lvis, pycocotools and numpy
"""

import json
import logging
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import numpy as np

# lvis draws with these and scores without them; and it names a type that NumPy no longer has.
for name in ("matplotlib", "matplotlib.pyplot", "matplotlib.patches", "matplotlib.collections", "cv2"):
    sys.modules.setdefault(name, ModuleType(name))
for name in ("Polygon", "Rectangle"):
    setattr(sys.modules["matplotlib.patches"], name, None)
sys.modules["matplotlib.collections"].PatchCollection = None
if not hasattr(np, "float"):
    np.float = float
logging.disable(logging.WARNING)

from lvis import LVIS, LVISEval, LVISResults  # noqa: E402

KEYS = ["AP", "AP50", "AP75", "APs", "APm", "APl", "APr", "APc", "APf", "AR@{}", "ARs@{}", "ARm@{}", "ARl@{}"]


def lvis(dataset, detections, most_of_image=300, most_of_category=None):
    """The thirteen numbers; with most_of_category, Fixed AP as its authors and GLIP compute it."""
    truth = LVIS.__new__(LVIS)
    truth.logger = logging.getLogger("lvis")
    truth.dataset = dataset
    truth._create_index()
    if most_of_category is not None:
        by_category = defaultdict(list)
        for d in detections:
            by_category[d["category_id"]].append(d)
        detections = [
            d
            for own in by_category.values()
            for d in sorted(own, key=lambda d: d["score"], reverse=True)[:most_of_category]
        ]
    results = LVISResults(truth, [dict(d) for d in detections], max_dets=most_of_image)
    evaluation = LVISEval(truth, results, "bbox")
    evaluation.params.max_dets = most_of_image
    evaluation.run()
    return [float(evaluation.results[key.format(most_of_image)]) for key in KEYS]


def fixture(name, seed, images, categories, boxes, ties=False, whole=False, ignore=0.0, ids=1, limits=None):
    """With `whole`, overlaps exactly at the thresholds, equal ones, and areas exactly at 32 x 32 and 96 x 96; with `ids`,
    ids that are neither dense nor in order. Some categories have no boxes, some of those no detections either; crowds are
    marked, which LVIS does not heed."""
    rng = np.random.default_rng(seed)
    dataset = dict(images=[], annotations=[], categories=[])
    detections = []
    for category in rng.permutation(categories):
        dataset["categories"].append(dict(id=int(category) * ids + 1, frequency=str(rng.choice(["r", "c", "f"]))))
    for image in rng.permutation(images):
        kinds = [int(c) for c in rng.permutation(categories)]
        shown, negative, unknown = kinds[: categories // 2], kinds[categories // 2 : -2], kinds[-2:]
        shown = [c for c in shown if c % 5 != 4]
        loose = [c for c in shown if rng.random() < 0.3]
        image_id = int(image) * ids + 1
        dataset["images"].append(
            dict(
                id=image_id,
                neg_category_ids=[c * ids + 1 for c in negative],
                not_exhaustive_category_ids=[c * ids + 1 for c in loose],
            )
        )

        def detect(bbox, category):
            score = float(rng.integers(1, 6)) / 5 if ties else float(round(rng.random(), 4))
            detections.append(dict(image_id=image_id, category_id=category * ids + 1, bbox=bbox, score=score))

        for _ in range(rng.integers(0, boxes + 1)):
            if not shown:
                break
            if whole:
                w, h = [int(rng.choice([32, 96]))] * 2 if rng.random() < 0.5 else [int(v) for v in rng.choice([12, 24, 60, 96, 120], 2)]
                x, y = (int(v) for v in rng.integers(0, 8, 2) * 8)
            else:
                x, y, w, h = (float(round(v, 2)) for v in (*rng.uniform(0, 400, 2), *np.exp(rng.uniform(1.5, 5.5, 2))))
            category = int(rng.choice(shown))
            area = float(w * h) if whole else round(w * h * float(rng.uniform(0.5, 1)), 2)
            annotation = dict(id=len(dataset["annotations"]) + 1, image_id=image_id, category_id=category * ids + 1, bbox=[x, y, w, h], area=area)
            annotation["iscrowd"] = int(rng.random() < 0.1)
            if rng.random() < ignore:
                annotation["ignore"] = 1
            dataset["annotations"].append(annotation)
            for _ in range(rng.integers(0, 4)):
                if whole:
                    kind = rng.integers(5)
                    near = [[x, y, w, h], [x + w // 3, y, w, h], [x + w // 4, y, w, h], [x, y, w, h * 3 // 4], [x, y, w * 4 // 5, h]][kind]
                else:
                    move = rng.normal(0, 0.12, 4) * [w, h, w, h]
                    near = [float(round(a + b, 2)) for a, b in zip((x, y, w, h), move)]
                    near = near[:2] + [max(1.0, v) for v in near[2:]]
                detect(near, category if rng.random() < 0.8 else int(rng.integers(categories)))
        for category in [*rng.permutation(negative)[:2], *rng.permutation(unknown)[:1]]:
            detect([float(v) for v in (*rng.integers(0, 300, 2), *rng.integers(5, 120, 2))], int(category))
    stats = lvis(dataset, detections, **(limits or {}))
    return dict(name=name, dataset=dataset, detections=detections, limits=limits or {}, stats=stats)


FIXTURES = [
    ("plain", dict(seed=1, images=12, categories=8, boxes=6)),
    ("equal scores and ignored boxes", dict(seed=2, images=12, categories=8, boxes=6, ties=True, ignore=0.2)),
    ("areas and overlaps exactly at the bounds", dict(seed=3, images=25, categories=6, boxes=7, whole=True, ties=True)),
    ("ids with gaps, out of order", dict(seed=4, images=20, categories=7, boxes=5, whole=True, ids=37)),
    ("more detections in a picture than count", dict(seed=5, images=8, categories=6, boxes=12, ties=True, limits=dict(most_of_image=7))),
    ("Fixed AP", dict(seed=6, images=14, categories=8, boxes=8, ties=True, limits=dict(most_of_image=-1, most_of_category=9))),
    ("Fixed AP, ignored boxes", dict(seed=7, images=14, categories=8, boxes=8, ignore=0.2, limits=dict(most_of_image=-1, most_of_category=6))),
    ("many categories", dict(seed=8, images=25, categories=30, boxes=6, ties=True, ignore=0.05)),
]

if __name__ == "__main__":
    fixtures = [fixture(name, **settings) for name, settings in FIXTURES]
    path = Path(__file__).parents[2] / "test/evaluate/fixtures/lvis-ap.json"
    path.write_text(json.dumps(fixtures, separators=(",", ":")) + "\n")
    print(f"{path}: {len(fixtures)} fixtures")
    for f in fixtures:
        print(f"{f['name']}: {len(f['detections'])} detections,", " ".join(f"{v:.3f}" for v in f["stats"]))
