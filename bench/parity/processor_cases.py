"""Writes test/teacher/fixtures/image-processors.json: what transformers' own processors (those with Pillow) make of
one picture, or that they refuse, for configurations of every form. Needs transformers 5 and Pillow.

    python bench/parity/processor_cases.py
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from transformers import __version__
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil
from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil
from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

y, x = np.mgrid[0:61, 0:83]
picture = Image.fromarray(np.stack([x * 3, y * 4, x + y], -1).astype(np.uint8))
edges = {"shortest_edge": 40, "longest_edge": 50}
sides = {"height": 30, "width": 50}
asked = {
    DetrImageProcessorPil: [
        {"size": edges},
        {"size": {"shortest_edge": 40}},
        {"size": {"longest_edge": 40}},
        {"size": 40},
        {"size": 40, "max_size": 45},
        {"size": {"max_height": 50, "max_width": 60}},
        {"size": sides},
        {"size": [30, 50]},
        {"size": edges, "do_normalize": False},
        {"size": edges, "do_normalize": None},
        {"size": edges, "do_rescale": False},
        {"size": edges, "rescale_factor": 0.5},
        {"size": edges, "image_mean": 0.5, "image_std": 0.25},
        {"size": edges, "resample": 3},
        {"size": edges, "pad_size": {"height": 60, "width": 70}},
        {"size": edges, "do_pad": False, "pad_size": {"height": 60, "width": 70}},
    ],
    RTDetrImageProcessorPil: [
        {"size": sides},
        {"size": sides, "do_normalize": True},
        {"size": 32},
        {"size": sides, "pad_size": {"height": 60, "width": 60}},
        {"size": sides, "do_pad": True, "pad_size": {"height": 60, "width": 60}},
    ],
    CLIPImageProcessorPil: [
        {"size": 32, "crop_size": 24},
        {"size": {"shortest_edge": 32}, "crop_size": {"height": 20, "width": 24}},
        {"size": {"height": 32, "width": 40}, "do_center_crop": False},
        {"size": {"height": 32, "width": 40}, "do_center_crop": None},
        {"size": 40, "max_size": 45, "crop_size": 31},
    ],
    OwlViTImageProcessorPil: [
        {"size": 32},
        {"size": [32, 40]},
        {"size": {"height": 32, "width": 40}},
        {"size": 32, "rescale": False},
        {"size": {"shortest_edge": 32}},
    ],
}


def answer(kind, config) -> dict:
    try:
        pixels = kind(**config)(images=picture, return_tensors="np")["pixel_values"][0]
    except ValueError:
        return {"refused": True}
    values = pixels.reshape(-1)
    sample = [round(float(value), 5) for value in values[:: values.size // 20]]
    return {"shape": list(pixels.shape), "sample": sample, "mean": float(values.astype(np.float64).mean())}


cases = [
    {"class": kind.__name__.removesuffix("ImageProcessorPil"), "config": config} | answer(kind, config)
    for kind, configs in asked.items()
    for config in configs
]
path = Path(__file__).parents[2] / "test/teacher/fixtures/image-processors.json"
lines = ",\n".join(f"  {json.dumps(case)}" for case in cases)
path.write_text(f'{{\n "transformers": "{__version__}",\n "cases": [\n{lines}\n ]\n}}\n')
