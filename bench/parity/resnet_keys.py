"""Writes test/model/fixtures/resnet.json.gz: `python resnet_keys.py`. Needs torch and torchvision.

Names and shapes of torchvision's resnet50 as `state_dict` gives them, without values; and one batch norm with its statistics, what it
is given and what it makes of that when it is not trained.
"""

import gzip
import json
from pathlib import Path

import torch
import torchvision

torch.set_num_threads(1)
torch.manual_seed(5)
shapes = {name: list(tensor.shape) for name, tensor in torchvision.models.resnet50(weights=None).state_dict().items()}
norm = torch.nn.BatchNorm2d(4).eval()
with torch.no_grad():
    for tensor in (norm.weight, norm.bias, norm.running_mean):
        tensor.normal_()
    norm.running_var.uniform_(0.1, 3)
    x = torch.randn(1, 4, 1, 3)
    y = norm(x)
values = lambda t: t.flatten().tolist()
batch_norm = {name: values(tensor) for name, tensor in norm.state_dict().items() if tensor.dim()}
text = json.dumps({"shapes": shapes, "norm": batch_norm, "x": values(x), "y": values(y)}).encode()
path = Path(__file__).parents[2] / "test/model/fixtures/resnet.json.gz"
path.write_bytes(gzip.compress(text, 9, mtime=0))
print(path, len(shapes), path.stat().st_size)
