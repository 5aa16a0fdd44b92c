"""The mean of several checkpoints of one training: as good as the last on what all saw, steadier than any."""

import sys

import torch

from . import paths


def run(out, names):
    """`names`: "NAME" or "NAME:WEIGHT" of checkpoints in the work folder."""
    nets, weights = [], []
    for name in names:
        name, _, weight = name.partition(":")
        nets.append(torch.load(str(paths.WORK / f"{name}.pt"))["net"])
        weights.append(float(weight or 1))
    mean = {key: sum(w * net[key] for w, net in zip(weights, nets)) / sum(weights) for key in nets[0]}
    torch.save({"net": mean}, str(paths.WORK / f"{out}.pt"))
    print(f"{paths.WORK / out}.pt: the mean of {', '.join(names)}", file=sys.stderr)
