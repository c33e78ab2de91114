"""The toy preset of src/model in PyTorch: the reference of its numbers and the peer of its speed.

Parameters have the names and shapes of a groundmill model folder, so that `load_folder` reads model.safetensors as
it is. Run by bench/train-step.ts and by bench/parity/make_fixtures.py; needs torch and numpy.
"""

import json
import math
import struct
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

TOY = {
    "image_size": 96,
    "backbone": {"patch": 4, "widths": [32, 64, 128, 128], "depths": [1, 1, 1, 1]},
    "fpn": {"channels": 64, "levels": 3},
    "text": {"vocab_size": 400, "max_tokens": 48, "hidden": 96, "layers": 2, "heads": 4, "intermediate": 192},
    "tower": {"blocks": 2},
    "fusion": {"embed": 128, "heads": 4},
    "head": {"anchor_scale": 4, "contrastive": 64},
}


def load_safetensors(path):
    """Float32 tensors of a safetensors file, and its metadata."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = torch.from_numpy(np.frombuffer(data[start:end], np.float32).reshape(entry["shape"]).copy())
    return tensors, metadata


def write_safetensors(path, tensors):
    """Tensors by name, as float32."""
    arrays = {name: tensor.detach().contiguous().float().numpy() for name, tensor in tensors.items()}
    header, at = {}, 0
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in arrays.values():
            file.write(array.tobytes())


class ToyGlip:
    """The network as plain functions over a dictionary of parameters, as src/model writes it."""

    def __init__(self, config, parameters):
        self.c = config
        self.p = parameters

    def dense(self, name, x):
        return F.linear(x, self.p[name + ".weight"], self.p[name + ".bias"])

    def norm(self, name, x, eps):
        return F.layer_norm(x, x.shape[-1:], self.p[name + ".weight"], self.p[name + ".bias"], eps)

    def conv(self, name, x):
        """Channels last in and out; the weight is [O, k, k, I]."""
        weight = self.p[name + ".weight"]
        y = F.conv2d(x.permute(0, 3, 1, 2), weight.permute(0, 3, 1, 2), self.p[name + ".bias"], padding=weight.shape[1] // 2)
        return y.permute(0, 2, 3, 1)

    @staticmethod
    def fold(x, block):
        n, h, w, c = x.shape
        x = x.reshape(n, h // block, block, w // block, block, c).permute(0, 1, 3, 2, 4, 5)
        return x.reshape(n, h // block, w // block, block * block * c)

    def backbone(self, image):
        body, eps = "backbone.body", 1e-6
        x = self.conv(f"{body}.patch_embed.proj", self.fold(image, self.c["backbone"]["patch"]))
        x = F.relu(self.norm(f"{body}.patch_embed.norm", x, eps))
        stages = []
        for stage, depth in enumerate(self.c["backbone"]["depths"]):
            if stage:
                down = f"{body}.layers.{stage - 1}.downsample"
                x = self.dense(f"{down}.reduction", self.norm(f"{down}.norm", self.fold(x, 2), eps))
            for block in range(depth):
                b = f"{body}.layers.{stage}.blocks.{block}"
                y = F.relu(self.norm(f"{b}.norm1", self.conv(f"{b}.conv1", x), eps))
                x = F.relu(x + self.norm(f"{b}.norm2", self.conv(f"{b}.conv2", y), eps))
            stages.append(x)
        return stages

    def fpn(self, stages, first):
        laterals = [self.conv(f"backbone.fpn.fpn_inner{first + i}", x) for i, x in enumerate(stages)]
        merged = [laterals[-1]]
        for lateral in reversed(laterals[:-1]):
            above = merged[0].repeat_interleave(2, 1).repeat_interleave(2, 2)
            merged.insert(0, lateral + above)
        return [self.conv(f"backbone.fpn.fpn_layer{first + i}", x) for i, x in enumerate(merged)]

    @staticmethod
    def heads(x, count):
        n, length, width = x.shape
        return x.reshape(n, length, count, width // count).transpose(1, 2)

    @staticmethod
    def merge(x):
        n, count, length, width = x.shape
        return x.transpose(1, 2).reshape(n, length, count * width)

    def bert_layer(self, name, x, mask):
        t = self.c["text"]
        q, k, v = (self.heads(self.dense(f"{name}.attention.self.{part}", x), t["heads"]) for part in ("query", "key", "value"))
        scores = q @ k.transpose(2, 3) / math.sqrt(t["hidden"] / t["heads"])
        attention = (scores.clamp(-50000, 50000) + (mask[:, None, None] - 1) * 10000).softmax(-1)
        attended = self.dense(f"{name}.attention.output.dense", self.merge(attention @ v))
        y = self.norm(f"{name}.attention.output.LayerNorm", attended + x, 1e-12)
        inner = F.gelu(self.dense(f"{name}.intermediate.dense", y))
        return self.norm(f"{name}.output.LayerNorm", self.dense(f"{name}.output.dense", inner) + y, 1e-12)

    def text(self, ids, mask):
        name = "language_backbone.body.model"
        e = f"{name}.embeddings"
        x = self.p[f"{e}.word_embeddings.weight"][ids] + self.p[f"{e}.position_embeddings.weight"]
        x = self.norm(f"{e}.LayerNorm", x + self.p[f"{e}.token_type_embeddings.weight"][:1], 1e-12)
        for layer in range(self.c["text"]["layers"]):
            x = self.bert_layer(f"{name}.encoder.layer.{layer}", x, mask)
        return x

    def fuse(self, name, vision, language, mask):
        c = self.c["fusion"]
        v = self.norm(f"{name}.layer_norm_v", vision, 1e-5)
        l = self.norm(f"{name}.layer_norm_l", language, 1e-5)
        q = self.heads(self.dense(f"{name}.attn.v_proj", v) * (c["embed"] / c["heads"]) ** -0.5, c["heads"])
        k = self.heads(self.dense(f"{name}.attn.l_proj", l), c["heads"])
        value_v = self.heads(self.dense(f"{name}.attn.values_v_proj", v), c["heads"])
        value_l = self.heads(self.dense(f"{name}.attn.values_l_proj", l), c["heads"])
        affinity = (q @ k.transpose(2, 3)).clamp(-50000, 50000)
        to_vision = (affinity + (mask[:, None, None] - 1) * 10000).softmax(-1)
        to_language = affinity.transpose(2, 3).softmax(-1)
        delta_v = self.dense(f"{name}.attn.out_v_proj", self.merge(to_vision @ value_l))
        delta_l = self.dense(f"{name}.attn.out_l_proj", self.merge(to_language @ value_v))
        return v + delta_v * self.p[f"{name}.gamma_v"], l + delta_l * self.p[f"{name}.gamma_l"]

    def __call__(self, image, ids, mask):
        """image [N, S, S, 3], ids [N, L], mask [N, L] -> logits, deltas, centerness, regions, tokens."""
        c = self.c
        stages = self.backbone(image)
        first = len(stages) - c["fpn"]["levels"]
        levels = self.fpn(stages[first:], first + 1)
        sizes = [level.shape[1:3] for level in levels]
        flat = torch.cat([level.flatten(1, 2) for level in levels], 1)
        language = self.text(ids, mask)
        tower = "rpn.head.dyhead_tower"

        def unflatten(rows):
            parts = rows.split([h * w for h, w in sizes], 1)
            return [part.reshape(part.shape[0], h, w, -1) for part, (h, w) in zip(parts, sizes)]

        for block in range(c["tower"]["blocks"]):
            vision, language = self.fuse(f"{tower}.{3 * block}.b_attn", flat, language, mask)
            language = self.bert_layer(f"{tower}.{3 * block + 1}", language, mask)
            name = f"{tower}.{3 * block + 2}"
            convolved = torch.cat([self.conv(f"{name}.conv", level).flatten(1, 2) for level in unflatten(vision)], 1)
            flat = vision + F.relu(self.norm(f"{name}.norm", convolved, 1e-6))

        head, p = "rpn.head", self.p
        parts = flat.split([h * w for h, w in sizes], 1)
        box = p[f"{head}.bbox_pred.weight"].flatten(1)
        deltas = torch.cat(
            [F.linear(part, box, p[f"{head}.bbox_pred.bias"]) * p[f"{head}.scales.{i}.scale"] for i, part in enumerate(parts)], 1
        )
        unit = F.normalize(language, dim=-1)
        words = self.dense(f"{head}.dot_product_projection_text", unit * 0.5)
        bias = unit @ p[f"{head}.bias_lang"] + p[f"{head}.bias0"]
        logits = flat @ words.transpose(1, 2) / p[f"{head}.log_scale"].exp() + bias[:, None]
        return {
            "logits": logits.clamp(-50000, 50000),
            "deltas": deltas,
            "centerness": self.conv(f"{head}.centerness", flat[:, None])[:, 0, :, 0],
            "regions": F.normalize(self.dense(f"{head}.contrastive_image", flat), dim=-1),
            "tokens": F.normalize(self.dense(f"{head}.contrastive_text", language), dim=-1),
        }


def anchors_of(config):
    """[A, 4], x1 y1 x2 y2."""
    widths, patch = config["backbone"]["widths"], config["backbone"]["patch"]
    strides = [patch * 2**stage for stage in range(len(widths))][-config["fpn"]["levels"] :]
    boxes = []
    for stride in strides:
        places = config["image_size"] // stride
        half = config["head"]["anchor_scale"] * stride / 2
        y, x = np.mgrid[0:places, 0:places].reshape(2, -1) * stride + stride / 2
        boxes.append(np.stack([x - half, y - half, x + half, y + half], 1))
    return np.concatenate(boxes).astype(np.float32)


def decode(deltas, anchors):
    width, height = anchors[:, 2] - anchors[:, 0], anchors[:, 3] - anchors[:, 1]
    x = deltas[..., 0] / 10 * width + (anchors[:, 0] + anchors[:, 2]) / 2
    y = deltas[..., 1] / 10 * height + (anchors[:, 1] + anchors[:, 3]) / 2
    limit = math.log(1000 / 16)
    w = (deltas[..., 2] / 5).clamp(max=limit).exp() * width / 2
    h = (deltas[..., 3] / 5).clamp(max=limit).exp() * height / 2
    return torch.stack([x - w, y - h, x + w, y + h], -1)


def unified_loss(out, batch, anchors, weights, temperature=0.07, inset=0):
    """The terms of src/train/loss/losses.ts. `batch` holds torch tensors named as the step's inputs.

    Boxes are measured `inset` pixels inside of their edges; without embeddings there is no contrastive term.
    """
    n = torch.arange(batch["assigned"].shape[0], device=batch["assigned"].device)[:, None]
    phrase = batch["phrase"][n, batch["assigned"]]
    words = batch["words"][:, None] * (1 + phrase.clamp(max=0))
    target = phrase.clamp(min=0) * words
    box = batch["box"][n, batch["assigned"]]
    positive = (batch["assigned"] < batch["phrase"].shape[1] - 1).float()
    positives = positive.sum().clamp(min=1)

    probability = out["logits"].sigmoid()
    wrong = probability * (1 - 2 * target) + target
    alpha = 0.75 - 0.5 * target
    cross = F.softplus(out["logits"]) - out["logits"] * target
    classification = (alpha * wrong**2 * cross * words).sum() / positives

    trained = positive * batch["regress"]
    weight = batch["centerness"] * trained
    shrink = torch.tensor([inset, inset, -inset, -inset], device=box.device)
    predicted, box = decode(out["deltas"], anchors) + shrink, box + shrink
    if inset:
        predicted, box = (torch.cat([b[..., :2], torch.maximum(b[..., :2], b[..., 2:])], -1) for b in (predicted, box))
    low = torch.maximum(predicted[..., :2], box[..., :2])
    high = torch.minimum(predicted[..., 2:], box[..., 2:])
    overlap = (high - low).clamp(min=0).prod(-1)
    area = lambda b: (b[..., 2:] - b[..., :2]).prod(-1)
    union = area(predicted) + area(box) - overlap
    hull = (torch.maximum(predicted[..., 2:], box[..., 2:]) - torch.minimum(predicted[..., :2], box[..., :2])).prod(-1)
    giou_each = 1 - (overlap / (union + 1e-7) - (hull - union) / (hull + 1e-7))
    giou = (giou_each * weight).sum() / weight.sum().clamp(min=1e-6)
    centerness = ((F.softplus(out["centerness"]) - out["centerness"] * batch["centerness"]) * trained).sum()
    regression = giou * 2 + centerness / trained.sum().clamp(min=1)

    word_bias = (1 - words) * -10000
    share = target / target.sum(2, keepdim=True).clamp(min=1)
    grounding = -(share * (out["logits"] + word_bias).log_softmax(-1)).sum() / positives

    terms = {"classification": classification, "regression": regression, "grounding": grounding}
    terms = {name: term * weights[name] for name, term in terms.items()}
    if "regions" not in out:
        return sum(terms.values()), terms
    similarity = out["regions"] @ out["tokens"].transpose(1, 2) / temperature

    def contrast(everything, axis):
        count = target.sum(axis)
        has = count.clamp(max=1)
        mean = (similarity * target).sum(axis) / count.clamp(min=1)
        return ((everything.logsumexp(axis) - mean) * has).sum() / has.sum().clamp(min=1)

    counted = similarity + word_bias
    contrastive = (contrast(counted, 2) + contrast(counted, 1)) / 2
    terms["contrastive"] = contrastive * weights["contrastive"]
    return sum(terms.values()), terms
