"""Reads exports of groundmill back with the readers that they are made for, and prints what each has counted.

    groundmill export DATASET --as STAGE --format F -o DIR/F    # for each format
    python bench/verify-exports.py DIR/hf DIR/webdataset …      # folders of exports, any of them

Needs datasets, webdataset, pycocotools, polars, pyarrow, duckdb, mlcroissant, pillow; ultralytics where it is there. A count that is
not the report's is marked, and the exit code is 1.
"""

import base64
import csv
import io
import json
import os
import sys

from PIL import Image

rows = []
# What the source calls the pictures of an export, by its folder.
identities = {}


def note(folder, reader, images=None, captions=None, regions=None):
    rows.append((folder, reader, images, captions, regions))


def identify(folder, picture, name="source_name"):
    """What the source calls a picture; an export that lost it says nothing."""
    identities.setdefault(folder, set()).add((picture.get("source_id") or None, picture.get(name) or None))


def decode(data):
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture.size


def inside(box, width, height):
    """A box of a picture has an area and lies in the picture; float32 may round over its edge."""
    x1, y1, x2, y2 = box
    assert -1e-3 <= x1 < x2 <= width + 1e-3 and -1e-3 <= y1 < y2 <= height + 1e-3, (box, width, height)


def read_hf(folder, report):
    import duckdb
    import polars
    import pyarrow.parquet
    from datasets import Image as ImageFeature
    from datasets import disable_progress_bars, load_dataset

    disable_progress_bars()
    split = report["config"]["split"]
    pattern = os.path.join(folder, "data", f"{split}-*.parquet")
    cache = os.path.join(os.environ.get("TMPDIR", "/tmp"), "groundmill-verify")
    data = load_dataset(folder, split=split, cache_dir=cache)
    assert isinstance(data.features["image"], ImageFeature), data.features["image"]
    regions = captions = 0
    for row in data:
        assert row["image"].size == (row["width"], row["height"])
        captions += len(row["captions"])
        identify(folder, row, "file_name")
        for region in row["regions"]:
            text = row["captions"][region["caption"]]["text"]
            assert text[region["start"] : region["end"]] == region["text"], (text, region)
            inside(region["xyxy"], row["width"], row["height"])
            regions += 1
    note(folder, "datasets", len(data), captions, regions)
    stream = load_dataset(folder, split=split, cache_dir=cache, streaming=True)
    note(folder, "datasets, streaming", sum(1 for _ in stream))
    table = pyarrow.parquet.read_table(os.path.join(folder, "data"), columns=["captions", "regions"])
    count = lambda name: sum(len(value) for value in table[name].to_pylist())
    note(folder, "pyarrow", table.num_rows, count("captions"), count("regions"))
    frame = polars.read_parquet(pattern, columns=["captions", "regions"])
    lengths = [frame[name].list.len().sum() for name in ("captions", "regions")]
    note(folder, "polars", frame.height, *lengths)
    query = f"select count(*), sum(len(captions)), sum(len(regions)) from '{pattern}'"
    note(folder, "duckdb", *map(int, duckdb.sql(query).fetchall()[0]))


def read_webdataset(folder, report):
    import webdataset

    tars = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".tar"))
    keys = set()
    captions = regions = 0
    for sample in webdataset.WebDataset(tars, shardshuffle=False, empty_check=False).decode("pil"):
        picture = next(sample[name] for name in ("jpg", "png", "webp", "gif", "tif") if name in sample)
        said = sample["json"]
        assert picture.size == (said["width"], said["height"])
        keys.add(sample["__key__"])
        identify(folder, said)
        assert sample["txt"] == (said["captions"][0]["text"] if said["captions"] else "")
        for region in said["regions"]:
            text = said["captions"][region["caption"]]["text"]
            assert text[region["start"] : region["end"]] == region["text"]
            inside(region["xyxy"], said["width"], said["height"])
        captions += len(said["captions"])
        regions += len(said["regions"])
    note(folder, "webdataset", len(keys), captions, regions)


def open_coco(folder, name, report):
    """A file in COCO's form, and the files of its pictures, of which each is opened once and named."""
    from contextlib import redirect_stdout

    from pycocotools.coco import COCO

    with redirect_stdout(io.StringIO()):
        coco = COCO(os.path.join(folder, name))
    files = set()
    for image in coco.loadImgs(coco.getImgIds()):
        if report["config"]["images"] != "url" and image["file_name"] not in files:
            with Image.open(os.path.join(folder, image["file_name"])) as picture:
                assert picture.size == (image["width"], image["height"])
        files.add(image["file_name"])
        identify(folder, image)
    return coco, files


def read_coco(folder, report):
    for name in ("grounding.json", "instances.json"):
        if not os.path.exists(os.path.join(folder, name)):
            continue
        coco, files = open_coco(folder, name, report)
        for box in coco.anns.values():
            image = coco.imgs[box["image_id"]]
            x, y, w, h = box["bbox"]
            inside((x, y, x + w, y + h), image["width"], image["height"])
            for start, end in box.get("tokens_positive", []):
                assert image["caption"][start:end].strip() != ""
        captions = len(coco.imgs) if name == "grounding.json" else None
        note(f"{folder} {name}", "pycocotools", len(files), captions, len(coco.anns))


def read_saco(folder, report):
    pairs, files = open_coco(folder, "pairs.json", report)
    for box in pairs.anns.values():
        # In shares of the sides, as SA-Co has them.
        x, y, w, h = box["bbox"]
        inside((x, y, x + w, y + h), 1, 1)
    note(folder, "pycocotools", len(files), None, len(pairs.anns))


def read_odvg(folder, report):
    """The fields as MMDetection's ODVGDataset takes them, and its conditions on boxes."""

    def keeps(box, data):
        x1, y1, x2, y2 = box
        width = max(0, min(x2, data["width"]) - max(x1, 0))
        height = max(0, min(y2, data["height"]) - max(y1, 0))
        return width * height > 0 and x2 - x1 >= 1 and y2 - y1 >= 1

    for name in ("grounding.jsonl", "detection.jsonl"):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        with open(path, "r") as file:
            lines = [json.loads(line) for line in file]
        files, boxes = set(), 0
        if name == "detection.jsonl":
            with open(os.path.join(folder, "label_map.json")) as file:
                labels = json.load(file)
        for data in lines:
            if data["filename"] not in files and report["config"]["images"] != "url":
                with Image.open(os.path.join(folder, data["filename"])) as picture:
                    assert picture.size == (data["width"], data["height"])
            files.add(data["filename"])
            identify(folder, data)
            if name == "detection.jsonl":
                for box in data["detection"]["instances"]:
                    assert labels[str(box["label"])] == box["category"]
                    boxes += keeps(box["bbox"], data)
                continue
            caption = data["grounding"]["caption"]
            for region in data["grounding"]["regions"]:
                bbox = region["bbox"]
                for box in bbox if isinstance(bbox[0], list) else [bbox]:
                    boxes += keeps(box, data)
                words = " ".join(caption[start:end] for start, end in region["tokens_positive"])
                assert words == region["phrase"], (words, region)
        captions = len(lines) if name == "grounding.jsonl" else None
        note(f"{folder} {name}", "ODVG's fields", len(files), captions, boxes)


def read_glip(folder, report):
    """Line by line by the index, as GLIP's TSVFile seeks."""

    def lines(name):
        with open(os.path.join(folder, f"{name}.lineidx")) as file:
            index = [int(line.strip()) for line in file.readlines()]
        with open(os.path.join(folder, f"{name}.tsv")) as file:
            for at in index:
                file.seek(at)
                yield [cell.strip() for cell in file.readline().split("\t")]

    keys, captions, boxes = set(), 0, 0
    for (key, text), picture in zip(lines("labels"), lines("images"), strict=True):
        label = json.loads(text)
        assert picture[0] == key
        if key not in keys:
            assert decode(base64.b64decode(picture[-1])) == (label["img_w"], label["img_h"])
        keys.add(key)
        identify(folder, label)
        captions += 1
        assert len(label["bboxes"]) == len(label["scores"]) == len(label["tokens_positive"])
        for box, spans in zip(label["bboxes"], label["tokens_positive"]):
            inside(box, label["img_w"], label["img_h"])
            assert all(label["caption"][start:end].strip() for start, end in spans)
            boxes += 1
    note(folder, "GLIP's TSV by its index", len(keys), captions, boxes)


def read_yolo(folder, report):
    import numpy
    import yaml

    with open(os.path.join(folder, "data.yaml")) as file:
        data = yaml.safe_load(file)
    root = os.path.join(folder, data["train"])
    images = boxes = 0
    for base, _, names in os.walk(root):
        for name in names:
            path = os.path.join(base, name)
            label = path.replace(f"{os.sep}images{os.sep}", f"{os.sep}labels{os.sep}").rsplit(".", 1)[0] + ".txt"
            with open(label) as file:
                lines = numpy.array([line.split() for line in file], dtype=numpy.float32).reshape(-1, 5)
            assert lines[:, 0].max(initial=0) < len(data["names"])
            assert lines[:, 1:].min(initial=1) >= 0 and lines[:, 1:].max(initial=0) <= 1
            images += 1
            boxes += len(lines)
    with open(os.path.join(folder, "metadata.jsonl")) as file:
        for line in file:
            listed = json.loads(line)
            assert os.path.exists(os.path.join(folder, listed["file_name"])), listed
            identify(folder, listed)
    note(folder, "YOLO's layout", images, None, boxes)
    try:
        import ultralytics.data.utils
        from ultralytics.data.dataset import YOLODataset
        from ultralytics.data.utils import check_det_dataset
        from ultralytics.utils import LOGGER
    except ImportError:
        return
    LOGGER.setLevel("ERROR")
    # It would fetch a font to draw with.
    ultralytics.data.utils.check_font = lambda _: None
    checked = check_det_dataset(os.path.abspath(os.path.join(folder, "data.yaml")), autodownload=False)
    found = YOLODataset(img_path=checked["train"], data=checked, task="detect", augment=False)
    note(folder, "ultralytics", len(found.labels), None, sum(len(label["cls"]) for label in found.labels))
    for base, _, names in os.walk(os.path.join(folder, "labels")):
        for name in names:
            if name.endswith(".cache"):
                os.remove(os.path.join(base, name))


def read_csv(folder, report):
    import duckdb
    import polars

    path = os.path.join(folder, "regions.csv")
    with open(path, newline="", encoding="utf8") as file:
        table = list(csv.DictReader(file))
    for row in table:
        identify(folder, row)
        if row["x1"]:
            assert row["text"][int(row["start"]) : int(row["end"])] == row["phrase"], row
            inside([float(row[name]) for name in ("x1", "y1", "x2", "y2")], float(row["width"]), float(row["height"]))
    captions = {(row["key"], row["caption"]) for row in table}
    note(folder, "Python's csv", len({row["key"] for row in table}), len(captions), sum(row["x1"] != "" for row in table))
    frame = polars.read_csv(path, infer_schema_length=None)
    note(folder, "polars", frame["key"].n_unique(), frame.select("key", "caption").n_unique(), frame["x1"].count())
    query = f"select count(distinct key), count(distinct (key, caption)), count(x1) from read_csv('{path}', sample_size=-1)"
    note(folder, "duckdb", *duckdb.sql(query).fetchall()[0])


def read_croissant(folder, report):
    """The records that croissant.json describes, as mlcroissant loads them; it checks the hashes of the files it reads."""
    import logging

    import mlcroissant

    logging.getLogger("absl").setLevel(logging.ERROR)
    dataset = mlcroissant.Dataset(jsonld=os.path.join(folder, "croissant.json"))
    for records in dataset.metadata.record_sets:
        found = list(dataset.records(records.id))
        place = f"{folder} {records.id}"
        if records.id == "pictures" and report["config"]["format"] == "hf":
            for row in found:
                assert row["pictures/image"].size == (row["pictures/width"], row["pictures/height"])
                for region in row["pictures/regions"]:
                    caption = row["pictures/captions"][region["pictures/regions/caption"]]
                    text = caption["pictures/captions/text"].decode()
                    start, end = region["pictures/regions/start"], region["pictures/regions/end"]
                    assert text[start:end] == region["pictures/regions/text"].decode(), (text, region)
                    inside(region["pictures/regions/xyxy"], row["pictures/width"], row["pictures/height"])
            regions = sum(len(row["pictures/regions"]) for row in found)
            note(place, "mlcroissant", len(found), sum(len(row["pictures/captions"]) for row in found), regions)
        elif records.id == "pictures" and report["config"]["format"] == "webdataset":
            said = [json.loads(row["pictures/json"]) for row in found]
            for row, known in zip(found, said):
                assert row["pictures/image"].size == (known["width"], known["height"]), known["key"]
            captions = sum(len(known["captions"]) for known in said)
            note(place, "mlcroissant", len(found), captions, sum(len(known["regions"]) for known in said))
        elif records.id in ("pictures", "images", "detections"):
            note(place, "mlcroissant", len(found))
        elif records.id == "captions":
            spans = [region["captions/regions/bbox"] for row in found for region in row["captions/regions"]]
            boxes = sum(len(boxes) if isinstance(boxes[0], list) else 1 for boxes in spans)
            note(place, "mlcroissant", None, len(found), boxes)
        elif records.id == "grounding-images":
            note(place, "mlcroissant", None, len(found))
        elif records.id == "regions":
            note(place, "mlcroissant", None, None, sum(row["regions/x1"] is not None for row in found))
        elif records.id in ("boxes", "grounding-annotations", "instances-annotations", "pairs-annotations"):
            note(place, "mlcroissant", None, None, len(found))


readers = {
    "hf": read_hf,
    "webdataset": read_webdataset,
    "coco": read_coco,
    "saco": read_saco,
    "odvg": read_odvg,
    "glip-tsv": read_glip,
    "yolo": read_yolo,
    "csv": read_csv,
}


def main():
    wrong = 0
    for folder in sys.argv[1:]:
        with open(os.path.join(folder, "export.json")) as file:
            report = json.load(file)
        first = len(rows)
        readers[report["config"]["format"]](folder, report)
        read_croissant(folder, report)
        written = report["written"]
        for at in range(first, len(rows)):
            name, reader, images, captions, regions = rows[at]
            is_detection = name.endswith(("instances.json", "detection.jsonl", "instances-annotations", "detections"))
            is_part = is_detection or name.endswith(("grounding.json", "grounding.jsonl"))
            boxes = written["detections"] if is_detection else written["regions"]
            same = (
                (is_part or images in (None, written["images"]))
                and captions in (None, written["captions"])
                and regions in (None, boxes)
            )
            wrong += not same
            rows[at] += ("" if same else f"not {written}",)
    known = set.union(*identities.values())
    for folder, names in identities.items():
        with open(os.path.join(folder, "export.json")) as file:
            images = json.load(file)["written"]["images"]
        lost = {identity for identity in names if identity[0] is None}
        if lost or len(names) != images or len(known) < len(names):
            wrong += 1
            print(f"{folder}: {len(names)} names of the source for {images} pictures, such as {sorted(names, key=str)[:3]}")
    if len(known) > max(len(names) for names in identities.values()):
        wrong += 1
        print(f"exports differ in what the source calls their pictures: {sorted(known, key=str)}")

    def title(source):
        folder, *file = source.split(" ")
        return " ".join([os.path.basename(folder), *file])

    names = ("export", "reader", "images", "captions", "regions", "")
    cells = [names]
    for source, *counts in rows:
        cells.append((title(source), *("-" if cell is None else str(cell) for cell in counts)))
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    sys.exit(1 if wrong else 0)


main()
