"""Writes test/teacher/fixtures: tiny Hugging Face detectors as folders, and what the Python processors make of them.

    python bench/parity/teacher_fixtures.py [NAME...]        needs torch, torchvision, transformers, scipy, onnx, onnxruntime

The image processors are those that use Pillow and scipy. Pillow must be older than 13, which began to resize columns before
rows where that is less work; checkpoints were trained with the older order. The pictures are drawn by formula (test/teacher/pictures.ts has
the same one).
"""

import json
import shutil
import sys
import warnings
from pathlib import Path

import numpy
import onnx
import torch
import transformers
from onnxruntime.transformers import float16
from PIL import Image
from tiny_teachers import (
    LONG_SIDE,
    SIDE,
    bert_tokenizer,
    clip_tokenizer,
    export,
    export_detr,
    export_grounding_dino,
    export_omdet,
    export_owl,
    one_phrase_masks,
    save_config,
    save_processor,
    separator_masks,
    share_weights,
    tiny_detr,
    tiny_grounding_dino,
    tiny_omdet,
    tiny_owl,
    tiny_rt_detr,
)
from torchvision_detector import LABELS, export_torchvision, tiny_faster_rcnn
from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil
from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil
from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil
from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil
from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
root = Path(__file__).parents[2] / "test/teacher/fixtures"
root.mkdir(parents=True, exist_ok=True)
PHRASES = [["a red dog", "the person"], ["two cats", "big ball", "a blue car on the table"], ["tree"], ["small dog", "a cat"]]


def picture(index: int) -> Image.Image:
    """Stripes, squares and a wedge, in whole numbers; widths 33 to 147 and heights 40 to 125."""
    width, height = 33 + index * 37 % 115, 40 + index * 29 % 86
    y, x = numpy.mgrid[:height, :width]
    channels = [
        (x * (3 + index) + y * (5 + 2 * c) + ((x >> 3 ^ y >> 3) & 1) * 70 + 40 * c + (x * y >> 5) * (c + 1)) & 255 for c in range(3)
    ]
    return Image.fromarray(numpy.stack(channels, -1).astype(numpy.uint8))


pictures = [picture(index) for index in range(20)]
numbers = lambda tensor, digits=6: [round(float(value), digits) for value in tensor.flatten()]


def listed(results: dict, *extra: str) -> list:
    return [
        {"score": round(float(score), 6), "xyxy": numbers(box, 4), **{name: results[name][at] for name in extra}}
        for at, (score, box) in enumerate(zip(results["scores"], results["boxes"]))
    ]


def write(name: str, value) -> None:
    (root / f"{name}.json").write_text(json.dumps(value, separators=(",", ":")) + "\n")


def perturbed(pixels: torch.Tensor) -> torch.Tensor:
    """What a careless resize might give: the same picture a pixel off."""
    return torch.roll(pixels, 1, -1)


def sensitivity(name: str, model, values: dict, key="pred_boxes", logits="logits") -> None:
    with torch.no_grad():
        a, b = model(**values), model(**{**values, "pixel_values": perturbed(values["pixel_values"])})
    boxes = (a[key] - b[key]).abs().max().item()
    scores = (a[logits].clamp(-30, 30).sigmoid() - b[logits].clamp(-30, 30).sigmoid()).abs().max().item()
    print(f"{name}: a pixel off moves boxes by {boxes:.3f} and scores by {scores:.3f}")


def grounding_dino(kind: str) -> None:
    folder = root / kind
    model = tiny_grounding_dino(kind)
    save_config(model, folder)
    export_grounding_dino(model, folder / "onnx/model.onnx", separator_masks)
    if kind == "grounding-dino":
        export_grounding_dino(model, folder / "onnx/model_one_phrase.onnx", one_phrase_masks)
        share_weights([folder / "onnx/model.onnx", folder / "onnx/model_one_phrase.onnx"], "weights.bin")
    else:
        half_precision(folder / "onnx/model.onnx", folder / "onnx/model_fp16.onnx", keep_io_types=True)
    whole = {"height": LONG_SIDE, "width": LONG_SIDE}
    processor = GroundingDinoImageProcessorPil(size={"shortest_edge": SIDE, "longest_edge": LONG_SIDE}, pad_size=whole)
    save_processor(folder, processor)
    tokenizer = bert_tokenizer()
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    both = transformers.GroundingDinoProcessor(processor, tokenizer)
    expected = []
    for index, image in enumerate(pictures):
        phrases = PHRASES[index % len(PHRASES)]
        inputs = both(images=image, text=[phrases], return_tensors="pt")
        with torch.no_grad():
            outputs = model(**inputs)
        if index == 1:
            sensitivity(kind, model, dict(inputs))
        size = [image.size[::-1]]
        said = both.post_process_grounded_object_detection(
            outputs, inputs.input_ids, threshold=0.4, text_threshold=0.35, target_sizes=size
        )[0]
        probabilities = outputs.logits[0].sigmoid()
        scale = torch.tensor([*image.size, *image.size])
        corners = transformers.image_transforms.center_to_corners_format(outputs.pred_boxes[0]) * scale
        found, at = [], 1
        for phrase in phrases:
            length = len(tokenizer.tokenize(phrase))
            scores = probabilities[:, at : at + length].max(-1).values
            at += length + 1
            best = scores.argsort(descending=True, stable=True)[:4]
            found.append([{"score": round(scores[b].item(), 6), "xyxy": numbers(corners[b], 4)} for b in best])
        expected.append({"phrases": phrases, "ids": inputs.input_ids[0].tolist(), "processor": listed(said, "text_labels"), "found": found})
    write(kind, expected)


class GreyOwlv2(Owlv2ImageProcessorPil):
    """Pads with grey, as the recipe of the checkpoints did."""

    def pad(self, image, constant_value=0.5):
        return super().pad(image, 0.5)


def owl(kind: str, plain, split: bool) -> None:
    folder = root / kind
    tokenizer = clip_tokenizer()
    model = tiny_owl(kind, len(tokenizer))
    save_config(model, folder)
    export_owl(model, folder, split)
    if kind == "owlvit":
        half_precision(folder / "onnx/model.onnx", folder / "onnx/model_fp16.onnx")
    processors = {"default": plain(size={"height": SIDE, "width": SIDE})}
    if kind == "owlv2":
        processors = {"default": GreyOwlv2(size={"height": SIDE, "width": SIDE}), "black": processors["default"]}
    save_processor(folder, processors["default"], **({"image_processor_type": "Owlv2ImageProcessor"} if split else {}))
    tokenizer.save_pretrained(folder)
    expected: dict = {}
    for variant, processor in processors.items():
        both = transformers.OwlViTProcessor(processor, tokenizer)
        rows = expected[variant] = []
        for index, image in enumerate(pictures):
            phrases = [f"a photo of {phrase}" if index % 2 else phrase for phrase in PHRASES[index % len(PHRASES)] if len(phrase) < 12]
            inputs = both(images=image, text=[phrases], return_tensors="pt")
            with torch.no_grad():
                outputs = model(**inputs)
            if index == 1:
                sensitivity(f"{kind} {variant}", model, dict(inputs))
            size = [image.size[::-1]]
            said = processor.post_process_object_detection(outputs, threshold=0.3, target_sizes=size)[0]
            said["label"] = said["labels"].tolist()
            rows.append({"phrases": phrases, "ids": inputs.input_ids.tolist(), "processor": listed(said, "label")})
    write(kind, expected)


def omdet_turbo() -> None:
    folder = root / "omdet-turbo"
    tokenizer = clip_tokenizer()
    # Of published folders the token that pads is the one that ends a text.
    tokenizer.pad_token = "<|endoftext|>"
    model = tiny_omdet(len(tokenizer))
    save_config(model, folder)
    export_omdet(model, folder / "onnx/model.onnx")
    half_precision(folder / "onnx/model.onnx", folder / "onnx/model_fp16.onnx", keep_io_types=True)
    # As published: bytes are not rescaled, but mean and deviation are of bytes.
    processor = DetrImageProcessorPil(
        size={"height": SIDE, "width": SIDE},
        do_rescale=False,
        do_pad=False,
        image_mean=[123.675, 116.28, 103.53],
        image_std=[58.395, 57.12, 57.375],
    )
    save_processor(folder, processor)
    tokenizer.save_pretrained(folder)
    both = transformers.OmDetTurboProcessor(processor, tokenizer)
    expected = []
    for index, image in enumerate(pictures):
        phrases = PHRASES[index % len(PHRASES)]
        inputs = both(images=image, text=[phrases], return_tensors="pt")
        with torch.no_grad():
            outputs = model(**inputs)
        if index == 1:
            sensitivity("omdet-turbo", model, dict(inputs), "decoder_coord_logits", "decoder_class_logits")
        # Nothing is suppressed: what teach suppresses is its own setting.
        said = both.post_process_grounded_object_detection(
            outputs, threshold=0.2, nms_threshold=1, target_sizes=[image.size[::-1]]
        )[0]
        said["label"] = said["labels"].tolist()
        expected.append({"phrases": phrases, "processor": listed(said, "label")})
    write("omdet-turbo", expected)


def half_precision(model: Path, to: Path, keep_io_types: bool = False) -> None:
    """The same network in float16; inputs and outputs too, unless they are kept, as most published exports keep them."""
    onnx.save(float16.convert_float_to_float16(onnx.load(str(model)), keep_io_types=keep_io_types), str(to))


def closed(name: str, model, processor, expected_of, names) -> None:
    folder = root / name
    save_config(model, folder)
    save_processor(folder, processor)
    expected = []
    for index, image in enumerate(pictures):
        inputs = processor(images=image, return_tensors="pt")
        values = {key: inputs[key] for key in names}
        with torch.no_grad():
            outputs = model(**values)
        if index == 1:
            sensitivity(name, model, values)
        said = expected_of(outputs, [image.size[::-1]])[0]
        said["label"] = [model.config.id2label[int(label)] for label in said["labels"]]
        expected.append(listed(said, "label"))
    write(name, expected)


def detr() -> None:
    model = tiny_detr()
    export_detr(model, root / "detr/onnx/model.onnx")
    processor = DetrImageProcessorPil(size={"shortest_edge": SIDE, "longest_edge": 96})
    after = lambda outputs, sizes: processor.post_process_object_detection(outputs, threshold=0.2, target_sizes=sizes)
    closed("detr", model, processor, after, ("pixel_values", "pixel_mask"))


def rt_detr(name: str, version: int) -> None:
    model = tiny_rt_detr(version)
    example = {"pixel_values": torch.randn(1, 3, SIDE, SIDE)}
    export(model, example, ("logits", "pred_boxes"), root / name / "onnx/model.onnx", {"pixel_values": {0: "batch"}})
    processor = RTDetrImageProcessorPil(size={"height": SIDE, "width": SIDE})
    after = lambda outputs, sizes: processor.post_process_object_detection(outputs, threshold=0.2, target_sizes=sizes)
    closed(name, model, processor, after, ("pixel_values",))


def torchvision_detector() -> None:
    model = tiny_faster_rcnn(SIDE)
    export_torchvision(model, root / "torchvision", SIDE)
    expected = []
    for image in pictures:
        small = numpy.asarray(image.resize((SIDE, SIDE), resample=2)).transpose(2, 0, 1) / 255
        with torch.no_grad():
            [said] = model([torch.from_numpy(small).float()])
        width, height = image.size
        said["boxes"] = said["boxes"] * torch.tensor([width / SIDE, height / SIDE] * 2)
        said["label"] = [LABELS[int(label)] for label in said["labels"]]
        expected.append(listed(said, "label"))
    write("torchvision", expected)


def resampling() -> None:
    """Single bytes of Pillow's results, and sums that no wrong byte leaves alone."""
    cases = []
    for index, size, kind in ((1, (40, 25), 2), (2, (150, 200), 2), (3, (64, 64), 3), (4, (20, 90), 3), (5, (70, 12), 2), (6, (200, 31), 3)):
        resized = numpy.asarray(pictures[index].resize(size, resample=kind)).astype(int)
        sample = resized.flatten()[:: max(1, resized.size // 50)].tolist()
        weights = numpy.arange(resized.size) % 997
        cases.append({"picture": index, "size": size, "resample": kind, "sample": sample, "sum": int((resized.flatten() * weights).sum())})
    write("resampling", cases)


fixtures = {
    "grounding-dino": lambda: grounding_dino("grounding-dino"),
    "mm-grounding-dino": lambda: grounding_dino("mm-grounding-dino"),
    "omdet-turbo": omdet_turbo,
    "owlvit": lambda: owl("owlvit", OwlViTImageProcessorPil, split=False),
    "owlv2": lambda: owl("owlv2", Owlv2ImageProcessorPil, split=True),
    "detr": detr,
    "rt_detr": lambda: rt_detr("rt_detr", 1),
    "rt_detr_v2": lambda: rt_detr("rt_detr_v2", 2),
    "torchvision": torchvision_detector,
    "resampling": resampling,
}
for name in sys.argv[1:] or fixtures:
    shutil.rmtree(root / name, ignore_errors=True)
    fixtures[name]()
