"""Reads exports for review with the tools' own readers, edits them with these, and says what that means.

    python bench/verify-exchange.py FOLDER

FOLDER holds what bench/verify-exchange.ts has written: truth.json, a file of each tool and the pictures. Needs
label-studio-sdk, datumaro and pycocotools. Writes the edited files, and for each `expected-….json`: what a reviewer who
did that has said.
"""

import contextlib
import io
import json
import os
import random
import shutil
import sys

folder = sys.argv[1]
at = lambda *names: os.path.join(folder, *names)


def load(name):
    with open(at(name), encoding="utf8") as file:
        return json.load(file)


def save(name, value):
    with open(at(name), "w", encoding="utf8") as file:
        json.dump(value, file)


truth = {picture["key"]: picture for picture in load("truth.json")}
wrong = 0


def hold(tool, what, found, wanted):
    """Counts one more difference, and shows the first ones."""
    global wrong
    if found == wanted:
        return
    wrong += 1
    if wrong < 10:
        print(f"{tool}: {what}: {found} for {wanted}")


def near(a, b, within):
    return all(abs(x - y) <= within for x, y in zip(a, b))


def check_boxes(tool, key, found, within):
    """Holds (words, box) pairs of a picture against those of the dataset, in their order."""
    wanted = [(region["text"], region["xyxy"]) for region in truth[key]["regions"]]
    # Labels have the words on one line, one space between two.
    line = lambda text: " ".join(text.split())
    hold(tool, f"{key} words", [line(text) for text, _ in found], [line(text) for text, _ in wanted])
    hold(tool, f"{key} boxes", [near(box, other, within) for (_, box), (_, other) in zip(found, wanted)], [True] * len(wanted))


class Edit:
    """What a reviewer does: of each box one thing, and some boxes more. `said` is what that means."""

    def __init__(self, seed, can_relabel_across=True):
        self.draw = random.Random(seed)
        self.said = []
        self.across = can_relabel_across

    def say(self, key, action, phrase=None, box=None, redrawn=None, words=None):
        span = phrase and [phrase["caption"], phrase["start"], phrase["end"]]
        self.said.append([key, action, span, box, redrawn, words])

    def box(self, key, exact):
        """`exact` makes of a box what the tool will hold of it."""
        picture = truth[key]
        x1, x2 = sorted(self.draw.uniform(0, picture["width"]) for _ in range(2))
        y1, y2 = sorted(self.draw.uniform(0, picture["height"]) for _ in range(2))
        return exact([x1, y1, min(picture["width"], x2 + 2), min(picture["height"], y2 + 2)])

    def picture(self, key, exact):
        """For each box of a picture `(index, box or None, phrase or None)`, None where it stays; then new ones."""
        picture = truth[key]
        phrases = picture["phrases"]
        done = []
        for index, region in enumerate(picture["regions"]):
            phrase, old = phrases[region["phrase"]], region["xyxy"]
            what = self.draw.choice(["keep", "keep", "keep", "remove", "move", "relabel", "both"])
            others = [one for one in phrases if one is not phrase and (self.across or one["caption"] == phrase["caption"])]
            if what in ("relabel", "both") and not others:
                what = "keep"
            if what == "keep":
                self.say(key, "accept", phrase, old)
                done.append((index, None, None))
            elif what == "remove":
                self.say(key, "reject", phrase, old)
            elif what == "move":
                box = self.box(key, exact)
                self.say(key, "redraw", phrase, old, box)
                done.append((index, box, None))
            else:
                other = self.draw.choice(others)
                box = self.box(key, exact) if what == "both" else None
                if box is None and other["caption"] == phrase["caption"]:
                    self.say(key, "relabel", phrase, old, None, [other["start"], other["end"]])
                else:
                    self.say(key, "reject", phrase, old)
                    self.say(key, "add", other, box or old)
                done.append((index, box, other))
        new = []
        if phrases and self.draw.random() < 0.5:
            phrase = self.draw.choice(phrases)
            box = self.box(key, exact)
            self.say(key, "add", phrase, box)
            new.append((box, phrase))
        return done, new

    def found(self, key):
        for phrase in truth[key]["phrases"]:
            self.say(key, "complete", phrase)


def label_studio():
    from label_studio_sdk.converter import Converter
    from label_studio_sdk.label_interface import LabelInterface

    with open(at("label-studio.config.xml"), encoding="utf8") as file:
        config = file.read()
    interface = LabelInterface(config)
    interface.validate()
    tasks = load("label-studio.json")
    boxes = 0
    for task in tasks:
        key = task["data"]["key"]
        for prediction in task["predictions"]:
            errors = interface.validate_prediction(prediction, return_errors=True)
            hold("label-studio", f"{key} errors of the SDK", errors, [])
        names = {one["value"] for one in task["data"]["phrases"]}
        result = task["predictions"][0]["result"]
        boxes += len(result)
        found = []
        for region in result:
            value = region["value"]
            hold("label-studio", "label", value["rectanglelabels"][0] in names, True)
            x, y = value["x"] * region["original_width"] / 100, value["y"] * region["original_height"] / 100
            right = (value["x"] + value["width"]) * region["original_width"] / 100
            bottom = (value["y"] + value["height"]) * region["original_height"] / 100
            found.append((value["rectanglelabels"][0].rsplit(" #", 1)[0], [x, y, right, bottom]))
        check_boxes("label-studio", key, found, 1e-4)
    edit = Edit(1)
    for number, task in enumerate(tasks):
        key = task["data"]["key"]
        region_of = task["predictions"][0]["result"]
        width, height = truth[key]["width"], truth[key]["height"]
        label_of = {id(phrase): task["data"]["phrases"][index]["value"] for index, phrase in enumerate(truth[key]["phrases"])}

        def value(box, phrase):
            x1, y1, x2, y2 = box
            sides = {"x": x1 / width * 100, "y": y1 / height * 100, "width": (x2 - x1) / width * 100, "height": (y2 - y1) / height * 100}
            return {**sides, "rotation": 0, "rectanglelabels": [label_of[id(phrase)]]}

        done, new = edit.picture(key, lambda box: box)
        result = []
        for index, box, phrase in done:
            region = json.loads(json.dumps(region_of[index]))
            if box is not None:
                own = truth[key]["phrases"][truth[key]["regions"][index]["phrase"]]
                region["value"] = value(box, phrase or own)
            elif phrase is not None:
                region["value"]["rectanglelabels"] = [label_of[id(phrase)]]
            result.append(region)
        for at_new, (box, phrase) in enumerate(new):
            shape = {"type": "rectanglelabels", "from_name": "phrase", "to_name": "image", "image_rotation": 0}
            sizes = {"original_width": width, "original_height": height}
            result.append({"id": f"new{number}x{at_new}", **shape, **sizes, "value": value(box, phrase)})
        if number % 3 == 0:
            result.append({"id": f"f{number}", "type": "choices", "from_name": "found", "to_name": "image", "value": {"choices": ["all found"]}})
            edit.found(key)
        edit.say(key, "done")
        task["id"] = number + 1
        task["annotations"] = [
            {"id": number + 1, "completed_by": {"id": 1, "email": "ann@example.org"}, "was_cancelled": False, "created_at": "2024-01-01T10:00:00Z", "updated_at": "2024-01-01T10:00:00Z", "lead_time": 1, "result": result}
        ]
        for one in task["annotations"]:
            hold("label-studio", f"{key} as an annotation", interface.validate_annotation({**one, "completed_by": 1}), True)
    save("edited-label-studio.json", tasks)
    save("expected-label-studio.json", edit.said)
    # The converter of the SDK writes the same as JSON-MIN and as COCO.
    converter = Converter(config=config, project_dir=folder, download_resources=False)
    for task in tasks:
        for one in task["annotations"]:
            one["completed_by"] = {"id": 1, "email": "ann@example.org"}
    converter.convert_to_json_min(at("edited-label-studio.json"), at("min"), is_dir=False)
    shutil.copy(at("min", "result.json"), at("edited-label-studio-min.json"))
    save("expected-label-studio-min.json", edit.said)
    return boxes


def cvat():
    from datumaro import AnnotationType, Bbox, Dataset, Label

    os.makedirs(at("cvat", "images"))
    shutil.copy(at("cvat.xml"), at("cvat", "annotations.xml"))
    for name in os.listdir(at("pictures")):
        shutil.copy(at("pictures", name), at("cvat", "images", name))
    data = Dataset.import_from(at("cvat"), "cvat")
    labels = data.categories()[AnnotationType.label]
    edit = Edit(2)
    boxes = 0
    rounded = lambda box: [round(side, 2) for side in box]
    for item in data:
        key = item.id
        own = [one for one in item.annotations if one.type == AnnotationType.bbox]
        boxes += len(own)
        tags = [one for one in item.annotations if one.type == AnnotationType.label]
        hold("cvat", f"{key} tags", [labels[tag.label].name for tag in tags], ["caption"])
        check_boxes("cvat", key, [(box.attributes["phrase"], box.points) for box in own], 0.01)
        phrases = truth[key]["phrases"]
        place = {id(phrase): index for index, phrase in enumerate(phrases)}
        for box, region in zip(own, truth[key]["regions"]):
            hold("cvat", f"{key} label", labels[box.label].name, f"phrase {region['phrase'] + 1}")
        done, new = edit.picture(key, rounded)
        made = list(tags)
        for index, xyxy, phrase in done:
            old = own[index]
            x1, y1, x2, y2 = xyxy or old.points
            label = old.label if phrase is None else labels.find(f"phrase {place[id(phrase)] + 1}")[0]
            made.append(Bbox(x1, y1, x2 - x1, y2 - y1, label=label, attributes=old.attributes))
        for (x1, y1, x2, y2), phrase in new:
            label = labels.find(f"phrase {place[id(phrase)] + 1}")[0]
            made.append(Bbox(x1, y1, x2 - x1, y2 - y1, label=label))
        if edit.draw.random() < 0.3:
            made.append(Label(labels.find("all found")[0]))
            edit.found(key)
        edit.say(key, "done")
        item.annotations[:] = made
        data.put(item)
    data.export(at("cvat-out"), "cvat", save_media=False)
    [name] = [name for name in os.listdir(at("cvat-out")) if name.endswith(".xml")]
    shutil.copy(at("cvat-out", name), at("edited-cvat.xml"))
    save("expected-cvat.json", edit.said)
    return boxes


def coco():
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        data = COCO(at("coco.json"))
    edit = Edit(3)
    out = []
    by_key = {}
    for image in data.loadImgs(data.getImgIds()):
        by_key.setdefault(image["original_img_id"], {})[image["sentence_id"]] = image
    # Of a box COCO has a place and a size: what is added again is not to the bit.
    exact = lambda box: box
    boxes = 0
    for key, images in by_key.items():
        hold("coco", f"{key} captions", [images[place]["caption"] for place in sorted(images)], truth[key]["captions"])
        ids = data.getAnnIds(imgIds=[image["id"] for image in images.values()])
        own = [data.anns[one] for one in sorted(ids)]
        boxes += len(own)
        found = []
        for box in own:
            x, y, w, h = box["bbox"]
            [[start, end]] = box["tokens_positive"]
            found.append((data.imgs[box["image_id"]]["caption"][start:end], [x, y, x + w, y + h]))
        check_boxes("coco", key, found, 1e-4)
        done, new = edit.picture(key, exact)
        number = 10**6 + len(out)
        xywh = lambda box: [box[0], box[1], box[2] - box[0], box[3] - box[1]]
        words = lambda phrase: {"image_id": images[phrase["caption"]]["id"], "tokens_positive": [[phrase["start"], phrase["end"]]]}
        for index, box, phrase in done:
            more = {} if box is None else {"bbox": xywh(box)}
            out.append({**own[index], **more, **({} if phrase is None else words(phrase))})
        for box, phrase in new:
            out.append({"id": number, "category_id": 1, "iscrowd": 0, "bbox": xywh(box), **words(phrase)})
        edit.say(key, "done")
    # A tool writes them in an order of its own.
    edit.draw.shuffle(out)
    save("edited-coco.json", {**data.dataset, "annotations": out})
    with contextlib.redirect_stdout(io.StringIO()):
        COCO(at("edited-coco.json"))
    save("expected-coco.json", edit.said)
    return boxes


readers = {"label-studio": ("label-studio-sdk", label_studio), "cvat": ("datumaro", cvat), "coco": ("pycocotools", coco)}
for name, (reader, read) in readers.items():
    before = wrong
    boxes = read()
    print(f"{name}: {len(truth)} pictures and {boxes} boxes read by {reader}, {wrong - before} differences")
sys.exit(1 if wrong else 0)
