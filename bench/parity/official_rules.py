"""What the official functions themselves say of sizes, boxes and targets, as fixtures.

    python bench/parity/official_rules.py GLIP_CHECKOUT        needs torch, torchvision, transformers, timm, yacs, einops,
                                                               pycocotools, opencv-python-headless and their like

Writes test/teacher/fixtures/official-rules.json and test/train/fixtures/official-targets.json.
"""

import json
import pathlib
import sys
import types

import torch
from torch import nn

from official_package import open_package

open_package(sys.argv[1])
from maskrcnn_benchmark.config import cfg
from maskrcnn_benchmark.data.transforms.transforms import Resize
from maskrcnn_benchmark.modeling.rpn import loss
from maskrcnn_benchmark.modeling.rpn.anchor_generator import AnchorGenerator, generate_anchors
from maskrcnn_benchmark.modeling.rpn.vldyhead import BoxCoder
from maskrcnn_benchmark.structures.bounding_box import BoxList
from maskrcnn_benchmark.structures.image_list import to_image_list

random = torch.Generator().manual_seed(5)
tests = pathlib.Path(__file__).parents[2] / "test"
rounded = lambda rows: [[round(value, 4) for value in row] for row in rows]

# Sizes: usual ones, those whose shorter side comes out between two whole numbers, and drawn ones.
pictures = [(640, 480), (480, 640), (500, 375), (1332, 666), (666, 1332), (2666, 1003), (1003, 2666), (800, 800), (2000, 100)]
ties = [(2 * k, 2666 - 2 * k) for k in range(300, 600, 7)]
drawn = torch.randint(20, 3000, (60, 2), generator=random).tolist()
resize = Resize(800, 1333)
sizes = []
for w, h in [*pictures, *ties, *map(tuple, drawn)]:
    high, wide = resize.get_size((w, h))
    padded = to_image_list([torch.zeros(1, high, wide)], 32).tensors.shape
    sizes.append([w, h, wide, high, padded[-1], padded[-2]])

# Boxes: of an annotation in a picture, as the network is to learn it, also mirrored, and back as a result is written.
cases = []
for w, h, *_ in sizes[:6]:
    high, wide = resize.get_size((w, h))
    low = torch.rand(5, 2, generator=random) * torch.tensor([w, h]) * 0.7
    size = 2 + torch.rand(5, 2, generator=random) * torch.tensor([w, h]) * 0.25
    annotations = torch.cat([low, size], 1).mul(100).round().div(100)
    annotations = torch.cat([annotations, torch.tensor([[0.0, 0, w, h]])])
    target = BoxList(annotations, (w, h), mode="xywh").convert("xyxy").clip_to_image(remove_empty=True).resize((wide, high))
    result = target.resize((w, h)).convert("xywh")
    cases.append({
        "picture": [w, h], "shown": [wide, high], "annotations": rounded(annotations.tolist()),
        "target": rounded(target.bbox.tolist()), "mirrored": rounded(target.transpose(0).bbox.tolist()),
        "result": rounded(result.bbox.tolist()),
    })  # fmt: skip
path = tests / "teacher/fixtures/official-rules.json"
path.write_text(json.dumps({"sizes": sizes, "boxes": cases}) + "\n")
print(path, len(sizes), len(cases))

# Targets: boxes of which several are the same, or overlap an anchor alike.
cfg.MODEL.RPN.ASPECT_RATIOS, cfg.MODEL.RPN.SCALES_PER_OCTAVE = (1.0,), 1
strides = (8, 16, 32, 64, 128)
cells = [generate_anchors(s, (8 * s,), (1.0,)).float() for s in strides]
grids = [((96 + s - 1) // s, (128 + s - 1) // s) for s in strides]
anchors = AnchorGenerator.grid_anchors(types.SimpleNamespace(strides=strides, cell_anchors=cells), grids)
levels = [BoxList(part, (128, 96), mode="xyxy") for part in anchors]
evaluator = object.__new__(loss.ATSSLossComputation)
nn.Module.__init__(evaluator)
evaluator.cfg, evaluator.box_coder = cfg, BoxCoder(cfg)
places = torch.cat(anchors)
targets = []
for boxes in (
    [[6.3, 8.1, 50.2, 58.7], [30.4, 20.2, 90.9, 62.1], [6.3, 8.1, 50.2, 58.7]],
    [[33.3, 10.7, 90.1, 70.9], [33.3, 10.7, 90.1, 70.9], [33.3, 10.7, 90.1, 70.9], [2, 2, 40, 40]],
    # Alike on both sides of an anchor.
    [[24, 15, 83, 77], [36, 15, 95, 77]],
    [[10.1, 12.2, 101.3, 88.4], [8.7, 11.9, 99.2, 90.3], [8.7, 11.9, 99.2, 90.3]],
):
    found = BoxList(torch.tensor(boxes, dtype=torch.float32), (128, 96), mode="xyxy")
    found.add_field("labels", torch.ones(len(boxes), dtype=torch.long))
    words = torch.zeros(len(boxes), 256)
    words[range(len(boxes)), range(1, len(boxes) + 1)] = 1
    labels, regression, tokens, *_ = evaluator.prepare_targets([found], [levels], positive_map=words)
    positive = labels[0] > 0
    assigned = torch.where(positive, tokens[0].argmax(1) - 1, -1)
    none = tokens[0][~positive].unique(dim=0)
    assert len(none) == 1
    targets.append({
        "boxes": boxes, "assigned": {index: assigned[index].item() for index in positive.nonzero()[:, 0].tolist()},
        "wordsOfNone": none[0].nonzero()[:, 0].tolist(),
        "centerness": rounded([evaluator.compute_centerness_targets(regression[0][positive], places[positive]).tolist()])[0],
    })  # fmt: skip
path = tests / "train/fixtures/official-targets.json"
path.write_text(json.dumps({"height": 96, "width": 128, "cases": targets}) + "\n")
print(path, [len(case["assigned"]) for case in targets], [case["wordsOfNone"] for case in targets])
