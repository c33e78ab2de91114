"""Times a network in PyTorch on a device, for bench/device.ts: `time_device.py SUBJECT WORK DEVICE PRECISION SECONDS [SHAPES]`.

SUBJECT is a file of bench/train-batch.ts (WORK is teach, the forward pass, or train, a step of AdamW) or a folder of Hugging
Face (WORK is teach, SHAPES its inputs as JSON; random weights, for what it costs does not depend on them). DEVICE is one of
PyTorch. PRECISION is float32, with TF32 as PyTorch has it by default, or float16: weights in half to teach, autocast to train.
Prints the milliseconds of each run.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

import torch

subject, work, device, precision, seconds = *sys.argv[1:5], float(sys.argv[5])
if device == "gpu":
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else sys.exit("PyTorch finds no GPU")
is_half = precision == "float16"
# What the networks make themselves lies on the device too.
torch.set_default_device(device)


def synchronize():
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def own():
    from toy_glip import load_safetensors

    tensors, metadata = load_safetensors(subject)
    config, training = json.loads(metadata["config"]), json.loads(metadata["training"])
    tensors = {name: tensor.to(device) for name, tensor in tensors.items()}
    parameters = {k.removeprefix("parameter."): v for k, v in tensors.items() if k.startswith("parameter.")}
    batch = {k.removeprefix("batch."): v for k, v in tensors.items() if k.startswith("batch.")}
    batch["ids"], batch["assigned"] = batch["ids"].long(), batch["assigned"].long()
    inset = 0
    if config["backbone"]["kind"] == "swin":
        from glip_reference import Glip, anchors_of

        make, inset = Glip, 0.5
        anchors = anchors_of(config, config["image_size"], config["image_size"]).to(device)
        image = batch["image"].permute(0, 3, 1, 2).contiguous()
    else:
        from toy_glip import ToyGlip, anchors_of

        make, image = ToyGlip, batch["image"]
        anchors = torch.from_numpy(anchors_of(config)).to(device)
    if work == "teach":
        cast = torch.float16 if is_half else torch.float32
        network = make(config, {name: p.to(cast) for name, p in parameters.items()})
        image, mask = image.to(cast), batch["mask"].to(cast)

        def teach():
            with torch.inference_mode():
                network(image, batch["ids"], mask)

        return teach

    from toy_glip import unified_loss

    for p in parameters.values():
        p.requires_grad_()
    network = make(config, parameters)
    adamw = torch.optim.AdamW(parameters.values(), lr=1e-3, betas=(0.9, 0.99), fused=True)
    average = [p.detach().clone() for p in parameters.values()]

    def train():
        with torch.autocast(device, torch.float16) if is_half else contextlib.nullcontext():
            outputs = network(image, batch["ids"], batch["mask"])
            loss, _ = unified_loss(outputs, batch, anchors, training["weights"], training["temperature"], inset)
        adamw.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        adamw.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, [p.detach() for p in parameters.values()], 0.01)

    return train


def hugging_face():
    import transformers

    transformers.logging.set_verbosity_error()
    config = transformers.AutoConfig.from_pretrained(subject)
    automatic = (transformers.AutoModelForZeroShotObjectDetection, transformers.AutoModelForObjectDetection)
    kind = next(auto for auto in automatic if type(config) in auto._model_mapping.keys())
    model = kind.from_config(config).eval().to(device)
    if is_half:
        model = model.half()
    feeds = {}
    for name, shape in json.loads(sys.argv[6]).items():
        if name == "pixel_values":
            feeds[name] = torch.randn(shape, dtype=torch.float16 if is_half else torch.float32)
        else:
            feeds[name] = torch.zeros(shape, dtype=torch.long) if name == "token_type_ids" else torch.ones(shape, dtype=torch.long)

    def teach():
        with torch.inference_mode():
            model(**feeds)

    return teach


run = hugging_face() if Path(subject).is_dir() else own()
for _ in range(2):
    run()
synchronize()
times, until = [], time.perf_counter() + seconds
while len(times) < 3 or (time.perf_counter() < until and len(times) < 100):
    start = time.perf_counter()
    run()
    synchronize()
    times.append((time.perf_counter() - start) * 1000)
print(json.dumps({"times": times, "torch": torch.__version__, "device": device}))
