"""Writes test/teacher/fixtures/select-boxes.json: `python select_boxes.py`. Needs numpy.

The official post-processing (maskrcnn_benchmark/modeling/rpn/inference.py and structures/boxlist_ops.py at 9dda955), in its
own inclusive boxes and with its + 1, on random answers: numbers of a few digits, so that both read the same.
"""

import json
import pathlib

import numpy as np

settings = {"threshold": 0.05, "level_candidates": 12, "boxes": 15}


def nms(boxes, scores, limit):
    order, kept = list(np.argsort(-scores, kind="stable")), []
    area = lambda b: (b[2] - b[0] + 1) * (b[3] - b[1] + 1)
    while order:
        first = order.pop(0)
        kept.append(first)
        rest = []
        for other in order:
            a, b = boxes[first], boxes[other]
            width = max(0, min(a[2], b[2]) - max(a[0], b[0]) + 1)
            height = max(0, min(a[3], b[3]) - max(a[1], b[1]) + 1)
            overlap = width * height
            if overlap / (area(a) + area(b) - overlap) <= limit:
                rest.append(other)
        order = rest
    return kept


def select(scores, boxes, centerness, starts, phrases, covered):
    """Lists [phrase, x1, y1, x2, y2, score] with inclusive corners, best first."""
    height, width = covered
    found = []
    for first, end in zip(starts, starts[1:]):
        means = np.stack([scores[first:end, tokens].mean(1) if tokens else np.zeros(end - first) for tokens in phrases], 1)
        products = means * centerness[first:end, None]
        places, labels = np.nonzero(means > settings["threshold"])
        ranked = np.argsort(-products[places, labels], kind="stable")[: settings["level_candidates"]]
        for place, label in zip(places[ranked], labels[ranked]):
            box = boxes[first + place].copy()
            box[0::2] = box[0::2].clip(0, width - 1)
            box[1::2] = box[1::2].clip(0, height - 1)
            found.append([int(label), *box, np.sqrt(products[place, label])])
    kept = []
    for label in range(len(phrases)):
        own = [one for one in found if one[0] == label]
        if own:
            values = np.array(own)
            kept += [own[index] for index in nms(values[:, 1:5], values[:, 5], 0.6)]
    kept.sort(key=lambda one: -one[5])
    if len(kept) > settings["boxes"]:
        last = kept[settings["boxes"] - 1][5]
        kept = [one for one in kept if one[5] >= last]
    return [[one[0], *(round(float(value), 4) for value in one[1:])] for one in kept]


random = np.random.default_rng(3)
cases = []
for spread in (20, 60):
    starts = [0, 40, 52, 56]
    scores = (random.random((56, 6)) ** 4).round(4)
    low = (random.random((56, 2)) * spread - 6).round(2)
    boxes = np.concatenate([low, low + (random.random((56, 2)) * 24 + 1).round(2)], 1)
    centerness = random.random(56).round(4)
    phrases, covered = [[0, 1], [3], [], [2, 4, 5]], [48, 52]
    cases.append(
        {
            "scores": scores.flatten().tolist(),
            # In edges, as the network here gives them.
            "boxes": (boxes + [0, 0, 1, 1]).round(2).flatten().tolist(),
            "centerness": centerness.tolist(),
            "starts": starts,
            "phrases": phrases,
            "covered": {"height": covered[0], "width": covered[1]},
            "expected": select(scores, boxes, centerness, starts, phrases, covered),
        }
    )
path = pathlib.Path(__file__).parents[2] / "test/teacher/fixtures/select-boxes.json"
path.write_text(json.dumps({"settings": settings, "cases": cases}) + "\n")
print(path, [len(case["expected"]) for case in cases])
