"""Writes test/weights/fixtures/torch/: small checkpoints as PyTorch writes them, some damaged or hostile, and in
expected.json what is in the good ones.

    python bench/parity/torch_checkpoints.py        needs torch and numpy
"""

import argparse
import io
import json
import os
import pickle
import struct
import zipfile
from collections import Counter, OrderedDict, defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(7)
folder = Path(__file__).parents[2] / "test/weights/fixtures/torch"
folder.mkdir(parents=True, exist_ok=True)
for old in folder.iterdir():
    old.unlink()
expected = {}


def values_of(state):
    """Shape and values in float32; JSON has no words for what is not finite."""
    words = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
    number = lambda value: words.get(str(value), value)
    return {
        name: {"shape": list(tensor.shape), "values": [number(v) for v in tensor.detach().float().flatten().tolist()]}
        for name, tensor in state.items()
    }


def save(name, value, state, **options):
    torch.save(value, folder / name, **options)
    expected[name] = values_of(state)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.norm = nn.BatchNorm2d(3)
        self.dense = nn.Linear(3, 2)


net = Net()
plain = net.state_dict()
save("plain.pth", plain, plain)
for protocol in (3, 4, 5):
    save(f"protocol-{protocol}.pth", plain, plain, pickle_protocol=protocol)
save("legacy.pth", plain, plain, _use_new_zipfile_serialization=False)

numbers = [0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, 6.1e-5, 3.14159274]
special = numbers + [float("inf"), float("-inf"), float("nan"), 1e-40]
types = {str(dtype).removeprefix("torch."): torch.tensor(special, dtype=dtype) for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64)}
types |= {str(dtype).removeprefix("torch."): torch.tensor([0, 1, -2, 100], dtype=dtype) for dtype in (torch.int64, torch.int32, torch.int16, torch.int8)}
types |= {"uint8": torch.tensor([0, 255], dtype=torch.uint8), "bool": torch.tensor([True, False])}
types["long"] = torch.tensor([2**53 + 1, -(2**62)])
save("types.pth", types, types)
save("types-legacy.pth", types, types, _use_new_zipfile_serialization=False)

base = torch.arange(24, dtype=torch.float32)
views = {
    "whole": base.view(2, 3, 4),
    "transposed": base.view(4, 6).t(),
    "permuted": base.view(2, 3, 4).permute(2, 0, 1),
    "offset": base[5:9],
    "strided": base[1::3],
    "block": base.view(4, 6)[1:3, 2:5],
    "expanded": base[3:5, None].expand(2, 3),
    "half_view": base.half().view(6, 4)[:, 1],
    "scalar": torch.tensor(2.5),
    "element": base[7],
    "empty": torch.zeros(0, 3),
    "one": base[11:12].view(1, 1, 1).expand(1, 1, 1),
    "parameter": nn.Parameter(base.view(6, 4)[::2]),
}
save("views.pth", views, views)
save("views-legacy.pth", views, views, _use_new_zipfile_serialization=False)

# A training state as maskrcnn-benchmark writes it, with more beside it than any has.
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
net.dense(torch.ones(1, 3)).sum().backward()
optimizer.step()
trained = OrderedDict((f"module.{name}", tensor) for name, tensor in net.state_dict().items())
average = OrderedDict((name, tensor.double().mul(0.5).to(tensor.dtype)) for name, tensor in trained.items())
state = {
    "model": trained,
    "model_ema": average,
    "optimizer": optimizer.state_dict(),
    "scheduler": torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5]).state_dict(),
    "iteration": 2**40,
    "args": argparse.Namespace(lr=1e-3, size=torch.Size([3, 4]), device=torch.device("cpu"), dtype=torch.float16),
    "best": np.float64(0.5),
    "history": np.arange(3),
    "sets": [{1, 2}, frozenset({3}), Counter("aab"), defaultdict(list, a=[1]), (1, 2, 3, 4), b"bytes", 2**70, -1, True, None],
}
save("state.pth", state, trained)
expected["state.pth model_ema"] = values_of(average)
save("state-5.pth", state, trained, pickle_protocol=5)


class Hostile:
    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def archive(path, pickled, entries={}, compression=zipfile.ZIP_STORED):
    """A file like torch.save's, from the pickle and the entries beside it."""
    with zipfile.ZipFile(path, "w") as out:
        for name, data in {"data.pkl": pickled, "byteorder": b"little", "version": b"3\n", **entries}.items():
            # An entry made so has no time: the same bytes at every run.
            out.writestr(zipfile.ZipInfo(f"archive/{name}"), data, compression)


command = "touch hostile-was-run"
for name, value, protocol in (
    ("hostile-system.pth", Hostile(os.system, command), 2),
    ("hostile-system-4.pth", {"model": {"a": Hostile(os.system, command)}}, 4),
    ("hostile-eval.pth", [Hostile(eval, f"__import__('os').system('{command}')")], 2),
    ("hostile-getattr.pth", Hostile(getattr, "weights", "upper"), 2),
):
    archive(folder / name, pickle.dumps(value, protocol))
# The function is imported by opcodes that torch.save never writes.
archive(folder / "hostile-inst.pth", f"(S'{command}'\nios\nsystem\n.".encode())
archive(folder / "hostile-ext.pth", b"\x80\x02\x82\x01.")
# An allowed name that may not be called.
archive(folder / "hostile-call.pth", b"\x80\x02ctorch\nfloat32\n)R.")
# An object that calls on its state.
torch.save(net, folder / "module.pth")
legacy = io.BytesIO()
torch.save({"a": Hostile(os.system, command)}, legacy, _use_new_zipfile_serialization=False)
(folder / "hostile-legacy.pth").write_bytes(legacy.getvalue())


def tensor_pickle(shape, strides, offset=0, size=6, kind="FloatStorage", name="weight", extra=b""):
    """The pickle of {name: tensor} with whatever is claimed of the tensor."""
    text = lambda value: b"X" + struct.pack("<I", len(value)) + value.encode()
    whole = lambda value: b"\x8a\x08" + struct.pack("<q", value)
    numbers = lambda values: b"(" + b"".join(map(whole, values)) + b"t"
    storage = b"(" + text("storage") + b"ctorch\n" + kind.encode() + b"\n" + text("0") + text("cpu") + whole(size) + b"tQ"
    view = storage + whole(offset) + numbers(shape) + numbers(strides) + b"\x89" + b"ccollections\nOrderedDict\n)R"
    return b"\x80\x02}(" + text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n(" + view + b"tR" + extra + b"u."


data = {"data/0": np.arange(6, dtype="<f4").tobytes()}
archive(folder / "made.pth", tensor_pickle([2, 3], [3, 1]), data)
expected["made.pth"] = values_of({"weight": torch.arange(6.0).view(2, 3)})
archive(folder / "bad-short.pth", tensor_pickle([2, 3], [3, 1]), {"data/0": data["data/0"][:20]})
archive(folder / "bad-beyond.pth", tensor_pickle([2, 3], [3, 1], offset=1), data)
archive(folder / "bad-stride.pth", tensor_pickle([2, 3], [4, 1]), data)
archive(folder / "bad-negative.pth", tensor_pickle([2, 3], [-3, 1]), data)
archive(folder / "bad-huge.pth", tensor_pickle([2**40, 3], [0, 0]), data)
archive(folder / "bad-overflow.pth", tensor_pickle([2**40, 2**40], [0, 0]), data)
archive(folder / "bad-missing.pth", tensor_pickle([2, 3], [3, 1]))
archive(folder / "bad-kind.pth", tensor_pickle([2, 3], [3, 1], kind="ComplexFloatStorage"), data)
archive(folder / "bad-twice.pth", tensor_pickle([2, 3], [3, 1], extra=b"X\x06\x00\x00\x00weightK\x01"), data)
archive(folder / "bad-big-endian.pth", tensor_pickle([2, 3], [3, 1]), {**data, "byteorder": b"big"})
archive(folder / "bad-script.pth", tensor_pickle([2, 3], [3, 1]), {**data, "constants.pkl": b"\x80\x02)."})
archive(folder / "bad-deflated.pth", tensor_pickle([2, 3], [3, 1]), data, zipfile.ZIP_DEFLATED)
archive(folder / "bad-protocol.pth", b"\x80\x01}.")
archive(folder / "bad-empty.pth", b"\x80\x02}.")
archive(folder / "bad-top.pth", b"\x80\x02K\x01.")
with zipfile.ZipFile(folder / "bad-entries.pth", "w") as out:
    for _ in range(2):
        out.writestr(zipfile.ZipInfo("archive/data.pkl"), tensor_pickle([2, 3], [3, 1]))
with zipfile.ZipFile(folder / "bad-zip.pth", "w") as out:
    out.writestr(zipfile.ZipInfo("readme.txt"), "no checkpoint")

(folder / "expected.json").write_text(json.dumps(expected) + "\n")
print(folder, sum(file.stat().st_size for file in folder.iterdir()), "bytes")
