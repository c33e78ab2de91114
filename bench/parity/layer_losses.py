"""Writes test/train/fixtures/layer-losses.json: `python layer_losses.py`. Needs torch, torchvision and scipy.

The losses of three layers of a decoder as SetCriterion of DETR has them: every layer is matched by itself and has all the losses, with the
weights of the last. Focal loss, GIoU and L1 by torchvision and torch, the matching by scipy, the two MDETR terms as src/train/loss/losses.ts says;
gradients by autograd.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torchvision.ops import box_convert, generalized_box_iou, sigmoid_focal_loss

torch.manual_seed(11)
samples, layers, queries, words, rows, width = 2, 3, 5, 6, 4, 4
height_of, width_of = 40.0, 64.0
weights = {"classification": 1.0, "regression": 1.5, "grounding": 0.3, "contrastive": 0.2, "auxiliary": 0.5}
temperature = 0.07

logits = torch.randn(samples, layers * queries, words).mul(2).requires_grad_()
boxes = torch.rand(samples, layers * queries, 4).mul(0.5).add(0.25).requires_grad_()
regions = F.normalize(torch.randn(samples, layers * queries, width), dim=2).detach().requires_grad_()
tokens = F.normalize(torch.randn(samples, words, width), dim=2).detach().requires_grad_()
scale = torch.tensor([width_of, height_of, width_of, height_of])
box = torch.zeros(samples, rows, 4)
box[0, :3] = box_convert(torch.rand(3, 4) * 0.4 + 0.3, "cxcywh", "xyxy") * scale
box[1, :2] = box_convert(torch.rand(2, 4) * 0.4 + 0.3, "cxcywh", "xyxy") * scale
phrase = torch.zeros(samples, rows, words)
phrase[0, 0, [0, 1]] = phrase[0, 1, 2] = phrase[0, 2, [3, 4]] = phrase[1, 0, 1] = phrase[1, 1, [2, 3]] = 1
present = torch.tensor([[1.0, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0]])
count = [3, 2]


def focal_cost(values):
    p = values.sigmoid()
    return 0.25 * (1 - p) ** 2 * -(p + 1e-8).log() - 0.75 * p**2 * -(1 - p + 1e-8).log()


@torch.no_grad()
def match(out):
    """HungarianMatcher: for each sample, which query has which box."""
    pairs = []
    for sample in range(samples):
        own, named = box[sample, : count[sample]], phrase[sample, : count[sample]]
        costs = 2 * focal_cost(out["logits"][sample]) @ named.T / named.sum(1)
        shares = box_convert(own / scale, "xyxy", "cxcywh")
        costs = costs + 5 * torch.cdist(out["boxes"][sample], shares, p=1)
        predicted = box_convert(out["boxes"][sample], "cxcywh", "xyxy") * scale
        costs = costs + 2 * (1 - generalized_box_iou(predicted, own))
        pairs.append(linear_sum_assignment(costs.numpy()))
    return pairs


def losses(out):
    pairs = match(out)
    assigned = torch.full((samples, queries), rows - 1)
    for sample, (of, to) in enumerate(pairs):
        assigned[sample, torch.tensor(of)] = torch.tensor(to)
    positives = sum(count)
    target = phrase[torch.arange(samples)[:, None], assigned] * present[:, None]
    focal = sigmoid_focal_loss(out["logits"], target, alpha=0.25, gamma=2, reduction="none")
    terms = {"classification": (focal * present[:, None]).sum() / positives}
    giou = distance = 0
    for sample, (of, to) in enumerate(pairs):
        predicted, own = out["boxes"][sample, torch.tensor(of)], box[sample, torch.tensor(to)]
        corners = box_convert(predicted, "cxcywh", "xyxy") * scale
        giou = giou + (1 - generalized_box_iou(corners, own).diag()).sum()
        distance = distance + F.l1_loss(predicted, box_convert(own / scale, "xyxy", "cxcywh"), reduction="sum")
    terms["giou"], terms["distance"] = giou / positives, distance / positives
    terms["regression"] = 2 * terms["giou"] + 5 * terms["distance"]
    bias = (1 - present[:, None]) * -10_000
    share = target / target.sum(2, keepdim=True).clamp(min=1)
    terms["grounding"] = -(share * (out["logits"] + bias).log_softmax(2)).sum() / positives
    similarity = out["regions"] @ tokens.transpose(1, 2) / temperature

    def contrast(axis):
        named = target.sum(axis)
        mean = (similarity * target).sum(axis) / named.clamp(min=1)
        has = named.clamp(max=1)
        return (((similarity + bias).logsumexp(axis) - mean) * has).sum() / has.sum()

    terms["contrastive"] = (contrast(2) + contrast(1)) / 2
    for name in ("classification", "regression", "grounding", "contrastive"):
        terms[name] = terms[name] * weights[name]
    total = sum(terms[name] for name in ("classification", "regression", "grounding", "contrastive"))
    return total, terms, assigned


parts = [dict(logits=a, boxes=b, regions=c) for a, b, c in zip(*(x.split(queries, 1) for x in (logits, boxes, regions)))]
all_losses = [losses(part) for part in parts]
auxiliary = weights["auxiliary"] * sum(total for total, *_ in all_losses[:-1])
total, terms, _ = all_losses[-1]
loss = total + auxiliary
gradients = torch.autograd.grad(loss, [logits, boxes, regions, tokens])
assert len({tuple(assigned.flatten().tolist()) for *_, assigned in all_losses}) == layers, "each layer has a matching of its own"


def listed(tensor):
    return {"shape": list(tensor.shape), "data": [float(f"{value:.7g}") for value in tensor.flatten().tolist()]}


inputs = dict(logits=logits, boxes=boxes, regions=regions, tokens=tokens)
fixture = {
    "size": {"height": height_of, "width": width_of},
    "layers": layers,
    "temperature": temperature,
    "weights": weights,
    "inputs": {name: listed(tensor) for name, tensor in inputs.items()},
    "targets": {"box": listed(box), "phrase": listed(phrase), "words": listed(present)},
    "assigned": torch.cat([assigned for *_, assigned in all_losses], 1).flatten().tolist(),
    "terms": {name: float(value.detach()) for name, value in {**terms, "auxiliary": auxiliary, "loss": loss}.items()},
    "gradients": {name: listed(gradient) for name, gradient in zip(inputs, gradients)},
}
path = Path(__file__).resolve().parents[2] / "test/train/fixtures/layer-losses.json"
path.write_text(json.dumps(fixture) + "\n")
