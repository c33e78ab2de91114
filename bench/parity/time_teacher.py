"""Times a teacher's network in PyTorch for bench/teacher.ts: `time_teacher.py FOLDER SHAPES THREADS RUNS`.

SHAPES is JSON, a list of runs: {"pixel_values": [1, 3, 480, 640], ...}. A network of transformers is built from the folder's
config.json with random weights: what it costs does not depend on them. A folder of groundmill's own is run by glip_reference.py
with the weights that it holds.
"""

import json
import sys
import time
from pathlib import Path

import torch

folder, shapes, threads, runs = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
classes = {
    "owlvit": "OwlViTForObjectDetection",
    "owlv2": "Owlv2ForObjectDetection",
    "grounding-dino": "GroundingDinoForObjectDetection",
    "detr": "DetrForObjectDetection",
    "rt_detr": "RTDetrForObjectDetection",
    "rt_detr_v2": "RTDetrV2ForObjectDetection",
}


def hugging_face():
    import transformers

    transformers.logging.set_verbosity_error()
    config = transformers.AutoConfig.from_pretrained(folder)
    return getattr(transformers, classes[config.model_type])(config).eval()


def glip(config):
    from glip_reference import Glip
    from toy_glip import load_safetensors

    weights, _ = load_safetensors(Path(folder) / "model.safetensors")
    # Convolutions are stored with their channels last.
    turned = {name: w.permute(0, 3, 1, 2).contiguous() if w.dim() == 4 else w for name, w in weights.items()}
    return Glip(config, turned)


config = json.loads((Path(folder) / "config.json").read_text())
is_glip = config["model_type"] == "groundmill-glip"
model = glip(config) if is_glip else hugging_face()


def inputs(sizes):
    made = {}
    for name, size in sizes.items():
        if name == "pixel_values":
            made[name] = torch.randn(size)
        elif name == "image":
            made[name] = torch.randn(size).permute(0, 3, 1, 2).contiguous()
        elif name == "mask":
            # The phrases of bench/teacher.ts with their commas, and the two tokens around them.
            made[name] = (torch.arange(size[1]) < 13).float().expand(size)
        else:
            made[name] = torch.zeros(size, dtype=torch.long) if name == "token_type_ids" else torch.ones(size, dtype=torch.long)
    return made


batches = [inputs(sizes) for sizes in shapes]
with torch.inference_mode():
    model(**batches[0])
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        for batch in batches:
            model(**batch)
        times.append((time.perf_counter() - start) * 1000)
print(json.dumps({"times": times, "torch": torch.__version__}))
