"""`glip-r50` in plain PyTorch: ResNet with frozen norms, and DETR's decoder over the fused pyramid.

The decoder's attention is torch.nn.functional's own multi-head attention; the rest of the network is that of
glip_reference.py.
"""

import math

import torch
import torch.nn.functional as F

from glip_reference import Glip


class QueryGlip(Glip):
    def frozen_conv(self, conv, norm, x, stride=1):
        """A batch norm whose statistics are 0 and 1: F.batch_norm without epsilon."""
        weight = self.p[f"{conv}.weight"]
        x = F.conv2d(x, weight, None, stride, weight.shape[-1] // 2)
        channels = x.shape[1]
        return F.batch_norm(
            x, torch.zeros(channels), torch.ones(channels), self.p[f"{norm}.weight"], self.p[f"{norm}.bias"], eps=0
        )

    def bottleneck(self, name, x, stride):
        y = self.frozen_conv(f"{name}.conv1", f"{name}.bn1", x).relu()
        y = self.frozen_conv(f"{name}.conv2", f"{name}.bn2", y, stride).relu()
        y = self.frozen_conv(f"{name}.conv3", f"{name}.bn3", y)
        if f"{name}.downsample.0.weight" in self.p:
            x = self.frozen_conv(f"{name}.downsample.0", f"{name}.downsample.1", x, stride)
        return (y + x).relu()

    def resnet(self, image):
        body = "backbone.body"
        x = self.frozen_conv(f"{body}.conv1", f"{body}.bn1", image, 2).relu()
        x = F.max_pool2d(x, 3, 2, 1)
        maps = []
        for stage, depth in enumerate(self.c["backbone"]["depths"]):
            for block in range(depth):
                x = self.bottleneck(f"{body}.layer{stage + 1}.{block}", x, 2 if stage and not block else 1)
            maps.append(x)
        return maps

    def pyramid(self, maps):
        fpn, first = "backbone.fpn", len(self.c["backbone"]["depths"]) - len(maps) + 1
        merged, levels = None, []
        for i in reversed(range(len(maps))):
            lateral = self.conv(f"{fpn}.fpn_inner{first + i}", maps[i])
            merged = lateral if merged is None else lateral + F.interpolate(merged, scale_factor=2, mode="nearest")
            levels.insert(0, self.conv(f"{fpn}.fpn_layer{first + i}", merged))
        return levels

    @staticmethod
    def sine(rows, columns, channels):
        """PositionEmbeddingSine of DETR, normalised: [rows * columns, channels]."""
        half = channels // 2
        ones = torch.ones(1, rows, columns)
        y, x = ones.cumsum(1), ones.cumsum(2)
        y = y / (y[:, -1:] + 1e-6) * 2 * math.pi
        x = x / (x[:, :, -1:] + 1e-6) * 2 * math.pi
        steps = torch.arange(half, dtype=torch.float32)
        steps = 10000 ** (2 * torch.div(steps, 2, rounding_mode="floor") / half)
        turn = lambda at: torch.stack([(at[..., None] / steps)[..., 0::2].sin(), (at[..., None] / steps)[..., 1::2].cos()], 4).flatten(3)
        return torch.cat([turn(y), turn(x)], 3)[0].flatten(0, 1)

    def attend(self, name, query, key, value):
        heads, p = self.c["tower"]["heads"], self.p
        out, _ = F.multi_head_attention_forward(
            query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1), query.shape[-1], heads,
            p[f"{name}.in_proj_weight"], p[f"{name}.in_proj_bias"], None, None, False, 0.0,
            p[f"{name}.out_proj.weight"], p[f"{name}.out_proj.bias"], training=False, need_weights=False,
        )  # fmt: skip
        return out.transpose(0, 1)

    def decoder_layer(self, name, x, positions, memory, places):
        asked = x + positions
        x = self.norm(f"{name}.norm1", x + self.attend(f"{name}.self_attn", asked, asked, x))
        x = self.norm(f"{name}.norm2", x + self.attend(f"{name}.multihead_attn", x + positions, memory + places, memory))
        return self.norm(f"{name}.norm3", x + self.linear(f"{name}.linear2", self.linear(f"{name}.linear1", x).relu()))

    def __call__(self, image, ids, mask):
        name = "rpn.head"
        levels = self.pyramid(self.resnet(image)[-self.c["fpn"]["levels"] :])
        memory = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], 1)
        language = self.text(ids, mask)
        for block in range(self.c["tower"]["blocks"]):
            memory, language = self.fuse(f"{name}.fusion.{block}.b_attn", memory, language, mask)
            language = self.bert_layer(f"{name}.fusion.{block}.bert", language, mask)
        channels = memory.shape[-1]
        embed = self.p[f"{name}.level_embed"]
        places = torch.cat([self.sine(*level.shape[-2:], channels) + embed[i] for i, level in enumerate(levels)])
        positions = self.p[f"{name}.query_embed.weight"]
        x = torch.zeros(len(image), *positions.shape)
        for layer in range(self.c["tower"]["layers"]):
            x = self.decoder_layer(f"{name}.decoder.layers.{layer}", x, positions, memory, places)
        x = self.norm(f"{name}.decoder.norm", x)

        box = self.linear(f"{name}.bbox_embed.layers.0", x).relu()
        box = self.linear(f"{name}.bbox_embed.layers.1", box).relu()
        unit = F.normalize(language, dim=-1)
        words = self.linear(f"{name}.dot_product_projection_text", unit / 2)
        bias = unit @ self.p[f"{name}.bias_lang"] + self.p[f"{name}.bias0"]
        logits = x @ words.transpose(1, 2) / self.p[f"{name}.log_scale"].exp() + bias[:, None]
        return {
            "logits": logits,
            "boxes": self.linear(f"{name}.bbox_embed.layers.2", box).sigmoid(),
            "regions": F.normalize(self.linear(f"{name}.contrastive_image", x), dim=-1),
            "tokens": F.normalize(self.linear(f"{name}.contrastive_text", language), dim=-1),
        }


def run_query_case(case, net, x):
    first, last = (lambda t: t.permute(0, 3, 1, 2)), (lambda t: t.permute(0, 2, 3, 1))
    if case == "bottleneck":
        run = lambda name, stride: last(net.bottleneck(f"backbone.body.{name}", first(x["map"]), stride))
        return {"plain": run("layer1.1", 1), "halved": run("layer2.0", 2)}
    if case == "resnet":
        return {f"stage{i}": last(stage) for i, stage in enumerate(net.resnet(first(x["image"])))}
    if case == "decoder layer":
        places = net.sine(3, 5, x["x"].shape[-1])
        return {"queries": net.decoder_layer("rpn.head.decoder.layers.0", x["x"], x["positions"], x["memory"], places)}
    return net(first(x["image"]), x["ids"].long(), x["mask"])
