"""Scores detections with pycocotools or lvis and says how long that took, for bench/evaluate.ts.

    python bench/parity/time_evaluators.py coco|lvis|fixed TRUTH.json DETECTIONS.json
"""

import contextlib
import io
import json
import sys
import time

from lvis_ap import lvis
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

kind, truth, found = sys.argv[1:4]
detections = json.load(open(found))
start = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    if kind == "coco":
        gold = COCO(truth)
        evaluation = COCOeval(gold, gold.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        stats = [float(value) for value in evaluation.stats]
    else:
        limits = {} if kind == "lvis" else {"most_of_image": -1, "most_of_category": 10000}
        stats = lvis(json.load(open(truth)), detections, **limits)
print(json.dumps({"seconds": time.perf_counter() - start, "stats": stats}))
