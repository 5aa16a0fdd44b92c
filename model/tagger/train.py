"""Trains the network on the shards, over and over; a checkpoint every ten minutes; resumes where it stopped."""

import math
import sys
import time

import numpy as np
import torch

from . import export, paths
from .batches import Shard
from .network import Tagger

BATCH = 8192
WARM = 200
CHECKPOINT_S = 600
TAUGHT = 0.5  # what a teacher's word weighs beside a label


def rate(step, steps, top):
    if step < WARM:
        return top * (step + 1) / WARM
    x = min(1.0, (step - WARM) / max(1, steps - WARM))
    return top * (0.5 * (1 + math.cos(math.pi * x)) * 0.98 + 0.02)


def fall(gone, top):
    """The rate of a run that ends by the clock: from two fifths of the top to a hundredth of that."""
    return 0.4 * top * (0.5 * (1 + math.cos(math.pi * min(1.0, gone))) * 0.99 + 0.01)


def losses(logits, table, goal):
    """Of each token."""
    return torch.logsumexp(logits, 1) - torch.logsumexp(logits + table[goal], 1)


def loss_of(logits, table, goal, mask):
    return (losses(logits, table, goal) * mask).sum() / mask.sum()


class Teacher:
    """What a network said before this training and what the encoder says, half each, beside the labels."""

    def __init__(self, net):
        self.net = net.eval()
        self.net.quant = True

    def loss_of(self, logits, table, batch):
        with torch.no_grad():
            said = torch.softmax((torch.log_softmax(self.net(batch), 1) + batch["said"]) / 2, 1)
        far = -(said * torch.log_softmax(logits, 1)).sum(1)
        part = TAUGHT * batch["asked"]
        each = (1 - part) * losses(logits, table, batch["goal"]) + part * far
        return (each * batch["mask"]).sum() / batch["mask"].sum()


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


class Pool:
    """Batches of all shards there are, in turns; shards that appear meanwhile join in."""
    PATTERN, OPEN, SIZE = "shard-*.npz", Shard, BATCH

    def __init__(self, rng):
        self.rng, self.open, self.count = rng, {}, 0

    def next(self):
        if self.count % 50 == 0:
            for path in sorted(paths.WORK.glob(self.PATTERN)):
                if path not in self.open:
                    shard = self.OPEN(path)
                    self.open[path] = [shard, shard.batches(self.rng, self.SIZE)]
        self.count += 1
        entries = list(self.open.values())
        sizes = np.array([len(e[0].z["shape"]) for e in entries], float)
        entry = entries[self.rng.choice(len(entries), p=sizes / sizes.sum())]
        batch = next(entry[1], None)
        if batch is None:
            entry[1] = entry[0].batches(self.rng, self.SIZE)
            batch = next(entry[1])
        return entry[0], batch


def save(path, net, optim, step, steps, spent=0):
    state = {"net": net.state_dict(), "optim": optim.state_dict(), "step": step, "steps": steps, "spent": spent}
    torch.save(state, path + ".new")
    paths.os.replace(path + ".new", path)


def run(name, steps, top=2.5e-3, drop=0.1, seed=1, threads=1, start=None, quant_from=0.5, minutes=None):
    """`start`: a model file to go on from; it teaches as well, with the encoder, where the shards hold what that said.
    `minutes`: for a machine that others use too: from where the checkpoint is, the rate falls to nothing in this time, however
    many steps that are; the result then depends on the machine."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    net = export.read(start) if start else Tagger()
    teacher = Teacher(export.read(start, deeper=False)) if start else None
    optim = torch.optim.Adam(net.parameters(), lr=top, betas=(0.9, 0.98), eps=1e-8)
    path, step, rng = str(paths.WORK / f"{name}.pt"), 0, np.random.default_rng(seed)
    if paths.os.path.exists(path):
        state = torch.load(path)
        net.load_state_dict(state["net"])
        optim.load_state_dict(state["optim"])
        step = state["step"]
        print(f"resumes at step {step}", file=sys.stderr)
    progress, saved, pool = Progress(steps), time.time(), Pool(rng)
    began = time.time()
    while step < steps:
        shard, batch = pool.next()
        net.quant = minutes is not None or step >= quant_from * steps
        gone = (time.time() - began) / (60 * minutes) if minutes else 0
        if gone >= 1:
            steps = step + 1
        for group in optim.param_groups:
            group["lr"] = fall(gone, top) if minutes else rate(step, steps, top)
        optim.zero_grad(set_to_none=True)
        logits = net(batch, drop)
        if teacher and "said" in batch:
            loss = teacher.loss_of(logits, shard.table, batch)
        else:
            loss = loss_of(logits, shard.table, batch["goal"], batch["mask"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optim.step()
        net.clamp()
        step += 1
        progress.tell(step, float(loss), int(batch["mask"].sum()), 50)
        if time.time() - saved > CHECKPOINT_S or step >= steps:
            save(path, net, optim, step, steps)
            saved = time.time()
