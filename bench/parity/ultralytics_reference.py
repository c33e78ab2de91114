"""What Ultralytics itself finds with its own exports of small random networks, for bench/verify-teachers.ts. Needs ultralytics (AGPL: it is
used here as it is, and is no part of this project), torch, onnx, onnxruntime and OpenCV.

    python bench/parity/ultralytics_reference.py FOLDER
"""

import json
import os
import sys
from pathlib import Path

os.environ.update(YOLO_OFFLINE="1", YOLO_AUTOINSTALL="false")

import numpy
import torch
import ultralytics

SIDE = 96
LIMIT = 300


def picture(index: int) -> numpy.ndarray:
    """The pictures of test/teacher/pictures.ts."""
    width, height = 33 + index * 37 % 115, 40 + index * 29 % 86
    y, x = numpy.mgrid[:height, :width]
    channels = [
        (x * (3 + index) + y * (5 + 2 * c) + ((x >> 3 ^ y >> 3) & 1) * 70 + 40 * c + (x * y >> 5) * (c + 1)) & 255 for c in range(3)
    ]
    return numpy.stack(channels, -1).astype(numpy.uint8)


def liven(network: torch.nn.Module) -> None:
    """Norms that fit what comes in, and scores that differ: as built, a random network answers the same everywhere."""
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        norm.reset_running_stats()
    network.train()
    with torch.no_grad():
        for start in range(4):
            shown = [torch.from_numpy(picture(start * 4 + index)).permute(2, 0, 1)[None].float() / 255 for index in range(4)]
            network(torch.cat([torch.nn.functional.interpolate(one, (SIDE, SIDE)) for one in shown]))
        generator = torch.Generator().manual_seed(1)
        for name, parameter in network.model[-1].named_parameters():
            if "bias" not in name:
                continue
            # Those of the classes begin so low that nothing is found.
            if parameter.mean() < -2:
                parameter.sub_(parameter.mean() + 2)
            parameter.add_(0.5 * torch.randn(parameter.shape, generator=generator))
    network.eval()


root = Path(sys.argv[1])
root.mkdir(parents=True, exist_ok=True)
os.chdir(root)
torch.manual_seed(0)
torch.set_num_threads(1)
kinds = {
    "yolo-world": (ultralytics.YOLOWorld, "yolov8n-worldv2.yaml", {}),
    "yolo-world-open-size": (ultralytics.YOLOWorld, "yolov8n-worldv2.yaml", {"dynamic": True}),
    "yolo-world-half": (ultralytics.YOLOWorld, "yolov8n-worldv2.yaml", {"half": True}),
    "yolo-world-nms": (ultralytics.YOLOWorld, "yolov8n-worldv2.yaml", {"nms": True, "conf": 0.001, "iou": 0.999}),
    "yoloe-seg": (ultralytics.YOLOE, "yoloe-v8n-seg.yaml", {}),
    "yolo26": (ultralytics.YOLO, "yolo26n.yaml", {}),
    "yolo26-end2end": (ultralytics.YOLO, "yolo26n.yaml", {"end2end": True}),
}
for name, (kind, configuration, more) in kinds.items():
    model = kind(configuration)
    try:
        liven(model.model)
        exported = Path(model.export(format="onnx", imgsz=SIDE, simplify=False, opset=17, **more))
    except Exception as error:
        print(f"{name}: not exported: {type(error).__name__}: {str(error)[:200]}", flush=True)
        continue
    exported = exported.rename(f"{name}.onnx")
    read = ultralytics.YOLO(str(exported), task="segment" if "seg" in name else "detect")
    rows = []
    for index in range(20):
        # It takes blue, green and red.
        shown = numpy.ascontiguousarray(picture(index)[..., ::-1])
        [said] = read.predict(shown, conf=0.001, iou=1.0, max_det=LIMIT, imgsz=SIDE, verbose=False)
        boxes = said.boxes
        rows.append(
            [
                {"score": round(float(score), 6), "xyxy": [round(float(side), 4) for side in box], "label": said.names[int(label)]}
                for score, box, label in zip(boxes.conf, boxes.xyxy, boxes.cls)
            ]
        )
    Path(f"{name}.json").write_text(json.dumps(rows))
    scores = [box["score"] for row in rows for box in row]
    print(f"{name}: {len(scores)} boxes, scores {min(scores, default=0):.3f} to {max(scores, default=0):.3f}", flush=True)
