"""Tunes the encoder on the passages; a checkpoint every ten minutes; resumes where it stopped."""

import sys
import time

import numpy as np
import torch

from . import encoder, export_encoder, paths
from .passages import Shard
from .train import CHECKPOINT_S, Pool, Progress, fall, loss_of, save

BATCH = 3072  # pieces
WARM = 100
HEAD_TOP = 8  # times faster the new parts than the body


class Passages(Pool):
    """The passages there are; new ones join in."""
    PATTERN, OPEN, SIZE = "passages-*.npz", Shard, BATCH


def _groups(net, top):
    net.rows.requires_grad_(False)  # most words of the vocabulary are too rare here to move
    fresh = [p for n, p in net.named_parameters() if n.startswith(("head", "shapes", "flags"))]
    body = [p for n, p in net.named_parameters() if p.requires_grad and not n.startswith(("head", "shapes", "flags"))]
    return [{"params": body, "times": 1}, {"params": fresh, "times": HEAD_TOP}]


def run(name, steps, minutes=None, top=1.6e-4, drop=0.0, seed=1, threads=2, start=None):
    """Tunes for `steps`, or for `minutes` by the clock of this machine, and then the result depends on it: the rate rises, then
    falls to nothing.  The last third sees rounded weights.  `start`: a file of an encoder to go on from, in place of the body.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    net = export_encoder.read(start) if start else encoder.body()
    optim = torch.optim.AdamW(_groups(net, top), lr=top, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.01)
    path, step, rng = str(paths.WORK / f"{name}.pt"), 0, np.random.default_rng(seed)
    spent = 0.0
    if paths.os.path.exists(path):
        state = torch.load(path)
        net.load_state_dict(state["net"])
        optim.load_state_dict(state["optim"])
        step, spent = state["step"], state["spent"]
        print(f"resumes at step {step}, {spent / 60:.0f} minutes spent", file=sys.stderr)
    pool, progress, began = Passages(rng), Progress(steps), time.time() - spent
    saved, gone = time.time(), 0.0
    while gone < 1:
        gone = min(1.0, (time.time() - began) / (60 * minutes) if minutes else (step + 1) / steps)
        encoder.Product.quant = gone > 0.67
        shard, batch = pool.next()
        for group in optim.param_groups:
            group["lr"] = group["times"] * min(1.0, (step + 1) / WARM) * fall(gone, top / 0.4)
        optim.zero_grad(set_to_none=True)
        logits = net(batch, drop)
        loss = loss_of(logits, shard.table, batch["goal"], torch.ones(len(logits)))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optim.step()
        step += 1
        progress.tell(step, float(loss), int((batch["ids"] != 0).sum()), 50)
        if time.time() - saved > CHECKPOINT_S or gone >= 1:
            save(path, net, optim, step, step, time.time() - began)
            saved = time.time()
