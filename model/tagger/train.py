"""Trains the network on the shards, over and over; a checkpoint every ten minutes; resumes where it stopped."""

import math
import sys
import time

import numpy as np
import torch

from . import paths
from .batches import Shard
from .network import Tagger

BATCH = 8192
WARM = 200
CHECKPOINT_S = 600


def rate(step, steps, top):
    if step < WARM:
        return top * (step + 1) / WARM
    x = min(1.0, (step - WARM) / max(1, steps - WARM))
    return top * (0.5 * (1 + math.cos(math.pi * x)) * 0.98 + 0.02)


def loss_of(logits, table, goal, mask):
    free = torch.logsumexp(logits, 1)
    held = torch.logsumexp(logits + table[goal], 1)
    return ((free - held) * mask).sum() / mask.sum()


class Progress:
    """A line on standard error; a bar when that is a terminal."""

    def __init__(self, steps):
        self.steps, self.began, self.loss, self.tokens = steps, time.time(), None, 0

    def tell(self, step, loss, tokens, every):
        self.loss = loss if self.loss is None else 0.99 * self.loss + 0.01 * loss
        self.tokens += tokens
        if step % every:
            return
        speed = self.tokens / (time.time() - self.began)
        line = f"step {step}/{self.steps} loss {self.loss:.4f} {speed:.0f} tokens/s"
        if sys.stderr.isatty():
            done = int(30 * step / self.steps)
            print(f"\r[{'#' * done}{'.' * (30 - done)}] {line}", end="", file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)


def save(path, net, optim, step, steps):
    torch.save({"net": net.state_dict(), "optim": optim.state_dict(), "step": step, "steps": steps}, path + ".new")
    paths.os.replace(path + ".new", path)


def run(name, steps, top=2.5e-3, drop=0.1, seed=1, threads=1, start=None, quant_from=0.5):
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    net = Tagger()
    optim = torch.optim.Adam(net.parameters(), lr=top, betas=(0.9, 0.98), eps=1e-8)
    path, step, rng = str(paths.WORK / f"{name}.pt"), 0, np.random.default_rng(seed)
    if start:
        net.load_state_dict(torch.load(start)["net"])
    if paths.os.path.exists(path):
        state = torch.load(path)
        net.load_state_dict(state["net"])
        optim.load_state_dict(state["optim"])
        step = state["step"]
        print(f"resumes at step {step}", file=sys.stderr)
    progress, saved = Progress(steps), time.time()
    while step < steps:
        shards = sorted(paths.WORK.glob("shard-*.npz"))  # new ones may appear meanwhile
        shard = Shard(shards[rng.integers(len(shards))])
        for batch in shard.batches(rng, BATCH):
            net.quant = step >= quant_from * steps
            for group in optim.param_groups:
                group["lr"] = rate(step, steps, top)
            optim.zero_grad(set_to_none=True)
            loss = loss_of(net(batch, drop), shard.table, batch["goal"], batch["mask"])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optim.step()
            net.clamp()
            step += 1
            progress.tell(step, float(loss), int(batch["mask"].sum()), 50)
            if time.time() - saved > CHECKPOINT_S or step >= steps:
                save(path, net, optim, step, steps)
                saved = time.time()
            if step >= steps:
                break
