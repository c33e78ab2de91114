"""Times a teacher's network in PyTorch for bench/teacher.ts: `time_teacher.py FOLDER SHAPES THREADS RUNS`.

SHAPES is JSON, a list of runs: {"pixel_values": [1, 3, 480, 640], ...}. The network is built from the folder's config.json
with random weights: what it costs does not depend on them.
"""

import json
import sys
import time

import torch
import transformers

folder, shapes, threads, runs = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
transformers.logging.set_verbosity_error()
config = transformers.AutoConfig.from_pretrained(folder)
classes = {
    "owlvit": "OwlViTForObjectDetection",
    "owlv2": "Owlv2ForObjectDetection",
    "grounding-dino": "GroundingDinoForObjectDetection",
    "detr": "DetrForObjectDetection",
    "rt_detr": "RTDetrForObjectDetection",
}
model = getattr(transformers, classes[config.model_type])(config).eval()


def inputs(sizes):
    made = {}
    for name, size in sizes.items():
        if name == "pixel_values":
            made[name] = torch.randn(size)
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
