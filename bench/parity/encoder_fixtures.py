"""Writes test/filter/fixtures: a tiny sentence encoder and a tiny CLIP as folders, and what Python makes of them.

    python bench/parity/encoder_fixtures.py        needs torch, transformers, onnx, onnxruntime and a Pillow older than 13

The picture is the first of test/teacher/pictures.ts.
"""

import json
import shutil
import warnings
from pathlib import Path

import numpy
import torch
import transformers
from PIL import Image
from tiny_teachers import BERT_VOCABULARY, bert_tokenizer, clip_tokenizer, export, randomise, save_config
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
root = Path(__file__).parents[2] / "test/filter/fixtures"
shutil.rmtree(root, ignore_errors=True)
numbers = lambda tensor: [round(float(value), 6) for value in tensor.flatten()]


def sentence() -> None:
    folder = root / "sentence"
    config = transformers.BertConfig(
        vocab_size=len(BERT_VOCABULARY), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, max_position_embeddings=12
    )
    model = randomise(transformers.BertModel(config, add_pooling_layer=False), 5)
    tokenizer = bert_tokenizer()
    save_config(model, folder)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    example = dict(tokenizer(["a cat", "the red ball"], return_tensors="pt", padding=True))
    axes = {name: {0: "n", 1: "l"} for name in (*example, "last_hidden_state")}
    export(model, example, ("last_hidden_state",), folder / "onnx/model.onnx", axes)
    texts = ["a cat", "person", "two small dogs on the blue table", "the red ball, the red ball, the red ball, the red ball", "zebra", ""]
    expected = []
    for text in texts:
        values = tokenizer(text, return_tensors="pt", truncation=True, max_length=12)
        with torch.no_grad():
            hidden = model(**values).last_hidden_state[0]
        # sentence-transformers' pooling: the mean over all tokens, the special ones too, made of unit length.
        expected.append(numbers(torch.nn.functional.normalize(hidden.mean(0), dim=0)))
    write("sentence", {"texts": texts, "vectors": expected})


def picture() -> Image.Image:
    y, x = numpy.mgrid[:40, :33]
    channels = [(x * 3 + y * (5 + 2 * c) + ((x >> 3 ^ y >> 3) & 1) * 70 + 40 * c + (x * y >> 5) * (c + 1)) & 255 for c in range(3)]
    return Image.fromarray(numpy.stack(channels, -1).astype(numpy.uint8))


def clip() -> None:
    folder = root / "clip"
    tokenizer = clip_tokenizer()
    words = {"vocab_size": len(tokenizer), "max_position_embeddings": 16, "bos_token_id": len(tokenizer) - 2, "eos_token_id": len(tokenizer) - 1}
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.CLIPConfig(text_config={**words, **small}, vision_config={**small, "image_size": 32, "patch_size": 8}, projection_dim=12)
    model = randomise(transformers.CLIPModel(config), 6)
    # Turned around: with these weights nearly all cosines are negative, which are scored as 0.
    model.visual_projection.weight.data.neg_()
    text = transformers.CLIPTextModelWithProjection(model.config.text_config)
    vision = transformers.CLIPVisionModelWithProjection(model.config.vision_config)
    text.text_model, text.text_projection = model.text_model, model.text_projection
    vision.vision_model, vision.visual_projection = model.vision_model, model.visual_projection
    save_config(model, folder)
    tokenizer.save_pretrained(folder)
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    keys = "size crop_size do_resize resample do_center_crop do_rescale rescale_factor do_normalize image_mean image_std".split()
    said = {key: getattr(processor, key) for key in keys}
    for key in ("size", "crop_size"):
        said[key] = {name: value for name, value in dict(said[key]).items() if value}
    (folder / "preprocessor_config.json").write_text(json.dumps(said, indent=1, default=int) + "\n")
    tokens = dict(tokenizer(["a cat", "a red dog"], return_tensors="pt", padding="max_length", max_length=16))
    export(text.eval(), tokens, ("text_embeds",), folder / "onnx/text_model.onnx", {name: {0: "n"} for name in (*tokens, "text_embeds")})
    pixels = {"pixel_values": torch.randn(2, 3, 32, 32)}
    export(vision.eval(), pixels, ("image_embeds",), folder / "onnx/vision_model.onnx", {name: {0: "n"} for name in ("pixel_values", "image_embeds")})
    image = picture()
    cases = []
    for box in [[0, 0, 33, 40], [2.5, 3.2, 20.1, 12.9], [10, 5, 14, 39], [5, 20, 30, 26.5], [30, 38, 33, 40]]:
        for words in ["a cat", "a photo of a red dog", "person, person, person, person, person, person"]:
            left, top, right, bottom = int(numpy.floor(box[0])), int(numpy.floor(box[1])), int(numpy.ceil(box[2])), int(numpy.ceil(box[3]))
            crop = processor(image.crop((left, top, right, bottom)), return_tensors="pt")["pixel_values"]
            values = tokenizer(words, return_tensors="pt", padding="max_length", truncation=True, max_length=16)
            with torch.no_grad():
                a = torch.nn.functional.normalize(vision(pixel_values=crop).image_embeds[0], dim=0)
                b = torch.nn.functional.normalize(text(**values).text_embeds[0], dim=0)
            cases.append({"xyxy": box, "text": words, "score": round(max(0.0, float(a @ b)), 6)})
    print([case["score"] for case in cases])
    write("clip", cases)


def write(name: str, value) -> None:
    (root / f"{name}.json").write_text(json.dumps(value, separators=(",", ":")) + "\n")


sentence()
clip()
