"""Writes test/train/fixtures/resize.json: `python resize_reference.py`. Needs torch, torchvision and pillow.

Pictures and boxes as GLIP's training shows them for a size that is drawn (data/transforms/transforms.py: Resize with max_size = min_size, so that
the longer side is the size; BoxList.resize scales boxes by the ratios of the whole sides).
"""

import json
from pathlib import Path

import torch
from PIL import Image
from torchvision.transforms import functional as F

torch.set_num_threads(1)
generator = torch.Generator().manual_seed(3)
sizes = [480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800]


def get_size(image_size, size, max_size):
    w, h = image_size
    shorter, longer = float(min(w, h)), float(max(w, h))
    if longer / shorter * size > max_size:
        size = int(round(max_size * shorter / longer))
    if (w <= h and w == size) or (h <= w and h == size):
        return (h, w)
    return (int(size * h / w), size) if w < h else (size, int(size * w / h))


cases = []
for _ in range(60):
    w, h = torch.randint(200, 1200, (2,), generator=generator).tolist()
    size = sizes[torch.randint(len(sizes), (1,), generator=generator).item()]
    shown = F.resize(Image.new("RGB", (w, h)), get_size((w, h), size, size)).size
    x1, x2 = sorted((torch.rand(2, generator=generator) * w).tolist())
    y1, y2 = sorted((torch.rand(2, generator=generator) * h).tolist())
    box = [x1, y1, x2, y2]
    ratios = [shown[0] / w, shown[1] / h]
    scaled = [round(value * ratios[at % 2], 4) for at, value in enumerate(box)]
    cases.append({"picture": [w, h], "size": size, "shown": list(shown), "box": [round(v, 4) for v in box], "scaled": scaled})
path = Path(__file__).resolve().parents[2] / "test/train/fixtures/resize.json"
path.write_text(json.dumps({"sizes": sizes, "cases": cases}) + "\n")
