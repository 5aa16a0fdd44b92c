"""Turns shards into batches of about N tokens, pieces shuffled, padding rows between them."""

import numpy as np
import torch

from .labels import LABEL_INDEX, OUTSIDE, TAG_COUNT
from .network import REACH

MOST = 6      # tags kept of what a teacher says of a token, by probability
DOUBT = -0.7  # prior against a label that the source says nothing about


def goal_table(names):
    """One row of additive log-weights per goal: which tags are permitted."""
    table = np.full((len(names), TAG_COUNT), -1e4, np.float32)
    for i, name in enumerate(names):
        if name == "*":
            table[i] = 0
        elif name.isdigit():
            table[i, int(name)] = 0
        else:
            table[i, OUTSIDE] = 0
            for label in filter(None, name.split("|")):
                at = 1 + 4 * LABEL_INDEX[label]
                table[i, at:at + 4] = DOUBT
    return torch.from_numpy(table)


def _logs(tags, sure):
    """[tokens, tags]: logarithms of the probabilities; what was not kept shares the rest."""
    rest = np.maximum(1 - sure.astype(np.float32).sum(1), 1e-6) / (TAG_COUNT - MOST)
    out = np.repeat(np.log(rest)[:, None], TAG_COUNT, 1)
    np.put_along_axis(out, tags.astype(np.int64), np.log(np.maximum(sure.astype(np.float32), 1e-6)), 1)
    return out


class Shard:
    def __init__(self, path):
        z = np.load(path)
        self.z = {k: z[k] for k in z.files if k != "names"}
        self.names = [str(n) for n in z["names"]]
        self.table = goal_table(self.names)
        self.starts = np.concatenate(([0], self.z["ends"][:-1]))
        self.gram_at = np.concatenate(([0], np.cumsum(self.z["counts"], dtype=np.int64)))

    def batches(self, rng, size):
        order = rng.permutation(len(self.starts))
        lengths = (self.z["ends"] - self.starts)[order]
        cut = np.cumsum(lengths + REACH) // size
        for k in range(int(cut[-1]) + 1):
            pieces = order[cut == k]
            if len(pieces):
                yield self.gather(pieces)

    def gather(self, pieces):
        z, index, mask = self.z, [], []
        for p in pieces:
            a, b = self.starts[p], z["ends"][p]
            index.append(np.arange(a, b))
            index.append(np.full(REACH, -1))
        index = np.concatenate(index)
        mask = index >= 0
        safe = np.where(mask, index, 0)
        counts = np.where(mask, z["counts"][safe], 0).astype(np.int64)
        offsets = np.concatenate(([0], np.cumsum(counts)[:-1]))
        total = int(counts.sum())
        pos = np.arange(total) - np.repeat(offsets, counts) + np.repeat(self.gram_at[safe], counts)
        flags = (z["flags"][safe][:, None] >> np.arange(16)) & 1
        t = torch.from_numpy
        out = {"rows": t(z["rows"][safe].astype(np.int64)), "grams": t(z["grams"][pos].astype(np.int64)),
                "offsets": t(offsets), "counts": t(counts), "shape": t(z["shape"][safe].astype(np.int64)),
                "flags": t(flags.astype(np.float32)), "cluster": t(z["cluster"][safe].astype(np.int64)),
                "mask": t(mask.astype(np.float32)), "goal": t(z["goal"][safe].astype(np.int64))}
        if "tags" in z:
            sure = np.where(mask[:, None], z["sure"][safe], 0)
            out["asked"] = t((sure[:, 0] > 0).astype(np.float32))
            out["said"] = t(_logs(z["tags"][safe], sure))
        return out
