"""Writes test/evaluate/fixtures/odd-files.json: files as nobody should write them, and what pycocotools and lvis make of them.

    python bench/parity/odd_files.py        needs pycocotools, lvis and numpy

Each case has one oddity, the last ones all of them. Files are kept as text: some have NaN, as Python writes it.

    python bench/parity/odd_files.py --random 100 [--seed 0]

prints as many of each program, with drawn oddities, and keeps nothing.
"""

import argparse
import contextlib
import io
import json
import logging
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

# lvis asks for a name that NumPy no longer has.
np.float = float
from lvis import LVIS, LVISEval, LVISResults  # noqa: E402
from pycocotools.coco import COCO  # noqa: E402
from pycocotools.cocoeval import COCOeval  # noqa: E402

logging.disable(logging.CRITICAL)

ODDITIES = [
    "ids from 0",
    "repeated ids",
    "areas",
    "ignore",
    "crowds",
    "pictures and categories that are not listed",
    "sides below 1",
    "entries twice",
    "scores",
    "ids over 2^53",
    "ids that are texts",
]
# Which the official programs refuse, and so has no numbers.
FOREIGN = "answers about other pictures"


def case(name, seed, protocol, odd):
    r = random.Random(f"{name} {seed} {protocol}")
    has = lambda oddity: oddity in odd
    image_id = lambda k: f"p{9 - k}" if has("ids that are texts") else 2**53 + k if has("ids over 2^53") else 3 * k
    images, categories = [image_id(k) for k in range(4)], [1, 2, 5]

    def box():
        return [r.randint(0, 10) * 8, r.randint(0, 10) * 8, r.choice([16, 32, 48, 96, 128]), r.choice([16, 32, 48, 96, 128])]

    annotations = []
    for image in images:
        for _ in range(r.randint(2, 5)):
            x, y, w, h = box()
            own = dict(id=len(annotations) + (0 if has("ids from 0") else 1), image_id=image, category_id=r.choice(categories))
            own |= dict(bbox=[x, y, w, h], area=w * h, iscrowd=0)
            if has("areas") and r.random() < 0.4:
                own["area"] = r.choice([0, 1024, -5, float("nan"), float("inf")])
            if has("ignore") and r.random() < 0.4:
                own["ignore"] = r.choice([1, True, "0", 2])
            if has("crowds") and r.random() < 0.5:
                own["iscrowd"] = r.choice([1, True, "1", "0", 0.5])
            if has("pictures and categories that are not listed") and r.random() < 0.3:
                own |= r.choice([dict(image_id=image_id(8)), dict(category_id=7)])
            if has("sides below 1") and r.random() < 0.3:
                own["bbox"][r.choice([2, 3])] *= r.choice([-1, 0])
            annotations.append(own)
    if has("repeated ids"):
        for _ in range(4):
            r.choice(annotations)["id"] = r.choice(annotations)["id"]
    r.shuffle(annotations)
    listed = [dict(id=i) for i in images]
    named = [dict(id=c, name=f"thing {c}", frequency=r.choice("rcf")) for c in categories]
    for image in listed:
        image |= dict(neg_category_ids=r.sample(categories, 2), not_exhaustive_category_ids=r.sample(categories, r.randint(0, 1)))
    if has("entries twice"):
        listed, named = listed + listed[:2], named[:1] + named
    r.shuffle(listed)

    detections = []
    for image in images:
        near = [a for a in annotations if a["image_id"] == image]
        for _ in range(r.randint(3, 9)):
            (x, y, w, h), category = box(), r.choice(categories)
            if near and r.random() < 0.8:
                of = r.choice(near)
                (x, y, w, h), category = of["bbox"], of["category_id"]
                w *= r.choice([1, 1, 0.75, 0.9])
            if has("pictures and categories that are not listed") and r.random() < 0.2:
                category = 7
            if has("sides below 1") and r.random() < 0.2:
                w *= r.choice([-1, 0])
            score = r.choice([0.25, 0.5, 0.75, round(r.random(), 3)])
            if has("scores"):
                score = r.choice([score, 0, 1, -1, 2] + [float("nan")] * (protocol == "coco"))
            detections.append(dict(image_id=image, category_id=category, bbox=[x, y, w, h], score=score))
    if has("ids from 0"):
        # Whatever is drawn, something finds annotation 0.
        zero = next((a for a in annotations if a["id"] == 0), annotations[0])
        if zero["image_id"] in images:
            detections.append(dict(image_id=zero["image_id"], category_id=zero["category_id"], bbox=zero["bbox"], score=0.9))
    if has(FOREIGN):
        detections.append(dict(image_id=image_id(8), category_id=1, bbox=[0, 0, 16, 16], score=0.5))
    r.shuffle(detections)
    truth = dict(images=listed, annotations=annotations, categories=named)
    # What the programs read is put into the objects that they are given.
    texts = json.dumps(truth), json.dumps(detections)
    try:
        stats = official(protocol, *texts)
    except AssertionError:
        if not has(FOREIGN):
            raise
        stats = None
    return dict(name=name, protocol=protocol, truth=texts[0], detections=texts[1], stats=stats)


def official(protocol, truth, detections):
    with contextlib.redirect_stdout(io.StringIO()), TemporaryDirectory() as folder:
        path = str(Path(folder) / "truth.json")
        Path(path).write_text(truth)
        if protocol == "lvis":
            gold = LVIS(path)
            evaluation = LVISEval(gold, LVISResults(gold, json.loads(detections)), "bbox")
            evaluation.run()
            return [float(v) for v in list(evaluation.get_results().values())[:13]]
        gold = COCO(path)
        evaluation = COCOeval(gold, gold.loadRes(json.loads(detections)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        return [float(v) for v in evaluation.stats]


MOST = [odd for odd in ODDITIES if not odd.startswith("ids that") and not odd.startswith("ids over")]


def drawn(protocol, number, seed):
    """A case with about half of the oddities; ids that are odd in themselves are of one kind. What is refused has no stats."""
    r = random.Random(f"{protocol} {number} {seed}")
    odd = [one for one in MOST if r.random() < 0.5]
    ids = r.choice([None, None, "ids over 2^53", "ids that are texts"])
    odd += ([ids] if ids else []) + ([FOREIGN] if r.random() < 0.1 else [])
    return case(", ".join(odd) or "none", f"{number} of {seed}", protocol, odd)


parser = argparse.ArgumentParser()
parser.add_argument("--random", type=int, default=0)
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
if options.random:
    print(json.dumps([drawn(protocol, number, options.seed) for protocol in ("coco", "lvis") for number in range(options.random)]))
else:
    cases = [case(odd, 1, protocol, [odd]) for protocol in ("coco", "lvis") for odd in ODDITIES]
    cases += [case(f"all of it, {seed}", seed, protocol, MOST) for protocol in ("coco", "lvis") for seed in range(3)]
    path = Path(__file__).parents[2] / "test" / "evaluate" / "fixtures" / "odd-files.json"
    path.write_text(json.dumps(cases, indent=1) + "\n")
    print(f"{len(cases)} cases in {path}")
