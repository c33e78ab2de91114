"""Exports a sentence encoder (a sentence-transformers folder with BERT and mean pooling) to ONNX, for the rule `agreement`.

    python bench/parity/export_sentence_encoder.py FOLDER OUT        needs torch, transformers and onnx

OUT then has onnx/model.onnx and the files that groundmill reads. It is checked against PyTorch's vectors of some phrases.
"""

import shutil
import sys
import warnings
from pathlib import Path

import numpy
import onnxruntime
import torch
import transformers

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
source, out = map(Path, sys.argv[1:3])
(out / "onnx").mkdir(parents=True, exist_ok=True)
for name in ("config.json", "tokenizer.json", "sentence_bert_config.json", "1_Pooling/config.json"):
    if (source / name).exists():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, out / name)
model = transformers.BertModel.from_pretrained(source, add_pooling_layer=False, attn_implementation="eager").eval()
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(source / "tokenizer.json"), pad_token="[PAD]")
names = ["input_ids", "attention_mask", "token_type_ids"]


class Hidden(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state


tokenizer.backend_tokenizer.no_truncation()
tokenizer.backend_tokenizer.no_padding()
encode = lambda texts: dict(tokenizer(texts, return_tensors="pt", padding=True, return_token_type_ids=True))
example = encode(["a man in a red coat", "two dogs"])
path = out / "onnx/model.onnx"
hidden = Hidden().eval()
torch.onnx.export(
    hidden,
    tuple(example[name] for name in names),
    str(path),
    input_names=names,
    output_names=["last_hidden_state"],
    dynamic_axes={name: {0: "n", 1: "l"} for name in [*names, "last_hidden_state"]},
    opset_version=17,
    dynamo=False,
)
values = encode(["person", "a puppy on the grass", "the traffic light", "an old red double-decker bus"])
with torch.no_grad():
    expected = hidden(*(values[name] for name in names)).numpy()
session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
(found,) = session.run(None, {name: values[name].numpy() for name in names})
print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, hidden states differ by {numpy.abs(found - expected).max():.1e} from PyTorch's")
