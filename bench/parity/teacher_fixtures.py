"""Writes test/teacher/fixtures: tiny Hugging Face detectors as folders, and what the Python processors make of them.

    python bench/parity/teacher_fixtures.py [--into FOLDER] [NAME...]
                                   needs torch, torchvision, transformers, scipy, onnx, onnxruntime; yolo and yolo-world OpenCV

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
import PIL
import torch
import transformers
from onnxruntime.transformers import float16
from PIL import Image
from tiny_teachers import (
    LONG_SIDE,
    SIDE,
    SAM_SIDE,
    YOLO_NAMES,
    bert_tokenizer,
    clip_tokenizer,
    export,
    export_clip_text,
    export_detr,
    export_grounding_dino,
    export_omdet,
    export_owl,
    export_sam3,
    export_yolo,
    one_phrase_masks,
    save_config,
    save_processor,
    separator_masks,
    share_weights,
    tiny_clip_text,
    tiny_detr,
    tiny_grounding_dino,
    tiny_omdet,
    tiny_owl,
    tiny_rt_detr,
    tiny_sam3,
    tiny_yolo,
)
from torchvision_detector import LABELS, export_torchvision, tiny_faster_rcnn
from transformers.models.detr.image_processing_pil_detr import DetrImageProcessorPil
from transformers.models.grounding_dino.image_processing_pil_grounding_dino import GroundingDinoImageProcessorPil
from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil
from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil
from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
if int(PIL.__version__.split(".")[0]) >= 13:
    print(f"Pillow {PIL.__version__} resizes in another order than what checkpoints were trained with: answers will differ. Take one below 13.")
chosen = sys.argv[1:]
into = chosen[1] if chosen[:1] == ["--into"] else None
names = chosen[2:] if into else chosen
root = Path(into) if into else Path(__file__).parents[2] / "test/teacher/fixtures"
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


def sam3() -> None:
    folder = root / "sam3"
    tokenizer = clip_tokenizer()
    model = tiny_sam3(len(tokenizer))
    save_config(model, folder)
    export_sam3(model, folder / "onnx")
    half_precision(folder / "onnx/model.onnx", folder / "onnx/model_fp16.onnx", keep_io_types=True)
    share_weights([folder / f"onnx/{name}.onnx" for name in ("model", "vision_encoder", "text_encoder", "decoder")], "weights.bin")
    # Of this class there is none that resizes with Pillow: pictures are resized before.
    side = {"height": SAM_SIDE, "width": SAM_SIDE}
    own, bare = transformers.Sam3ImageProcessor(size=side), transformers.Sam3ImageProcessor(size=side, do_resize=False)
    said = {key: getattr(own, key) for key in "resample do_rescale rescale_factor do_normalize image_mean image_std".split()}
    said |= {"size": side, "image_processor_type": "Sam3ImageProcessorFast", "mask_size": {"height": 16, "width": 16}}
    (folder / "preprocessor_config.json").write_text(json.dumps(said, indent=1, default=int, sort_keys=True) + "\n")
    tokenizer.save_pretrained(folder)
    expected, largest = [], [0.0, 0.0]
    for index, image in enumerate(pictures):
        phrases = PHRASES[index % len(PHRASES)]
        rows = []
        for phrase in phrases:
            answers = []
            for processor, shown in ((bare, image.resize((SAM_SIDE, SAM_SIDE), resample=2)), (own, image)):
                both = transformers.Sam3Processor(processor, tokenizer, target_size=SAM_SIDE)
                inputs = both(images=shown, text=phrase, return_tensors="pt")
                with torch.no_grad():
                    outputs = model(**{name: inputs[name] for name in ("pixel_values", "input_ids", "attention_mask")})
                answers.append(both.post_process_object_detection(outputs, threshold=0, target_sizes=[image.size[::-1]])[0])
            if index == 1 and phrase == phrases[0]:
                sensitivity("sam3", model, {name: inputs[name] for name in ("pixel_values", "input_ids", "attention_mask")}, logits="pred_logits")
            pillow, torchvision = answers
            largest[0] = max(largest[0], ((pillow["boxes"] - torchvision["boxes"]).abs() / torch.tensor([*image.size] * 2)).max().item())
            largest[1] = max(largest[1], (pillow["scores"] - torchvision["scores"]).abs().max().item())
            order = pillow["scores"].argsort(descending=True, stable=True)[:4]
            rows.append(listed({key: value[order] for key, value in pillow.items()}))
        expected.append({"phrases": phrases, "found": rows})
    print(f"sam3: torchvision's resize moves boxes by {largest[0]:.4f} of the sides and scores by {largest[1]:.4f}")
    write("sam3", expected)


def framed(image: Image.Image, frame: tuple[int, int], stride: int | None):
    """
    A picture as Ultralytics' `LetterBox` shows it, by its documentation: resized by `cv2.resize` as large as it fits, in the middle
    of grey 114; where a stride is given (`auto`), in no more of it than makes both sides multiples of that.
    """
    import cv2

    width, height = image.size
    scale = min(frame[0] / height, frame[1] / width)
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    rest_x, rest_y = frame[1] - across, frame[0] - down
    if stride:
        rest_x, rest_y = rest_x % stride, rest_y % stride
    left, right = round(rest_x / 2 - 0.1), round(rest_x / 2 + 0.1)
    top, bottom = round(rest_y / 2 - 0.1), round(rest_y / 2 + 0.1)
    pixels = numpy.asarray(image)
    if (across, down) != image.size:
        pixels = cv2.resize(pixels, (across, down), interpolation=cv2.INTER_LINEAR)
    pixels = cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(114, 114, 114))
    tensor = torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float()[None] / 255
    shift = torch.tensor([left, top] * 2)
    gain = torch.tensor([across / width, down / height] * 2)
    return tensor, lambda boxes: (boxes - shift) / gain


def yolo() -> None:
    folder = root / "yolo"
    said = {"stride": 32, "task": "detect", "imgsz": [SIDE, SIDE], "batch": 1, "names": YOLO_NAMES, "end2end": False, "args": {"nms": False}}
    kinds = {
        "tiny-world": ("classes", {}, (SIDE, SIDE), None),
        "tiny-open": ("classes", {"is_open": True}, (SIDE, SIDE), 32),
        "tiny-seg": ("masks", {"task": "segment"}, (SIDE, SIDE), None),
        "tiny-chosen": ("chosen", {"end2end": True}, (SIDE, SIDE), None),
    }
    expected = {}
    for name, (head, more, frame, stride) in kinds.items():
        model = tiny_yolo(head)
        export_yolo(model, folder / f"{name}.onnx", **(said | more))
        rows = []
        for image in pictures:
            tensor, back = framed(image, frame, stride)
            with torch.no_grad():
                answer = model(tensor)
            answer = (answer[0] if isinstance(answer, tuple) else answer)[0]
            if head == "chosen":
                found = [(row[4], row[:4], int(row[5])) for row in answer if row[4] >= 0.3]
            else:
                boxes, scores = answer[:4].T, answer[4 : 4 + len(YOLO_NAMES)].T
                corners = torch.cat((boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2), 1)
                found = [(scores[at, label], corners[at], int(label)) for at, label in (scores >= 0.3).nonzero()]
            found = sorted(found, key=lambda row: -row[0])[:12]
            rows.append([{"score": round(score.item(), 6), "xyxy": numbers(back(box), 4), "label": YOLO_NAMES[label]} for score, box, label in found])
        expected[name] = rows
    half_precision(folder / "tiny-world.onnx", folder / "tiny-world_fp16.onnx")
    write("yolo", expected)


def yolo_world() -> None:
    folder = root / "yolo-world"
    tokenizer = clip_tokenizer()
    model, words = tiny_yolo("texts"), tiny_clip_text(len(tokenizer))
    export_yolo(model, folder / "model.onnx", texts=12, stride=32, task="detect", imgsz=[SIDE, SIDE])
    export_clip_text(words, folder / "text_model.onnx")
    (folder / "config.json").write_text('{"model_type": "yolo"}\n')
    tokenizer.save_pretrained(folder)
    expected = []
    for index, image in enumerate(pictures):
        phrases = PHRASES[index % len(PHRASES)]
        tensor, back = framed(image, (SIDE, SIDE), None)
        ids = tokenizer(phrases, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        with torch.no_grad():
            embeds = words(input_ids=ids).text_embeds
            answer = model(tensor, (embeds / embeds.norm(dim=-1, keepdim=True))[None])[0]
        boxes, scores = answer[:4].T, answer[4:].T
        corners = back(torch.cat((boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2), 1))
        found = []
        for column in scores.T:
            best = column.argsort(descending=True, stable=True)[:4]
            found.append([{"score": round(column[b].item(), 6), "xyxy": numbers(corners[b], 4)} for b in best])
        expected.append({"phrases": phrases, "found": found})
    write("yolo-world", expected)


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
    "sam3": sam3,
    "yolo": yolo,
    "yolo-world": yolo_world,
    "resampling": resampling,
}
for name in names or fixtures:
    shutil.rmtree(root / name, ignore_errors=True)
    fixtures[name]()
