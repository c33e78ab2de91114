"""Runs the official package whole, from files of pictures to boxes, with random weights.

    python bench/parity/official_run.py GLIP_CHECKOUT OUT --preset glip-t [--short 800] [--threads 2]

Writes into the folder OUT ten pictures of all aspects, profiles and modes (`pictures/`, and `pixels/` with what PIL makes of
them, `shown/` with what the package resizes them to), `vocab.txt`, the weights as an official checkpoint (`model.pth`), `truth.json`, the detections in COCO's form with
all their digits (`official.json`), and what pycocotools says of them (`scores.json`). Needs torch, torchvision, transformers,
timm, yacs, einops, pycocotools and opencv-python-headless.
"""

import argparse
import contextlib
import io
import json
import math
import pathlib
import struct
import sys
import time

import numpy as np
import torch
from PIL import Image, ImageCms, ImageDraw

from official_package import open_package

parser = argparse.ArgumentParser()
parser.add_argument("checkout")
parser.add_argument("out", type=pathlib.Path)
parser.add_argument("--preset", default="glip-t")
parser.add_argument("--short", type=int, default=800, help="shorter side that pictures are shown at")
parser.add_argument("--threads", type=int, default=0)
options = parser.parse_args()
if options.threads:
    torch.set_num_threads(options.threads)

configs = {
    "glip-t-a": "configs/pretrain/glip_A_Swin_T_O365.yaml",
    "glip-t": "configs/pretrain/glip_Swin_T_O365_GoldG.yaml",
    "glip-l": "configs/pretrain/glip_Swin_L.yaml",
}
names = [
    "person", "red car", "trash_can", "bow_(weapon)", "traffic light", "hot dog", "dog", "cat", "wine glass", "teddy bear",
    "stop sign", "potted plant", "tennis racket", "sky", "window", "hair drier",
]  # fmt: skip

# The pictures.
random = np.random.default_rng(11)


def drawing(width, height):
    """Shapes on a ground that changes, with noise: something to see at every place and size."""
    y, x = np.mgrid[0:height, 0:width]
    ground = np.stack([127 + 100 * np.sin(x / width * 5 + c) * np.cos(y / height * 4 + c) for c in range(3)], 2)
    picture = Image.fromarray(np.clip(ground + random.normal(0, 12, ground.shape), 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for _ in range(25):
        w, h = random.uniform(0.03, 0.4, 2) * [width, height]
        left, top = random.uniform(0, 1, 2) * [width - w, height - h]
        shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        shape([left, top, left + w, top + h], fill=tuple(int(c) for c in random.integers(0, 256, 3)))
    return picture


def profile_of_other_colours():
    """A profile that takes red for blue: what applies it sees other colours."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack(">I", data[128:132])
    at = {bytes(data[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, blue = at[b"rXYZ"], at[b"bXYZ"]
    data[red + 4 : red + 12], data[blue + 4 : blue + 12] = data[blue + 4 : blue + 12], data[red + 4 : red + 12]
    return bytes(data)


def with_alpha(picture):
    alpha = Image.fromarray(random.integers(0, 256, picture.size[::-1], dtype=np.uint8))
    return Image.merge("RGBA", [*picture.split(), alpha])


def palette(picture):
    indexed = picture.quantize(64)
    indexed.info["transparency"] = 3
    return indexed


turned = Image.Exif()
turned[0x0112] = 6
kinds = {
    "wide.jpg": (drawing(1800, 500), {"quality": 92}),
    "tall.jpg": (drawing(300, 1100), {"quality": 85}),
    "tiny.png": (drawing(40, 30), {}),
    "large.jpg": (drawing(3000, 2000), {"quality": 90}),
    "grey.jpg": (drawing(640, 480).convert("L"), {"quality": 90}),
    "cmyk.jpg": (drawing(500, 375).convert("CMYK"), {"quality": 95}),
    "rgba.png": (with_alpha(drawing(600, 600)), {}),
    "palette.png": (palette(drawing(1332, 666)), {"transparency": 3}),
    "profile.jpg": (drawing(640, 427), {"quality": 90, "icc_profile": profile_of_other_colours()}),
    "turned.jpg": (drawing(640, 480), {"quality": 90, "exif": turned}),
}
(options.out / "pictures").mkdir(parents=True, exist_ok=True)
(options.out / "pixels").mkdir(exist_ok=True)
(options.out / "shown").mkdir(exist_ok=True)
for file, (picture, settings) in kinds.items():
    picture.save(options.out / "pictures" / file, **settings)
    shown = Image.open(options.out / "pictures" / file).convert("RGB")
    (options.out / "pixels" / f"{file}.rgb").write_bytes(np.asarray(shown).tobytes())

# The package, with a vocabulary of our own: the words of the names, letters, and words that fill it up.
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({w for n in names for w in n.replace("_", " ").replace("(", " ").split()})]
words += [c for c in "abcdefghijklmnopqrstuvwxyz.,()0123456789"] + [f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz"]
words = list(dict.fromkeys(words))
words += [f"word{i}" for i in range(30522 - len(words))]
(options.out / "vocab.txt").write_text("\n".join(words) + "\n")

open_package(options.checkout)
import transformers

fast = transformers.BertTokenizerFast(vocab=str(options.out / "vocab.txt"), do_lower_case=True) if int(transformers.__version__.split(".")[0]) >= 5 else transformers.BertTokenizerFast(str(options.out / "vocab.txt"))  # fmt: skip
if not hasattr(fast, "batch_encode_plus"):
    fast.batch_encode_plus = fast.__call__
bert = transformers.BertConfig(vocab_size=len(words), attn_implementation="eager")
transformers.AutoTokenizer.from_pretrained = lambda *_, **__: fast
transformers.BertConfig.from_pretrained = classmethod(lambda *_, **__: bert)
transformers.BertModel.from_pretrained = classmethod(lambda *_, **__: transformers.BertModel(bert, add_pooling_layer=False))

from maskrcnn_benchmark.config import cfg
from maskrcnn_benchmark.data.transforms import build_transforms
from maskrcnn_benchmark.engine.inference import create_queries_and_maps
from maskrcnn_benchmark.modeling.detector import build_detection_model
from maskrcnn_benchmark.modeling.rpn import vldyhead
from maskrcnn_benchmark.structures.image_list import to_image_list

vldyhead.BertEncoderLayer.get_extended_attention_mask = lambda self, mask, *_: (1.0 - mask[:, None, None].float()) * -10000.0
cfg.merge_from_file(str(pathlib.Path(options.checkout) / configs[options.preset]))
cfg.merge_from_list(["MODEL.DEVICE", "cpu", "MODEL.WEIGHT", "", "MODEL.DYHEAD.USE_CHECKPOINT", False, "TEST.EVAL_TASK", "detection"])
cfg.merge_from_list(["MODEL.DYHEAD.SCORE_AGG", "MEAN", "MODEL.DYHEAD.FUSE_CONFIG.MLM_LOSS", False, "MODEL.LANGUAGE_BACKBONE.USE_CHECKPOINT", False])
cfg.merge_from_list(["INPUT.MIN_SIZE_TEST", options.short, "INPUT.MAX_SIZE_TEST", (1333 * options.short + 400) // 800])
torch.manual_seed(3)
quiet = contextlib.redirect_stdout(io.StringIO())
with quiet:
    model = build_detection_model(cfg)
    model.eval()

# Weights whose places, words and boxes all differ: spread by the width of what they read.
draw = torch.Generator().manual_seed(4)
normal = lambda tensor, spread: torch.randn(tensor.shape, generator=draw) * spread
with torch.no_grad():
    for name, parameter in model.named_parameters():
        if name.endswith("log_scale") or name.endswith("bias0"):
            continue
        if parameter.dim() > 1:
            fan = parameter[0].numel()
            spread = 1.0 if "word_embeddings" in name else 0.1 if "embeddings" in name else 0.1 if "bias_table" in name else 1 / math.sqrt(fan)
            # Offsets of about a place; words that stay different, which attention would make alike.
            spread *= 0.3 if ".offset." in name else 1
            spread *= 0.15 if "attention.output.dense" in name else 1
            parameter.copy_(normal(parameter, spread))
        elif name.endswith("weight") or "scale" in name:
            parameter.copy_(1 + normal(parameter, 0.1))
        elif "gamma" in name:
            parameter.copy_(0.2 + normal(parameter, 0.05))
        else:
            parameter.copy_(normal(parameter, 0.05))

cleaned_labels = list(range(1, len(names) + 1))
with quiet:
    query, positive_map = create_queries_and_maps(cleaned_labels, names, cfg=cfg)
transforms = build_transforms(cfg, is_train=False)


def ask(file):
    picture = Image.open(options.out / "pictures" / file).convert("RGB")
    tensor, _ = apply(picture)
    images = to_image_list([tensor], cfg.DATALOADER.SIZE_DIVISIBILITY)
    with torch.no_grad(), contextlib.redirect_stdout(io.StringIO()):
        (found,) = model(images, captions=[query], positive_map=positive_map)
    return picture.size, tuple(images.tensors.shape[-2:]), found


def apply(picture):
    """Compose gives no pair where there is no target; each of its transforms does, the first of which resizes."""
    shown, target = picture, None
    for one in transforms.transforms:
        shown, target = one(shown, target)
    return shown, target


def resized(file):
    picture = Image.open(options.out / "pictures" / file).convert("RGB")
    return transforms.transforms[0](picture, None)[0]


# The spread of the logits decides how many places pass the threshold: some thousands, whose scores differ.
head = model.rpn.head
seen = []
handle = head.register_forward_hook(lambda _, __, result: seen.append(torch.cat([one.flatten() for one in result[6]])))
ask("tiny.png")
handle.remove()
spread = (seen[0] - head.bias0.item()).std().item()
with torch.no_grad():
    head.log_scale.fill_(math.log(max(spread, 1e-6)))
    head.bias0.fill_(-3.5)
print(f"logits spread by {spread:.3g}", file=sys.stderr)
with torch.no_grad():
    head.bias_lang.mul_(0.5)

state = {f"module.{name}": value for name, value in model.state_dict().items()}
torch.save({"model": state, "iteration": 0}, options.out / "model.pth")

images, results, seconds = [], [], {}
for index, file in enumerate(kinds):
    start = time.time()
    size, padded, found = ask(file)
    images.append({"id": index + 1, "file_name": file, "width": size[0], "height": size[1]})
    (options.out / "shown" / f"{file}.rgb").write_bytes(np.asarray(resized(file)).tobytes())
    found = found.resize(size).convert("xywh")
    for box, score, label in zip(found.bbox.tolist(), found.get_field("scores").tolist(), found.get_field("labels").tolist()):
        results.append({"image_id": index + 1, "category_id": label, "bbox": box, "score": score})
    seconds[file] = round(time.time() - start, 1)
    print(f"{file}: {size[0]} x {size[1]}, padded to {padded[1]} x {padded[0]}, {len(found)} boxes, {seconds[file]} s", file=sys.stderr)

# Boxes to find: some of those that were found, moved a little, some crowds and some boxes that nobody found.
annotations = []
for one in results[::7]:
    x, y, w, h = one["bbox"]
    dx, dy = random.normal(0, 0.05, 2) * [w, h]
    box = [round(x + dx, 2), round(y + dy, 2), round(w, 2), round(h, 2)]
    number = len(annotations)
    annotations.append({
        "id": number + 1, "image_id": one["image_id"], "category_id": one["category_id"], "bbox": box,
        "area": round(0.7 * w * h, 2), "iscrowd": int(number % 11 == 5),
    })  # fmt: skip
categories = [{"id": index + 1, "name": name} for index, name in enumerate(names)]
truth = {"images": images, "categories": categories, "annotations": annotations}
(options.out / "truth.json").write_text(json.dumps(truth))
(options.out / "official.json").write_text(json.dumps(results))
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

with contextlib.redirect_stdout(io.StringIO()):
    gold = COCO(str(options.out / "truth.json"))
    evaluation = COCOeval(gold, gold.loadRes(str(options.out / "official.json")), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
(options.out / "scores.json").write_text(json.dumps({"pycocotools": evaluation.stats.tolist(), "seconds": seconds}))
