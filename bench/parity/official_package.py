"""The official package (github.com/microsoft/GLIP at 9dda955) on the CPU and today's PyTorch, as it is.

    from official_package import open_package
    open_package("PATH/TO/GLIP")        then: import maskrcnn_benchmark...

Its C++ extension and its suppression are replaced by torch operators, its deformable convolution, which runs on CUDA only, by
torchvision's with the official kernel's reading of too large offsets; names that later versions of numpy, timm and
transformers have moved are put back where it looks for them. Pictures are resized as Pillow did until version 12, along rows
first: since 13 it takes columns first where that is less work, which changes some bytes by one. Nothing of the package is
copied and nothing else is changed.
"""

import sys
import types
from pathlib import Path

import torch
from PIL import Image


def nms(boxes, scores, threshold):
    """Suppression with inclusive boxes, as the CUDA kernel does it: what overlaps by more than the threshold."""
    order = scores.sort(dim=0, descending=True, stable=True)[1]
    boxes = boxes[order].double()
    areas = (boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1)
    alive = torch.ones(len(boxes), dtype=torch.bool)
    for i in range(len(boxes)):
        if not alive[i]:
            continue
        low = torch.maximum(boxes[i, :2], boxes[i + 1 :, :2])
        high = torch.minimum(boxes[i, 2:], boxes[i + 1 :, 2:])
        inside = (high - low + 1).clamp(min=0).prod(1)
        alive[i + 1 :] &= inside / (areas[i] + areas[i + 1 :] - inside) <= threshold
    return order[alive]


def ml_nms(boxlist, threshold, max_proposals=-1, score_field="scores", label_field="labels"):
    """
    boxlist_ml_nms as it does it on CUDA: within each label. Its branch for the CPU takes places among the boxes of a label
    for places among all boxes, and so keeps others than those that it has chosen.
    """
    scores, labels = boxlist.get_field(score_field), boxlist.get_field(label_field)
    kept = [torch.zeros(0, dtype=torch.long)]
    for label in labels.unique():
        own = (labels == label).nonzero()[:, 0]
        kept.append(own[nms(boxlist.bbox[own], scores[own], threshold)])
    return boxlist[torch.cat(kept)]


def deform(self, x, offset, mask):
    """The forward of ModulatedDeformConv: the kernel reads offsets by the strides of its output, however large they are."""
    from torchvision.ops import deform_conv2d

    h, w = ((size - 1) // self.stride + 1 for size in x.shape[-2:])
    read = lambda t: torch.stack([one.reshape(-1)[: len(one) * h * w].view(len(one), h, w) for one in t])
    return deform_conv2d(x, read(offset), self.weight, self.bias, self.stride, self.padding, mask=read(mask))


def resize_rows_first():
    """Pillow rounds to bytes between its two passes, so that two calls are what its one call was, to the bit."""
    resize = Image.Image.resize

    def resized(self, size, *options, **named):
        width, height = size
        return resize(resize(self, (width, self.height), *options, **named), (width, height), *options, **named)

    Image.Image.resize = resized


def open_package(checkout):
    root = Path(checkout).resolve()
    if not (root / "maskrcnn_benchmark" / "modeling").is_dir():
        sys.exit(f"{root} is no clone of github.com/microsoft/GLIP: there is no maskrcnn_benchmark/modeling in it")
    sys.path.insert(0, str(root))
    import numpy as np
    import timm.layers
    import transformers

    for name, value in (("float", float), ("int", int), ("bool", bool), ("object", object)):
        if name not in np.__dict__:
            setattr(np, name, value)
    sys.modules["timm.models.layers"] = timm.layers
    for name in ("find_pruneable_heads_and_indices", "prune_linear_layer"):
        if not hasattr(transformers.modeling_utils, name):
            setattr(transformers.modeling_utils, name, None)
    transformers.modeling_utils.apply_chunking_to_forward = transformers.pytorch_utils.apply_chunking_to_forward
    if not hasattr(torch, "_six"):
        six = types.ModuleType("torch._six")
        six.string_classes, six.inf, six.PY37, six.PY3, six.container_abcs = (str,), float("inf"), True, True, None
        sys.modules["torch._six"] = torch._six = six
    resize_rows_first()
    import maskrcnn_benchmark

    extension = types.ModuleType("maskrcnn_benchmark._C")
    extension.nms = nms
    extension.ml_nms = extension.soft_nms = None
    sys.modules["maskrcnn_benchmark._C"] = maskrcnn_benchmark._C = extension
    from maskrcnn_benchmark.layers import deform_conv
    from maskrcnn_benchmark.modeling.rpn import inference
    from maskrcnn_benchmark.structures import boxlist_ops

    deform_conv.ModulatedDeformConv.forward = deform
    boxlist_ops.boxlist_ml_nms = inference.boxlist_ml_nms = ml_nms
