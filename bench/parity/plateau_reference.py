"""Writes test/train/fixtures/plateau.json: `python plateau_reference.py`. Needs torch.

Learning rates of PyTorch's ReduceLROnPlateau on series of a metric, stepped as GLIP's WarmupReduceLROnPlateau steps it (solver/lr_scheduler.py:
not on a metric of 0), and the validation behind which GLIP's do_train (engine/trainer.py, AUTO_TERMINATE_PATIENCE) ends, with the one whose weights are model_best.
"""

import json
import random
from pathlib import Path

import torch

rng = random.Random(5)


def rates_of(metrics, rate, patience, factor, min_rate):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([parameter], lr=rate)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=factor, patience=patience, mode="max", min_lr=min_rate
    )
    rates = []
    for metric in metrics:
        if metric:
            scheduler.step(metric)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def end_of(metrics, patience):
    previous_best, counter, kept = 0.0, 0, None
    for at, metric in enumerate(metrics):
        if metric < previous_best:
            counter += 1
        else:
            counter, previous_best, kept = 0, metric, at
        if counter >= patience:
            return {"end": at, "kept": kept}
    return {"end": None, "kept": kept}


series = {
    "rises": [0.1, 0.2, 0.3, 0.4, 0.5],
    "stays": [0.3] * 16,
    "barely rises": [0.3 * (1 + 0.99e-4) ** at for at in range(12)],
    "just rises": [0.3 * (1 + 1.01e-4) ** at for at in range(12)],
    "finds nothing at first": [0, 0, 0, 0, 0, 0.1, 0, 0, 0.05, 0.06, 0.07, 0.08, 0.2],
    "wavers": [round(0.3 + 0.2 * rng.random(), 4) for _ in range(40)],
}
settings = [(1e-4, 3, 0.1, 0), (0.05, 0, 0.5, 0.004), (1e-7, 1, 0.1, 0), (1e-3, 2, 0.1, 3e-5)]
keys = ("rate", "patience", "factor", "min_rate")
falls = [
    {"name": name, "metrics": metrics, **dict(zip(keys, setting)), "rates": rates_of(metrics, *setting)}
    for name, metrics in series.items()
    for setting in settings
]
ends = [
    {"name": name, "metrics": metrics, "patience": patience, **end_of(metrics, patience)}
    for name, metrics in series.items()
    for patience in (1, 2, 4)
]
path = Path(__file__).resolve().parents[2] / "test/train/fixtures/plateau.json"
path.write_text(json.dumps({"falls": falls, "ends": ends}) + "\n")
