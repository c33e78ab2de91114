"""Times training steps in PyTorch for bench/train-step.ts: `time_step.py FILE STEPS`. Presets toy and glip-t."""

import json
import re
import resource
import sys
import time

import torch
from toy_glip import ToyGlip, load_safetensors, unified_loss

torch.set_num_threads(2)
tensors, metadata = load_safetensors(sys.argv[1])
config, training = json.loads(metadata["config"]), json.loads(metadata["training"])
parameters = {k.removeprefix("parameter."): v.requires_grad_() for k, v in tensors.items() if k.startswith("parameter.")}
batch = {k.removeprefix("batch."): v for k, v in tensors.items() if k.startswith("batch.")}
del tensors
batch["ids"], batch["assigned"] = batch["ids"].long(), batch["assigned"].long()
inset = 0
if config["backbone"]["kind"] == "swin":
    from glip_reference import Glip, anchors_of

    network, inset = Glip(config, parameters), 0.5
    anchors = anchors_of(config, config["image_size"], config["image_size"])
    image = batch["image"].permute(0, 3, 1, 2).contiguous()
else:
    from toy_glip import anchors_of

    network, image = ToyGlip(config, parameters), batch["image"]
    anchors = torch.from_numpy(anchors_of(config))
average = [p.detach().clone() for p in parameters.values()]
adamw = torch.optim.AdamW(parameters.values(), lr=1e-3, betas=(0.9, 0.99), fused=True)


def peak_memory():
    """MB. Linux counts in ru_maxrss what the process that started this one held, which here is a network as large."""
    try:
        with open("/proc/self/status") as status:
            return int(re.search(r"VmHWM:\s*(\d+)", status.read())[1]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def step():
    start, cpu = time.perf_counter(), time.process_time()
    outputs = network(image, batch["ids"], batch["mask"])
    loss, _ = unified_loss(outputs, batch, anchors, training["weights"], training["temperature"], inset)
    adamw.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
    adamw.step()
    with torch.no_grad():
        torch._foreach_lerp_(average, [p.detach() for p in parameters.values()], 0.01)
    return (time.perf_counter() - start) * 1000, (time.process_time() - cpu) * 1000


for _ in range(2):
    step()
times, cpu = zip(*(step() for _ in range(int(sys.argv[2]))))
print(json.dumps({"steps": times, "cpu": cpu, "memory": peak_memory()}))
