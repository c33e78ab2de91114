"""Scores predictions with SAM 3's own cgF1 and says how long that took, for bench/verify-cgf1.ts.

    python bench/verify-cgf1.py SAM3 CASE...

SAM3 is a checkout of github.com/facebookresearch/sam3, or a folder with its cgf1_eval.py. CASE is a folder of
predictions.json and truth-0.json, truth-1.json and so on. Needs numpy, scipy, pycocotools and tqdm; of the checkout
only that file is read. Prints a list of {reading, scoring, stats}: seconds
of the processor, the median of three runs where CASE ends in "+". Reading is what json.load takes for the files.
"""

import contextlib
import glob
import importlib.util
import io
import json
import os
import sys
import time
import warnings

checkout, *cases = sys.argv[1:]
path = os.path.join(checkout, "sam3/eval/cgf1_eval.py")
if not os.path.exists(path):
    path = os.path.join(checkout, "cgf1_eval.py")
spec = importlib.util.spec_from_file_location("cgf1_eval", path)
official = importlib.util.module_from_spec(spec)
spec.loader.exec_module(official)
# Where no pair counts, the official code divides by none.
warnings.simplefilter("ignore")
found = []
for case in cases:
    folder = case.removesuffix("+")
    truths = sorted(glob.glob(os.path.join(folder, "truth-*.json")))
    predictions = os.path.join(folder, "predictions.json")
    times = []
    for _ in range(3 if case != folder else 1):
        start = time.process_time()
        for path in [*truths, predictions]:
            with open(path) as file:
                json.load(file)
        reading = time.process_time() - start
        start = time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            evaluator = official.CGF1Evaluator(truths, iou_type="bbox")
            stats = evaluator.evaluate(predictions)
        times.append((time.process_time() - start - reading, reading))
    scoring, reading = sorted(times)[len(times) // 2]
    stats = {name.removeprefix("cgF1_eval_bbox_"): value for name, value in stats.items()}
    found.append({"reading": reading, "scoring": scoring, "stats": stats})
print(json.dumps(found))
