"""Trains the toy preset in PyTorch for bench/verify-twin.ts: `train_twin.py START END THREADS`.

START holds the first `parameter.*`; its metadata have the network's `config` and the `recipe`, a configuration of
`train`. Each line of the input names a file of batches, `0.image` and so on; the losses of their steps are printed as
one line of JSON. When the input ends, the moving averages of the parameters are written to END. What the recipe says
is done by PyTorch's own means: AdamW, LambdaLR, clip_grad_norm_. Needs torch and numpy.
"""

import json
import math
import sys

import torch
from toy_glip import ToyGlip, anchors_of, load_safetensors, unified_loss, write_safetensors

start, end, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
tensors, metadata = load_safetensors(start)
config, recipe = json.loads(metadata["config"]), json.loads(metadata["recipe"])
parameters = {name.removeprefix("parameter."): tensor.requires_grad_() for name, tensor in tensors.items()}
average = [p.detach().clone() for p in parameters.values()]
network, anchors = ToyGlip(config, parameters), torch.from_numpy(anchors_of(config))


def group_of(name, parameter):
    is_bias, is_language = name.endswith("bias"), name.startswith("language_backbone.")
    factor = (recipe["bias_rate"] if is_bias else 1) * (recipe["language_rate"] if is_language else 1)
    decay = 0.0 if is_bias else recipe["weight_decay"]
    return {"params": [parameter], "weight_decay": decay, "lr": recipe["learning_rate"] * factor}


def schedule(done):
    """Of the learning rate, after `done` steps."""
    step, steps, warmup = done + 1, recipe["steps"], recipe["warmup"]
    if step <= warmup:
        return step / warmup
    if recipe["schedule"] == "step":
        return 0.01 if step / steps > 0.89 else 0.1 if step / steps > 0.67 else 1
    through = min(1, (step - warmup) / max(1, steps - warmup))
    return 0.01 + 0.99 * (1 + math.cos(math.pi * through)) / 2


adamw = torch.optim.AdamW(
    [group_of(name, parameter) for name, parameter in parameters.items()],
    betas=(recipe["beta1"], recipe["beta2"]),
    eps=recipe["epsilon"],
)
rates = torch.optim.lr_scheduler.LambdaLR(adamw, schedule)


def train(batch):
    batch["ids"], batch["assigned"] = batch["ids"].long(), batch["assigned"].long()
    outputs = network(batch["image"], batch["ids"], batch["mask"])
    loss, terms = unified_loss(outputs, batch, anchors, recipe["loss"], recipe["temperature"])
    adamw.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(parameters.values(), recipe["clip_norm"])
    adamw.step()
    rates.step()
    with torch.no_grad():
        torch._foreach_lerp_(average, [p.detach() for p in parameters.values()], 1 - recipe["ema"])
    return {"loss": loss.item(), **{name: term.item() for name, term in terms.items()}, "gradient_norm": norm.item()}


for line in sys.stdin:
    values, _ = load_safetensors(line.strip())
    batches = {}
    for name, tensor in values.items():
        index, key = name.split(".")
        batches.setdefault(int(index), {})[key] = tensor
    print(json.dumps([train(batches[index]) for index in sorted(batches)]), flush=True)
write_safetensors(end, dict(zip(parameters, average)))
