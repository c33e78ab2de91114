"""Reads a pushed dataset back as from the Hub, and holds every value against the export's own files.

    HF_ENDPOINT=… HF_TOKEN=… python bench/verify-hub.py EXPORT ORG/NAME EXPORT_OF_VAL

Needs datasets, huggingface_hub, mlcroissant, pillow. Prints one JSON object of counts.
"""

import glob
import json
import logging
import os
import sys

import pyarrow.parquet
from datasets import Image, disable_progress_bars, load_dataset
from huggingface_hub import snapshot_download

out, name, val = sys.argv[1:]
disable_progress_bars()
logging.disable(logging.WARNING)


def differences(split, folder):
    data = load_dataset(name, split=split).cast_column("image", Image(decode=False))
    files = sorted(glob.glob(os.path.join(folder, "data", f"{split}-*.parquet")))
    rows = [row for file in files for row in pyarrow.parquet.read_table(file).to_pylist()]
    wrong = abs(len(data) - len(rows))
    regions = 0
    for got, own in zip(data, rows):
        wrong += sum(got[column] != own[column] for column in own)
        regions += len(got["regions"])
    return len(data), regions, wrong


count, regions, wrong = differences("train", out)
val_count, _, val_wrong = differences("val", val)

import mlcroissant  # noqa: E402

snapshot = snapshot_download(name, repo_type="dataset")
records = mlcroissant.Dataset(jsonld=os.path.join(snapshot, "croissant.json")).records("pictures")
print(
    json.dumps(
        {
            "rows": count,
            "val": val_count,
            "regions": regions,
            "differences": wrong + val_wrong,
            "croissant": sum(1 for _ in records) - val_count,
        }
    )
)
