"""Reads event files with TensorBoard and holds them against metrics.jsonl.

    verify-tensorboard.py FOLDER

Needs: pip install tensorboard. Also follows a folder as a running TensorBoard does: read, then read again after a
training went on in it (the script waits for a line on its input between the two, where there is one more argument).
"""

import json
import math
import sys

from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.util.tensor_util import make_ndarray

LOSSES = {"classification", "regression", "grounding", "contrastive", "auxiliary", "giou", "centerness", "distance"}


def tag_of(name):
    if name.startswith("eval_"):
        return "eval/" + name[5:]
    return ("train/loss_" if name in LOSSES else "train/") + name


def check(accumulators, folder):
    expected = {}
    for line in open(f"{folder}/metrics.jsonl"):
        values = json.loads(line)
        step = values.pop("step")
        for name, value in values.items():
            expected.setdefault(tag_of(name), []).append((step, value))
    for accumulator in accumulators:
        accumulator.Reload()
        if isinstance(accumulator, event_accumulator.EventAccumulator):
            tags = set(accumulator.Tags()["scalars"])
            events = {tag: [(e.step, e.value, e.wall_time) for e in accumulator.Scalars(tag)] for tag in tags}
        else:
            # What TensorBoard itself is served from: every scalar is a tensor.
            tags = set(accumulator.Tags()["tensors"]) - {"settings"}
            events = {
                tag: [(e.step, float(make_ndarray(e.tensor_proto)), e.wall_time) for e in accumulator.Tensors(tag)]
                for tag in tags
            }
        assert tags == expected.keys(), (sorted(tags), sorted(expected))
        for tag, values in expected.items():
            found = events[tag]
            assert [step for step, _ in values] == [step for step, *_ in found], (tag, found)
            for (step, value), (_, read, _) in zip(values, found):
                assert math.isclose(value, read, rel_tol=1e-6, abs_tol=1e-30), (tag, step, value, read)
            times = [time for *_, time in found]
            assert times == sorted(times), (tag, times)
        settings = make_ndarray(accumulator.Tensors("settings")[-1].tensor_proto)[0].decode()
        assert json.loads(settings.strip("`").removeprefix("json")), settings
    print(f"{folder}: {len(expected)} scalars of {len(expected['train/loss'])} steps, each once", flush=True)


def readers(folder):
    everything = {"scalars": 0, "tensors": 0}
    return [
        module.EventAccumulator(folder, size_guidance=everything)
        for module in (event_accumulator, plugin_event_accumulator)
    ]


folder = sys.argv[1]
following = readers(folder)
check(following, folder)
for _ in sys.argv[2:]:
    sys.stdin.readline()
    check(following, folder)
    check(readers(folder), folder)
