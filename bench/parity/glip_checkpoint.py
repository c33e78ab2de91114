"""Writes test/model/fixtures/glip-tiny.pth: a training state with the keys of an official checkpoint, buffers and all,
for the network of test/helpers/tiny-official.ts; and glip-tiny-mmdet.pth, the same after MMDetection's conversion.

    npx tsx bench/parity/write-import-specs.ts /tmp/specs.json
    python bench/parity/glip_checkpoint.py /tmp/specs.json        needs torch
"""

import json
import sys
from collections import OrderedDict
from pathlib import Path

import torch

folder = Path(__file__).parents[2] / "test/model/fixtures"
weights = OrderedDict()
for number, (name, shape) in enumerate(json.loads(Path(sys.argv[1]).read_text())):
    size = torch.Size(shape).numel()
    values = ((torch.arange(size) * 37 + number * 101) % 512 - 256) / 256
    # Exact in half precision: the fixture is half as large.
    weights[f"module.{name}"] = values.reshape(shape).half()
for name, buffer in {
    "rpn.head.cls_logits.weight": torch.zeros(3, 8, 1, 1),
    "rpn.head.cls_logits.bias": torch.zeros(3),
    "rpn.anchor_generator.cell_anchors.0": torch.zeros(1, 4),
    "backbone.body.layers.0.blocks.0.attn.relative_position_index": torch.zeros(4, 4, dtype=torch.long),
    "language_backbone.body.model.embeddings.position_ids": torch.arange(12)[None],
}.items():
    weights[f"module.{name}"] = buffer
torch.save({"model": weights, "iteration": 7}, folder / "glip-tiny.pth")


def unfolded(name, value):
    """The channels of patch merging in the order of torch's unfold, as MMDetection has them."""
    if "downsample." not in name:
        return value
    grouped = value.reshape(*value.shape[:-1], 4, -1)[..., [0, 2, 1, 3], :]
    return grouped.transpose(-1, -2).reshape(value.shape)


levels = {f"fpn_inner{i + 2}": f"lateral_convs.{i}.conv" for i in range(3)}
levels |= {f"fpn_layer{i + 2}": f"fpn_convs.{i}.conv" for i in range(3)}
levels |= {"top_blocks.p6": "fpn_convs.3.conv", "top_blocks.p7": "fpn_convs.4.conv"}
converted = OrderedDict()
for name, value in weights.items():
    name = name.removeprefix("module.")
    value = unfolded(name, value)
    if name.startswith("backbone.body."):
        name = name.replace("backbone.body.", "backbone.").replace("patch_embed.proj.", "patch_embed.projection.")
        if ".layers." in name:
            name = name.replace(".layers.", ".stages.").replace(".attn.", ".attn.w_msa.")
            name = name.replace(".mlp.fc1.", ".ffn.layers.0.0.").replace(".mlp.fc2.", ".ffn.layers.1.")
    elif name.startswith("backbone.fpn."):
        inner, kind = name.removeprefix("backbone.fpn.").rsplit(".", 1)
        name = f"neck.{levels[inner]}.{kind}"
    elif name.startswith("language_backbone."):
        name = f"language_model.{name}"
    else:
        name = name.replace("rpn.", "bbox_head.").replace(".DyConv.", ".dyconvs.").replace(".AttnConv.", ".attnconv.")
    converted[name] = value
torch.save({"state_dict": converted, "meta": {"epoch": 1}}, folder / "glip-tiny-mmdet.pth", _use_new_zipfile_serialization=False)
print(*(f"{path} {path.stat().st_size}" for path in sorted(folder.glob("glip-tiny*"))))
