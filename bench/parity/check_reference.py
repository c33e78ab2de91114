"""Compares glip_reference.py with the official modules, on random weights at a small size.

    python bench/parity/check_reference.py GLIP_CHECKOUT        needs torch, torchvision, transformers, timm and yacs

GLIP_CHECKOUT is a clone of github.com/microsoft/GLIP. Its modules are loaded as they are, with these stand-ins:
torchvision's deformable convolution for the CUDA one, the plain modules of `layers` that the head uses, and functions
that later versions of transformers have moved.
"""

import importlib.util
import math
import sys
import types
from pathlib import Path

import torch
import transformers
from torch import nn
from torchvision.ops import deform_conv2d

from glip_reference import Glip, anchors_of, assign_targets
from toy_glip import decode, unified_loss

root = Path(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(0)


class StandIn(types.ModuleType):
    """Gives an empty class for any name that is asked of it."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def stand_in(name, **members):
    module = StandIn(name)
    module.__dict__.update(members)
    module.__path__ = [str(root / name.replace(".", "/"))]
    sys.modules[name] = module
    if "." in name:
        parent, child = name.rsplit(".", 1)
        setattr(sys.modules[parent], child, module)
    return module


def load(name):
    path = root / (name.replace(".", "/") + ".py")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class DeformConv(nn.Module):
    def __init__(self, inputs, outputs, kernel_size, stride, padding, groups=1):
        super().__init__()
        self.weight = nn.Parameter(0.05 * torch.randn(outputs, inputs, kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.stride = stride

    def forward(self, x, offset, mask):
        h, w = ((size - 1) // self.stride + 1 for size in x.shape[-2:])
        read = lambda t: torch.stack([one.reshape(-1)[: len(one) * h * w].view(len(one), h, w) for one in t])
        return deform_conv2d(x, read(offset), self.weight, self.bias, self.stride, 1, mask=read(mask))


class Scale(nn.Module):
    def __init__(self, init_value=1.0):
        super().__init__()
        self.scale = nn.Parameter(torch.FloatTensor([init_value]))

    def forward(self, x):
        return x * self.scale


for name in ("find_pruneable_heads_and_indices", "prune_linear_layer"):
    if not hasattr(transformers.modeling_utils, name):
        setattr(transformers.modeling_utils, name, None)
transformers.modeling_utils.apply_chunking_to_forward = transformers.pytorch_utils.apply_chunking_to_forward
import timm.layers

sys.modules["timm.models.layers"] = timm.layers
box = "maskrcnn_benchmark"
for package in (box, f"{box}.structures", f"{box}.modeling", f"{box}.modeling.rpn", f"{box}.modeling.backbone", f"{box}.utils", f"{box}.config"):
    stand_in(package)
for name in (
    "modeling.backbone.fbnet", "engine", "engine.inference", "modeling.language_backbone", "modeling.language_backbone.clip_model",
    "modeling.rpn.inference", "structures.image_list",
    "modeling.matcher", "modeling.balanced_positive_negative_sampler", "utils.amp", "utils.comm", "utils.shallow_contrastive_loss_helper",
):
    stand_in(f"{box}.{name}")
sys.modules[f"{box}.modeling.backbone.fbnet"].__dict__.update(math=math, __all__=["math"])
sys.modules[f"{box}.utils.amp"].custom_fwd = lambda **_: lambda function: function
sys.modules[f"{box}.utils.amp"].custom_bwd = sys.modules[f"{box}.utils.amp"].custom_fwd
layers = stand_in(f"{box}.layers")
dyrelu = load(f"{box}.layers.dyrelu")
layers.__dict__.update(Scale=Scale, DYReLU=dyrelu.DYReLU, ModulatedDeformConv=DeformConv)
load(f"{box}.modeling.utils")
load(f"{box}.utils.fuse_helper")
boxes_of = load(f"{box}.structures.bounding_box")
load(f"{box}.structures.boxlist_ops")
defaults = load(f"{box}.config.defaults")
swint = load(f"{box}.modeling.backbone.swint")
fpn = load(f"{box}.modeling.backbone.fpn")
load(f"{box}.modeling.rpn.modeling_bert")
generator = load(f"{box}.modeling.rpn.anchor_generator")
loss = load(f"{box}.modeling.rpn.loss")
vldyhead = load(f"{box}.modeling.rpn.vldyhead")
extended = lambda self, mask, *_: (1.0 - mask[:, None, None].float()) * -10000.0
vldyhead.BertEncoderLayer.get_extended_attention_mask = extended

text = {"vocab_size": 60, "hidden": 32, "layers": 2, "heads": 4, "intermediate": 48, "positions": 40}
backbone = {"patch": 4, "widths": [16, 32, 64, 128], "depths": [2, 2, 2, 1], "heads": [1, 2, 4, 4], "window": 3}
bert = transformers.BertConfig(
    vocab_size=text["vocab_size"], hidden_size=text["hidden"], num_hidden_layers=text["layers"],
    num_attention_heads=text["heads"], intermediate_size=text["intermediate"], max_position_embeddings=text["positions"],
    attn_implementation="eager",
)
vldyhead.BertConfig.from_pretrained = lambda *_: bert


def official(preset):
    """Body, pyramid, text encoder and head of the preset, with narrow widths."""
    cfg = defaults._C.clone()
    cfg.merge_from_file(str(root / f"configs/pretrain/{preset}.yaml"))
    cfg.merge_from_list([
        "MODEL.BACKBONE.OUT_CHANNELS", 32, "MODEL.DYHEAD.CHANNELS", 32, "MODEL.DYHEAD.NUM_CONVS", 2,
        "MODEL.LANGUAGE_BACKBONE.LANG_DIM", text["hidden"], "MODEL.DYHEAD.USE_CHECKPOINT", False, "MODEL.DYHEAD.FUSE_CONFIG.JOINT_EMB_SIZE", 32,
    ])  # fmt: skip
    body = swint.SwinTransformer(
        patch_size=4, embed_dim=16, depths=backbone["depths"], num_heads=backbone["heads"], window_size=backbone["window"],
        out_features=["stage3", "stage4", "stage5"], backbone_arch="SWINT-FPN-RETINANET",
    )  # fmt: skip
    pyramid = fpn.FPN([0, 32, 64, 128], 32, lambda i, o, k, s=1: nn.Conv2d(i, o, k, s, (k - 1) // 2), fpn.LastLevelP6P7(32, 32))
    encoder = transformers.BertModel(bert, add_pooling_layer=False)
    return cfg, nn.ModuleDict({
        "backbone": nn.ModuleDict({"body": body, "fpn": pyramid}),
        "language_backbone": nn.ModuleDict({"body": nn.ModuleDict({"model": encoder})}),
        "rpn": nn.ModuleDict({"head": vldyhead.VLDyHead(cfg)}),
    }).eval()  # fmt: skip


class Recorded(dict):
    """Remembers which keys were read."""

    def __init__(self, *given):
        super().__init__(*given)
        self.read = set()

    def __getitem__(self, key):
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key):
        return self[key] if key in self else None


def largest(name, ours, theirs):
    difference = (ours - theirs).abs().max() / theirs.abs().max()
    print(f"{name}: {difference:.1e} of the scale")
    assert difference < 1e-4, name


for preset, fused in (("glip_A_Swin_T_O365", False), ("glip_Swin_T_O365_GoldG", True)):
    cfg, network = official(preset)
    for parameter in network.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    config = {
        "backbone": backbone, "fpn": {"channels": 32, "levels": 3, "extra_levels": 2}, "text": text,
        "tower": {"blocks": 2, "groups": 16}, "head": {"anchor_scale": 8},
        **({"fusion": {"embed": 2048, "heads": 8}} if fused else {}),
    }  # fmt: skip
    image = torch.randn(2, 3, 64, 96)
    ids = torch.randint(0, text["vocab_size"], (2, 20))
    mask = (torch.arange(20)[None] < torch.tensor([[20], [13]])).long()
    with torch.no_grad():
        maps = network["backbone"]["fpn"](network["backbone"]["body"](image))
        hidden = network["language_backbone"]["body"]["model"](input_ids=ids, attention_mask=mask)[0]
        embedded = hidden * mask[..., None]
        head = network["rpn"]["head"]
        lang = {"hidden": hidden, "masks": mask, "embedded": embedded}
        _, deltas, centerness, _, _, _, logits, *_ = head(list(maps), lang, embedded)
        parameters = Recorded(network.named_parameters())
        ours = Glip(config, parameters)(image, ids, mask.float())
    unread = {name for name in parameters if name not in parameters.read}
    print(f"{preset}: {len(parameters)} parameters, not read: {sorted(unread)}")
    assert unread == {"rpn.head.cls_logits.weight", "rpn.head.cls_logits.bias"}
    rows = lambda levels: torch.cat([level.flatten(2).transpose(1, 2) for level in levels], 1)
    largest(f"{preset} logits", ours["logits"], torch.cat(logits, 1))
    largest(f"{preset} deltas", ours["deltas"], rows(deltas))
    largest(f"{preset} centerness", ours["centerness"], rows(centerness)[..., 0])

generator.np.float = float
cells = [generator.generate_anchors(s, (8 * s,), (1.0,)).float() for s in (8, 16, 32, 64, 128)]
grid = types.SimpleNamespace(strides=(8, 16, 32, 64, 128), cell_anchors=cells)
theirs = torch.cat(generator.AnchorGenerator.grid_anchors(grid, [level.shape[-2:] for level in maps]))
anchors = anchors_of(config, 64, 96)
largest("anchors", anchors, theirs + torch.tensor([0.0, 0, 1, 1]))

# Boxes in edges here, inclusive of their last pixel there.
boxes = torch.tensor([[6.3, 8.1, 50.2, 58.7], [30.4, 20.2, 90.9, 62.1], [70.3, 3.4, 80.6, 12.9], [1.2, 40.3, 20.4, 52.8]])
inclusive = lambda edges: edges - torch.tensor([0.0, 0, 1, 1])
counts = [level.shape[-2] * level.shape[-1] for level in maps]
target = boxes_of.BoxList(inclusive(boxes), (96, 64), mode="xyxy")
target.add_field("labels", torch.ones(len(boxes), dtype=torch.long))
evaluator = object.__new__(loss.ATSSLossComputation)
nn.Module.__init__(evaluator)
evaluator.cfg, evaluator.box_coder = cfg, vldyhead.BoxCoder(cfg)
levels = [boxes_of.BoxList(part, (96, 64), mode="xyxy") for part in inclusive(anchors).split(counts)]
tokens = torch.eye(len(boxes) + 1)[: len(boxes)]
labels, regression, token_labels, *_ = evaluator.prepare_targets([target], [levels], positive_map=tokens)
assigned, centerness = assign_targets(anchors, counts, boxes, 0.5)
positive = labels[0] > 0
assert torch.equal(assigned >= 0, positive) and positive.sum() > 8, "positives"
assert torch.equal(token_labels[0][positive].argmax(1), assigned[positive]), "boxes"
their_centerness = evaluator.compute_centerness_targets(regression[0][positive], inclusive(anchors)[positive])
largest(f"centerness of {positive.sum()} positives", centerness[positive], their_centerness)

deltas = torch.randn(len(anchors), 4)
predicted = decode(deltas, anchors)
largest("decoded boxes", inclusive(predicted), evaluator.box_coder.decode(deltas, inclusive(anchors)))
their_giou = evaluator.GIoULoss(deltas[positive], regression[0][positive], inclusive(anchors)[positive], their_centerness)
text_length = 12
batch = {
    "assigned": torch.where(assigned < 0, len(boxes), assigned)[None],
    "centerness": centerness[None],
    "box": torch.cat([boxes, torch.zeros(1, 4)])[None],
    "phrase": torch.cat([torch.eye(text_length)[: len(boxes)], torch.zeros(1, text_length)])[None],
    "words": (torch.arange(text_length) < 9).float()[None],
    "regress": torch.ones(1, 1),
}
out = {"logits": torch.randn(1, len(anchors), text_length), "deltas": deltas[None], "centerness": torch.randn(1, len(anchors))}
weights = {"classification": 1, "regression": 1, "grounding": 0}
_, terms = unified_loss(out, batch, anchors, weights, inset=0.5)
# The official divisors, one picture and one process: the positives, and the sum of their centerness.
focal = load(f"{box}.layers.sigmoid_focal_loss").TokenSigmoidFocalLoss(0.25, 2.0)
token_target = torch.zeros(1, len(anchors), text_length)
token_target[0, positive] = torch.eye(text_length)[assigned[positive]]
their_focal = focal(out["logits"], token_target, text_masks=batch["words"], version="binary")
largest("focal loss", terms["classification"], their_focal.sum() / positive.sum())
their_bce = nn.functional.binary_cross_entropy_with_logits(out["centerness"][0][positive], their_centerness)
largest("regression", terms["regression"], 2 * their_giou / their_centerness.sum() + their_bce)
