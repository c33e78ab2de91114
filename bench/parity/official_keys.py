"""Writes test/model/fixtures/official-keys.json.gz: the names and shapes of all weights of the published networks, as
their own code makes them, without any values.

    python bench/parity/official_keys.py GLIP SWIN        needs torch, transformers, safetensors, timm and yacs

GLIP and SWIN are checkouts of microsoft/GLIP and microsoft/Swin-Transformer. GLIP's code is of 2022: what has gone
since from the libraries that it imports, and its CUDA operators, are replaced by stand-ins. None of them has weights.
"""

import gzip
import importlib.abc
import importlib.machinery
import json
import sys
import tempfile
import types
from pathlib import Path

import numpy
import timm
import torch
import transformers
import transformers.file_utils
import transformers.modeling_outputs
import transformers.modeling_utils
from safetensors import safe_open
from transformers.models.bert import modeling_bert

absent = set("maskrcnn_benchmark._C maskrcnn_benchmark.data apex cv2 einops ftfy matplotlib prettytable wandb".split())


class Anything(types.ModuleType):
    """A package that is imported and has no part in the names of weights."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__init__": lambda self, *args, **options: None})


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        wanted = name in absent or name.split(".")[0] in absent
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if wanted else None

    def create_module(self, spec):
        return Anything(spec.name)

    def exec_module(self, module):
        pass


def gone(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return lambda *args, **options: lambda decorated: decorated


sys.meta_path.append(StandIns())
for module in (transformers.modeling_utils, transformers.file_utils, transformers.modeling_outputs, modeling_bert):
    module.__getattr__ = gone
torch._six = types.SimpleNamespace(PY37=True, PY3=True)
numpy.float = float
linspace = torch.linspace
torch.linspace = lambda *args, **options: linspace(*args, **{**options, "device": "cpu"})
transformers.BertConfig.from_pretrained = classmethod(lambda cls, *args, **options: cls())
transformers.BertModel.from_pretrained = classmethod(
    lambda cls, *args, config=None, add_pooling_layer=True, **options: cls(config, add_pooling_layer=add_pooling_layer)
)
transformers.AutoTokenizer.from_pretrained = classmethod(lambda cls, *args, **options: types.SimpleNamespace(get_vocab=dict))

glip, swin = sys.argv[1:3]
sys.path[:0] = [glip, swin]
from maskrcnn_benchmark.config import cfg  # noqa: E402
from maskrcnn_benchmark.modeling.detector import build_detection_model  # noqa: E402
from models.swin_transformer import SwinTransformer  # noqa: E402


def official(name):
    config = cfg.clone()
    config.merge_from_file(f"{glip}/configs/pretrain/{name}.yaml")
    config.MODEL.DEVICE = "cpu"
    return build_detection_model(config)


def saved(model):
    """Names and shapes as Hugging Face writes them into a file, which are older than those of its modules."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with safe_open(f"{folder}/model.safetensors", "pt") as file:
            return {key: file.get_slice(key).get_shape() for key in file.keys()}


with torch.device("meta"):
    models = {
        "glip-t-a": official("glip_A_Swin_T_O365"),
        "glip-t": official("glip_Swin_T_O365_GoldG"),
        "glip-l": official("glip_Swin_L"),
        "swin": SwinTransformer(),
        "swin timm": timm.create_model("swin_tiny_patch4_window7_224"),
    }
keys = {name: {key: list(value.shape) for key, value in model.state_dict().items()} for name, model in models.items()}
keys["bert"] = saved(transformers.BertForPreTraining(transformers.BertConfig()))
keys["swin hugging face"] = saved(transformers.SwinForImageClassification(transformers.SwinConfig(num_labels=1000)))
path = Path(__file__).parents[2] / "test/model/fixtures/official-keys.json.gz"
path.write_bytes(gzip.compress(json.dumps(keys, separators=(",", ":")).encode(), mtime=0))
print(path, path.stat().st_size, {name: len(each) for name, each in keys.items()})
