"""Computes one case of test/helpers/glip-cases.ts or query-cases.ts in PyTorch: `python glip_cases.py IN.safetensors OUT.safetensors`.

IN holds `parameter.*` in PyTorch's layout, `input.*`, and for gradients `cotangent.*`; its metadata name the case and
hold the configuration. OUT gets `output.*` and `gradient.*`, pictures channels last. Run by write-glip-fixture.ts and
verify-parity.ts; needs torch and torchvision.
"""

import json
import os
import sys

import torch
from torchvision.ops import deform_conv2d

from glip_reference import Glip, anchors_of, assign_targets
from query_reference import QueryGlip, run_query_case
from toy_glip import load_safetensors, unified_loss, write_safetensors

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))


first = lambda x: x.permute(0, 3, 1, 2)
last = lambda x: x.permute(0, 2, 3, 1)


def run_case(case, net, x):
    tower = "rpn.head.dyhead_tower.0"
    levels = [first(x[f"level{i}"]) for i in range(5) if f"level{i}" in x]
    if case == "deformable convolution":
        run = lambda of, stride: deform_conv2d(
            first(x["x"]), first(x["offset" + of]), first(x["weight"]), x["bias"], stride, 1, mask=first(x["modulation" + of])
        )
        return {"stride1": last(run("", 1)), "stride2": last(run("2", 2))}
    if case == "swin block":
        c, block = net.c["backbone"], "backbone.body.layers.0.blocks"
        run = lambda i, shift: net.swin_block(f"{block}.{i}", x["map"], c["heads"][0], c["window"], shift)
        return {"plain": run(0, 0), "shifted": run(1, c["window"] // 2)}
    if case == "patch merging":
        return {"merged": net.merge_patches("backbone.body.layers.0.downsample", x["odd"])}
    if case == "bert layer":
        return {"language": net.bert_layer(tower, x["language"], x["mask"])}
    if case == "fusion layer":
        vision, language = net.fuse(f"{tower}.b_attn", x["vision"], x["language"], x["mask"])
        return {"vision": vision, "language": language}
    if case == "dyhead block":
        return {f"level{i}": last(level) for i, level in enumerate(net.dyhead_block(tower, levels))}
    if case == "head":
        return net.head(levels, x["language"])
    return net(first(x["image"]), x["ids"].long(), x["mask"])


def assign(config, boxes, size):
    """Targets of boxes [G, 4] as floats."""
    whole = anchors_of(config, size["height"], size["width"])
    strides = [8 * 2**level for level in range(5)]
    counts = [-(-size["height"] // stride) * -(-size["width"] // stride) for stride in strides]
    assigned, centerness = assign_targets(whole, counts, boxes, 0.5)
    return {"output.anchors": whole, "output.assigned": assigned, "output.centerness": centerness}


def train(net, x, training, size):
    """Losses of steps of AdamW on one batch."""
    parameters, optimizer = net.p, training["optimizer"]
    biases = [p for name, p in parameters.items() if name.endswith("bias")]
    weights = [p for name, p in parameters.items() if not name.endswith("bias")]
    adamw = torch.optim.AdamW(
        [{"params": weights, "weight_decay": optimizer["weight_decay"]}, {"params": biases, "weight_decay": 0.0}],
        lr=training["learning_rate"],
        betas=(optimizer["beta1"], optimizer["beta2"]),
        eps=optimizer["epsilon"],
    )
    anchors = anchors_of(net.c, size["height"], size["width"])
    batch = {**x, "ids": x["ids"].long(), "assigned": x["assigned"].long()}
    inset = 0.5 if net.c["head"]["box_edges"] == "pixel_centres" else 0
    losses = []
    for _ in range(training["steps"]):
        adamw.zero_grad()
        out = net(first(batch["image"]), batch["ids"], batch["mask"])
        loss, _ = unified_loss(out, batch, anchors, training["weights"], inset=inset)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), optimizer["clip_norm"])
        adamw.step()
        losses.append(loss.item())
    return torch.tensor(losses)


tensors, metadata = load_safetensors(sys.argv[1])
part = lambda prefix: {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
parameters, inputs, cotangents = part("parameter."), part("input."), part("cotangent.")
with_gradients = bool(cotangents) or metadata["case"] == "training"
for name, tensor in [*parameters.items(), *inputs.items()]:
    tensor.requires_grad_(with_gradients and (name in parameters or name not in ("ids", "mask")))
config = json.loads(metadata["config"])
has_queries = "queries" in config["head"]
net = (QueryGlip if has_queries else Glip)(config, parameters)
if metadata["case"] == "training":
    inputs = {name: tensor.detach() for name, tensor in inputs.items()}
    results = {"output.losses": train(net, inputs, json.loads(metadata["training"]), json.loads(metadata["size"]))}
elif metadata["case"] == "assignment":
    results = assign(net.c, inputs["boxes"], json.loads(metadata["size"]))
else:
    with torch.set_grad_enabled(with_gradients):
        outputs = (run_query_case if has_queries else run_case)(metadata["case"], net, inputs)
        results = {f"output.{name}": tensor for name, tensor in outputs.items()}
        if cotangents:
            sum((cotangents[name] * tensor).sum() for name, tensor in outputs.items()).backward()
            results |= {f"gradient.{name}": tensor.grad for name, tensor in parameters.items()}
            grads = {name: tensor.grad for name, tensor in inputs.items() if tensor.grad is not None}
            results |= {f"gradient.input.{name}": grad for name, grad in grads.items()}
write_safetensors(sys.argv[2], results)
