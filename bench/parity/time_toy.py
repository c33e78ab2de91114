"""Times training steps of the toy network in PyTorch for bench/train-step.ts: `time_toy.py FILE STEPS`."""

import json
import resource
import sys
import time

import torch
from toy_glip import ToyGlip, anchors_of, load_safetensors, unified_loss

torch.set_num_threads(2)
tensors, metadata = load_safetensors(sys.argv[1])
config, training = json.loads(metadata["config"]), json.loads(metadata["training"])
parameters = {k.removeprefix("parameter."): v.requires_grad_() for k, v in tensors.items() if k.startswith("parameter.")}
batch = {k.removeprefix("batch."): v for k, v in tensors.items() if k.startswith("batch.")}
batch["ids"], batch["assigned"] = batch["ids"].long(), batch["assigned"].long()
anchors = torch.from_numpy(anchors_of(config))
network = ToyGlip(config, parameters)
average = [p.detach().clone() for p in parameters.values()]
adamw = torch.optim.AdamW(parameters.values(), lr=1e-3, betas=(0.9, 0.99), fused=True)


def step():
    start = time.perf_counter()
    outputs = network(batch["image"], batch["ids"], batch["mask"])
    loss, _ = unified_loss(outputs, batch, anchors, training["weights"], training["temperature"])
    adamw.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
    adamw.step()
    with torch.no_grad():
        torch._foreach_lerp_(average, [p.detach() for p in parameters.values()], 0.01)
    return (time.perf_counter() - start) * 1000


for _ in range(3):
    step()
times = [step() for _ in range(int(sys.argv[2]))]
print(json.dumps({"steps": times, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
