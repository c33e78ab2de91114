"""Writes teacher folders of published architectures with random weights, for bench/teacher.ts.

    python bench/parity/export_teachers.py FOLDER [FAMILY...]     needs torch, transformers, onnx, onnxruntime

Pictures are smaller than the published models take, so that the benchmark is short; what a network costs does not depend
on its weights.
"""

import sys
import warnings
from pathlib import Path

import torch
import transformers
from tiny_teachers import (
    BERT_VOCABULARY,
    bert_tokenizer,
    clip_tokenizer,
    export,
    export_detr,
    export_grounding_dino,
    export_owl,
    save_config,
    save_processor,
    separator_masks,
    separators,
)
from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil
from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil
from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil
from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil
from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil


def grounding_dino(folder: Path, side: int = 480) -> None:
    config = transformers.GroundingDinoConfig()
    config.text_config.vocab_size = len(BERT_VOCABULARY)
    model = transformers.GroundingDinoForObjectDetection(config).eval()
    model.model.special_tokens = separators()
    save_config(model, folder)
    export_grounding_dino(model, folder / "onnx/model.onnx", separator_masks, side)
    save_processor(folder, GroundingDinoImageProcessorPil(size={"shortest_edge": 360, "longest_edge": side}))
    bert_tokenizer().backend_tokenizer.save(str(folder / "tokenizer.json"))


def owl(folder: Path, kind: str, patch: int, side: int, processor) -> None:
    config = getattr(transformers, "OwlViTConfig" if kind == "owlvit" else "Owlv2Config")()
    config.vision_config.image_size, config.vision_config.patch_size = side, patch
    tokenizer = clip_tokenizer()
    config.text_config.vocab_size = len(tokenizer)
    model_class = getattr(transformers, "OwlViTForObjectDetection" if kind == "owlvit" else "Owlv2ForObjectDetection")
    model = model_class(config).eval()
    save_config(model, folder)
    export_owl(model, folder, split=False)
    save_processor(folder, processor(size={"height": side, "width": side}))
    tokenizer.save_pretrained(folder)


def detr(folder: Path) -> None:
    backbone = transformers.ResNetConfig(out_features=["stage4"])
    config = transformers.DetrConfig(
        use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config=backbone
    )
    model = transformers.DetrForObjectDetection(name_labels(config, 91)).eval()
    save_config(model, folder)
    export_detr(model, folder / "onnx/model.onnx")
    save_processor(folder, DetrImageProcessorPil(size={"shortest_edge": 480, "longest_edge": 800}))


def rt_detr(folder: Path, side: int = 640) -> None:
    backbone = transformers.RTDetrResNetConfig(
        depths=[2, 2, 2, 2], layer_type="basic", hidden_sizes=[64, 128, 256, 512], out_features=["stage2", "stage3", "stage4"]
    )
    config = transformers.RTDetrConfig(backbone_config=backbone, encoder_in_channels=[128, 256, 512], decoder_layers=3)
    model = transformers.RTDetrForObjectDetection(name_labels(config, 80)).eval()
    save_config(model, folder)
    example = {"pixel_values": torch.randn(1, 3, side, side)}
    export(model, example, ("logits", "pred_boxes"), folder / "onnx/model.onnx", {})
    save_processor(folder, RTDetrImageProcessorPil(size={"height": side, "width": side}))


def name_labels(config, count: int):
    config.id2label = {index: f"thing {index}" for index in range(count)}
    return config


families = {
    "rt_detr": rt_detr,
    "detr": detr,
    "owlvit": lambda folder: owl(folder, "owlvit", 32, 768, OwlViTImageProcessorPil),
    "owlv2": lambda folder: owl(folder, "owlv2", 16, 480, Owlv2ImageProcessorPil),
    "grounding-dino": grounding_dino,
}

if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    root, *chosen = sys.argv[1:]
    for family in chosen or families:
        families[family](Path(root) / family)
        print(family, "written", flush=True)
