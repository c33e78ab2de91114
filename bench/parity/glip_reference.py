"""The published GLIP network (microsoft/GLIP) in plain PyTorch: the reference of src/model's official presets.

Functions over a dictionary of parameters with the official keys (without `module.`) and shapes, pictures channels
first. The official modules do not run without CUDA: their deformable convolution is torchvision's here, with the
official kernel's reading of offsets that are larger than its output. `check_reference.py` compares this file with the
official modules themselves. Needs torch and torchvision.
"""

import math

import torch
import torch.nn.functional as F
from torchvision.ops import deform_conv2d


class Glip:
    def __init__(self, config, parameters):
        self.c = config
        self.p = parameters

    def linear(self, name, x):
        return F.linear(x, self.p[f"{name}.weight"], self.p.get(f"{name}.bias"))

    def norm(self, name, x, eps=1e-5):
        return F.layer_norm(x, x.shape[-1:], self.p[f"{name}.weight"], self.p[f"{name}.bias"], eps)

    def conv(self, name, x, stride=1):
        weight = self.p[f"{name}.weight"]
        return F.conv2d(x, weight, self.p[f"{name}.bias"], stride, weight.shape[-1] // 2)

    # Swin Transformer; maps are [N, H, W, C].

    def window_attention(self, name, x, heads, mask):
        """x [windows, area, C], mask [windows of a picture, area, area] or None."""
        count, area, width = x.shape
        q, k, v = self.linear(f"{name}.qkv", x).view(count, area, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        scores = q * (width // heads) ** -0.5 @ k.transpose(-2, -1)
        side = math.isqrt(area)
        at = torch.arange(side)
        place = torch.stack(torch.meshgrid(at, at, indexing="ij")).flatten(1)
        apart = place[:, :, None] - place[:, None] + side - 1
        bias = self.p[f"{name}.relative_position_bias_table"][apart[0] * (2 * side - 1) + apart[1]]
        scores = scores + bias.permute(2, 0, 1)
        if mask is not None:
            scores = scores.view(-1, len(mask), heads, area, area) + mask[:, None]
        out = scores.reshape(count, heads, area, area).softmax(-1) @ v
        return self.linear(f"{name}.proj", out.transpose(1, 2).reshape(count, area, width))

    def swin_block(self, name, x, heads, window, shift):
        n, h, w, width = x.shape
        y = self.norm(f"{name}.norm1", x)
        y = F.pad(y, (0, 0, 0, -w % window, 0, -h % window))
        rows, columns = y.shape[1] // window, y.shape[2] // window
        cut = lambda t: t.view(-1, rows, window, columns, window, t.shape[-1]).transpose(2, 3).reshape(-1, window**2, t.shape[-1])
        mask = None
        if shift:
            y = y.roll((-shift, -shift), (1, 2))
            region = torch.zeros(1, rows * window, columns * window, 1)
            for i, r in enumerate((slice(-window), slice(-window, -shift), slice(-shift, None))):
                for j, c in enumerate((slice(-window), slice(-window, -shift), slice(-shift, None))):
                    region[:, r, c] = 3 * i + j
            region = cut(region)[..., 0]
            mask = (region[:, :, None] != region[:, None]).float() * -100
        y = self.window_attention(f"{name}.attn", cut(y), heads, mask)
        y = y.view(n, rows, columns, window, window, width).transpose(2, 3).reshape(n, rows * window, columns * window, width)
        y = y.roll((shift, shift), (1, 2)) if shift else y
        x = x + y[:, :h, :w]
        return x + self.linear(f"{name}.mlp.fc2", F.gelu(self.linear(f"{name}.mlp.fc1", self.norm(f"{name}.norm2", x))))

    def merge_patches(self, name, x):
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        x = torch.cat([x[:, r::2, c::2] for c in (0, 1) for r in (0, 1)], -1)
        return self.linear(f"{name}.reduction", self.norm(f"{name}.norm", x))

    def swin(self, image):
        """image [N, 3, H, W] -> maps of the last stages [N, C, H, W], finest first."""
        c, body = self.c["backbone"], "backbone.body"
        x = F.conv2d(image, self.p[f"{body}.patch_embed.proj.weight"], self.p[f"{body}.patch_embed.proj.bias"], c["patch"])
        x = self.norm(f"{body}.patch_embed.norm", x.permute(0, 2, 3, 1))
        maps = []
        for stage, depth in enumerate(c["depths"]):
            for block in range(depth):
                shift = block % 2 * (c["window"] // 2)
                x = self.swin_block(f"{body}.layers.{stage}.blocks.{block}", x, c["heads"][stage], c["window"], shift)
            if stage >= len(c["depths"]) - self.c["fpn"]["levels"]:
                maps.append(self.norm(f"{body}.norm{stage}", x).permute(0, 3, 1, 2))
            if stage < len(c["depths"]) - 1:
                x = self.merge_patches(f"{body}.layers.{stage}.downsample", x)
        return maps

    def pyramid(self, maps):
        fpn, first = "backbone.fpn", len(self.c["backbone"]["depths"]) - len(maps) + 1
        merged = None
        levels = []
        for i in reversed(range(len(maps))):
            lateral = self.conv(f"{fpn}.fpn_inner{first + i}", maps[i])
            merged = lateral if merged is None else lateral + F.interpolate(merged, lateral.shape[-2:], mode="nearest")
            levels.insert(0, self.conv(f"{fpn}.fpn_layer{first + i}", merged))
        p6 = self.conv(f"{fpn}.top_blocks.p6", levels[-1], 2)
        return [*levels, p6, self.conv(f"{fpn}.top_blocks.p7", p6.relu(), 2)]

    # Text.

    def bert_layer(self, name, x, mask):
        n, length, width = x.shape
        heads = self.c["text"]["heads"]
        q, k, v = (
            self.linear(f"{name}.attention.self.{part}", x).view(n, length, heads, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        scores = (q @ k.transpose(2, 3) / math.sqrt(width // heads)).clamp(-50000, 50000)
        attention = (scores + (1 - mask[:, None, None]) * -10000).softmax(-1)
        context = (attention @ v).transpose(1, 2).reshape(n, length, width)
        y = self.norm(f"{name}.attention.output.LayerNorm", self.linear(f"{name}.attention.output.dense", context) + x, 1e-12)
        inner = F.gelu(self.linear(f"{name}.intermediate.dense", y))
        return self.norm(f"{name}.output.LayerNorm", self.linear(f"{name}.output.dense", inner) + y, 1e-12)

    def text(self, ids, mask):
        name = "language_backbone.body.model"
        tables = {t: self.p[f"{name}.embeddings.{t}_embeddings.weight"] for t in ("word", "position", "token_type")}
        x = tables["word"][ids] + tables["position"][: ids.shape[1]] + tables["token_type"][0]
        x = self.norm(f"{name}.embeddings.LayerNorm", x, 1e-12)
        for layer in range(self.c["text"]["layers"]):
            x = self.bert_layer(f"{name}.encoder.layer.{layer}", x, mask)
        return x

    # Fusion and tower.

    def fuse(self, name, vision, language, mask):
        """vision [N, P, C], language [N, L, D], mask [N, L]."""
        c = self.c["fusion"]
        v, l = self.norm(f"{name}.layer_norm_v", vision), self.norm(f"{name}.layer_norm_l", language)
        heads = lambda x: x.view(x.shape[0], x.shape[1], c["heads"], -1).transpose(1, 2)
        merge = lambda x: x.transpose(1, 2).flatten(2)
        part = lambda of, x: heads(self.linear(f"{name}.attn.{of}", x))
        query = part("v_proj", v) * (c["embed"] // c["heads"]) ** -0.5
        affinity = (query @ part("l_proj", l).transpose(2, 3)).clamp(-50000, 50000)
        to_language = affinity.transpose(2, 3)
        to_language = (to_language - to_language.amax(-1, keepdim=True)).clamp(-50000, 50000).softmax(-1)
        to_vision = (affinity + mask.masked_fill(mask == 0, -9e15)[:, None, None]).softmax(-1)
        delta_v = self.linear(f"{name}.attn.out_v_proj", merge(to_vision @ part("values_l_proj", l)))
        delta_l = self.linear(f"{name}.attn.out_l_proj", merge(to_language @ part("values_v_proj", v)))
        return v + self.p[f"{name}.gamma_v"] * delta_v, l + self.p[f"{name}.gamma_l"] * delta_l

    def deform(self, name, x, offset, mask, stride):
        """A deformable convolution that reads the start of too large offsets, as the official kernel does."""
        h, w = ((size - 1) // stride + 1 for size in x.shape[-2:])
        start = lambda t: t.flatten(1)[:, : t.shape[1] * h * w].view(-1, t.shape[1], h, w)
        weight, bias = self.p[f"{name}.conv.weight"], self.p[f"{name}.conv.bias"]
        x = deform_conv2d(x, start(offset), weight, bias, stride, 1, mask=start(mask))
        groups = self.c["tower"]["groups"]
        return F.group_norm(x, groups, self.p[f"{name}.bn.weight"], self.p[f"{name}.bn.bias"])

    @staticmethod
    def hard_sigmoid(x):
        return F.relu6(x + 3) / 6

    def dyhead_block(self, name, levels):
        out = []
        for i, level in enumerate(levels):
            moves = self.conv(f"{name}.offset", level)
            offset, mask = moves[:, :18], moves[:, 18:].sigmoid()
            branches = [self.deform(f"{name}.DyConv.1", level, offset, mask, 1)]
            if i > 0:
                branches.append(self.deform(f"{name}.DyConv.2", levels[i - 1], offset, mask, 2))
            if i < len(levels) - 1:
                coarser = self.deform(f"{name}.DyConv.0", levels[i + 1], offset, mask, 1)
                branches.append(F.interpolate(coarser, level.shape[-2:], mode="bilinear", align_corners=True))
            attention = [self.hard_sigmoid(self.conv(f"{name}.AttnConv.1", b.mean((2, 3), keepdim=True)).relu()) for b in branches]
            x = torch.stack([b * a for b, a in zip(branches, attention)]).mean(0)
            theta = self.linear(f"{name}.relu.fc.0", x.mean((2, 3))).relu()
            theta = self.hard_sigmoid(self.linear(f"{name}.relu.fc.2", theta))[..., None, None]
            a1, b1, a2, b2 = (theta - 0.5).chunk(4, 1)
            out.append(torch.maximum(x * (a1 * 2 + 1) + b1, x * a2 * 2 + b2))
        return out

    def head(self, levels, language):
        name = "rpn.head"
        deltas = [self.conv(f"{name}.bbox_pred", x) * self.p[f"{name}.scales.{i}.scale"] for i, x in enumerate(levels)]
        centerness = [self.conv(f"{name}.centerness", x) for x in levels]
        rows = lambda maps: torch.cat([m.flatten(2).transpose(1, 2) for m in maps], 1)
        unit = F.normalize(language, dim=-1)
        words = self.linear(f"{name}.dot_product_projection_text", unit / 2)
        bias = unit @ self.p[f"{name}.bias_lang"] + self.p[f"{name}.bias0"]
        logits = rows(levels) @ words.transpose(1, 2) / self.p[f"{name}.log_scale"].exp() + bias[:, None]
        return {"logits": logits.clamp(-50000, 50000), "deltas": rows(deltas), "centerness": rows(centerness)[..., 0]}

    def __call__(self, image, ids, mask):
        """image [N, 3, H, W], ids [N, L], mask [N, L] -> logits [N, A, L], deltas [N, A, 4], centerness [N, A]."""
        levels = self.pyramid(self.swin(image))
        language = self.text(ids, mask)
        tower, fusion = "rpn.head.dyhead_tower", self.c.get("fusion")
        at = 0
        for _ in range(self.c["tower"]["blocks"]):
            if fusion:
                sizes = [level.shape[-2:] for level in levels]
                rows = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], 1)
                rows, language = self.fuse(f"{tower}.{at}.b_attn", rows, language, mask)
                language = self.bert_layer(f"{tower}.{at + 1}", language, mask)
                parts = rows.split([h * w for h, w in sizes], 1)
                levels = [part.transpose(1, 2).unflatten(2, size) for part, size in zip(parts, sizes)]
                at += 2
            levels = self.dyhead_block(f"{tower}.{at}", levels)
            at += 1
        return self.head(levels, language if fusion else language * mask[..., None])


def anchors_of(config, height, width):
    """[A, 4], x1 y1 x2 y2 in edges: the official inclusive boxes with 1 added to x2 and y2."""
    strides = [config["backbone"]["patch"] * 2**stage for stage in range(len(config["backbone"]["depths"]))]
    strides = strides[-config["fpn"]["levels"] :]
    strides += [strides[-1] * 2 ** (extra + 1) for extra in range(config["fpn"]["extra_levels"])]
    anchors = []
    for stride in strides:
        # The base window [0, stride - 1] grown around its centre, moved to each place.
        size, centre = config["head"]["anchor_scale"] * stride, (stride - 1) / 2
        y, x = torch.meshgrid(
            torch.arange(math.ceil(height / stride)) * stride, torch.arange(math.ceil(width / stride)) * stride, indexing="ij"
        )
        x, y = x.flatten() + centre, y.flatten() + centre
        half = (size - 1) / 2
        anchors.append(torch.stack([x - half, y - half, x + half + 1, y + half + 1], 1))
    return torch.cat(anchors)


def assign_targets(anchors, level_counts, boxes, inset):
    """ATSS as in the official loss: for each anchor its box or -1, and its centerness. Boxes are x1 y1 x2 y2 in edges."""
    low = torch.maximum(anchors[:, None, :2], boxes[:, :2])
    high = torch.minimum(anchors[:, None, 2:], boxes[:, 2:])
    overlap = (high - low).clamp(min=0).prod(-1)
    area = lambda b: (b[:, 2:] - b[:, :2]).prod(-1)
    iou = overlap / (area(anchors)[:, None] + area(boxes) - overlap)
    centre = lambda b: (b[:, :2] + b[:, 2:]) / 2
    distance = torch.cdist(centre(anchors), centre(boxes))
    starts = [sum(level_counts[:level]) for level in range(len(level_counts))]
    candidates = torch.cat(
        [distance[s : s + n].topk(min(9, n), 0, largest=False).indices + s for s, n in zip(starts, level_counts)]
    )
    chosen = iou.gather(0, candidates)
    to_edges = torch.cat([centre(anchors)[:, None] - boxes[:, :2], boxes[:, 2:] - centre(anchors)[:, None]], -1) - inset
    good = (chosen >= chosen.mean(0) + chosen.std(0)) & (to_edges.amin(-1).gather(0, candidates) > 0.01)
    claimed = torch.full_like(iou, -1).scatter(0, candidates, torch.where(good, chosen, -1.0))
    best, assigned = claimed.max(1)
    assigned[best < 0] = -1
    left, top, right, bottom = to_edges[torch.arange(len(anchors)), assigned.clamp(min=0)].unbind(-1)
    ratio = lambda a, b: torch.minimum(a, b) / torch.maximum(a, b)
    centerness = (ratio(left, right) * ratio(top, bottom)).clamp(min=0).sqrt()
    return assigned, torch.where(assigned < 0, 0.0, centerness)
