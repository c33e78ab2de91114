"""A tiny Faster R-CNN of torchvision as a teacher folder: what src/teacher/torchvision-teacher.ts takes."""

import json
from pathlib import Path

import torch
from tiny_teachers import randomise, shrink
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.ops import MultiScaleRoIAlign

LABELS = {1: "person", 2: "dog", 3: "traffic light"}


class Backbone(torch.nn.Sequential):
    out_channels = 8

    def __init__(self):
        layers = [torch.nn.Conv2d(3, 8, 3, stride=4, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 3, stride=2, padding=1)]
        super().__init__(*layers)


class Arrays(torch.nn.Module):
    """The model for one picture, with arrays as results."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        [found] = self.model([image])
        return found["boxes"], found["labels"], found["scores"]


def tiny_faster_rcnn(size: int) -> torch.nn.Module:
    model = FasterRCNN(
        Backbone(),
        num_classes=len(LABELS) + 1,
        rpn_anchor_generator=AnchorGenerator(((16, 32),), ((0.5, 1.0, 2.0),)),
        box_roi_pool=MultiScaleRoIAlign(["0"], 3, 2),
        min_size=size,
        max_size=size,
        rpn_pre_nms_top_n_test=40,
        rpn_post_nms_top_n_test=12,
        box_detections_per_img=10,
        box_score_thresh=0.2,
    )
    model.roi_heads.box_head = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(72, 8), torch.nn.ReLU())
    model.roi_heads.box_predictor.cls_score = torch.nn.Linear(8, len(LABELS) + 1)
    model.roi_heads.box_predictor.bbox_pred = torch.nn.Linear(8, 4 * (len(LABELS) + 1))
    return randomise(model, 5, gain=1.5)


def export_torchvision(model: torch.nn.Module, folder: Path, size: int) -> None:
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    path = folder / "onnx/model.onnx"
    torch.onnx.export(
        Arrays(model).eval(),
        (torch.rand(3, size, size),),
        str(path),
        input_names=["image"],
        output_names=["boxes", "labels", "scores"],
        opset_version=17,
        dynamo=False,
    )
    shrink(path)
    config = {"model_type": "torchvision-detector", "id2label": LABELS}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
