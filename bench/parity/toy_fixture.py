"""Writes test/train/fixtures/toy-parity.json: what PyTorch computes for the tiny network of test/helpers/tiny-glip.ts.

    npx tsx bench/parity/write-toy-inputs.ts /tmp/toy.safetensors
    python bench/parity/toy_fixture.py /tmp/toy.safetensors        needs torch and numpy
"""

import json
import sys
from pathlib import Path

import torch
from toy_glip import ToyGlip, anchors_of, load_safetensors, unified_loss

tensors, metadata = load_safetensors(sys.argv[1])
config, training = json.loads(metadata["config"]), json.loads(metadata["training"])
parameters = {k.removeprefix("parameter."): v.requires_grad_() for k, v in tensors.items() if k.startswith("parameter.")}
batch = {k.removeprefix("batch."): v for k, v in tensors.items() if k.startswith("batch.")}
batch["ids"], batch["assigned"] = batch["ids"].long(), batch["assigned"].long()
anchors = torch.from_numpy(anchors_of(config))
network = ToyGlip(config, parameters)

outputs = network(batch["image"], batch["ids"], batch["mask"])
loss, terms = unified_loss(outputs, batch, anchors, training["weights"], training["temperature"])
loss.backward()
sample = lambda tensor: [float(v) for v in tensor.detach().flatten()[:: max(1, tensor.numel() // 40)][:40]]
fixture = {
    "outputs": {name: sample(tensor) for name, tensor in outputs.items()},
    "scales": {name: float(tensor.detach().abs().max()) for name, tensor in outputs.items()},
    "terms": {name: term.item() for name, term in terms.items()},
    "gradients": {name: float(p.grad.norm()) for name, p in parameters.items()},
}

optimizer = training["optimizer"]
biases = [p for name, p in parameters.items() if name.endswith("bias")]
weights = [p for name, p in parameters.items() if not name.endswith("bias")]
adamw = torch.optim.AdamW(
    [{"params": weights, "weight_decay": optimizer["weight_decay"]}, {"params": biases, "weight_decay": 0.0}],
    lr=2e-4,
    betas=(optimizer["beta1"], optimizer["beta2"]),
    eps=optimizer["epsilon"],
)
fixture["losses"] = []
for _ in range(100):
    adamw.zero_grad()
    loss, _ = unified_loss(network(batch["image"], batch["ids"], batch["mask"]), batch, anchors, training["weights"], training["temperature"])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters.values(), optimizer["clip_norm"])
    adamw.step()
    fixture["losses"].append(loss.item())

path = Path(__file__).parents[2] / "test/train/fixtures/toy-parity.json"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps(fixture) + "\n")
print(path, fixture["losses"][0], fixture["losses"][-1])
