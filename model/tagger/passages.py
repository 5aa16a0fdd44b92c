"""Encoded training data for the encoder: passages of word pieces, from the same sources as the shards of `small`."""

import array

import numpy as np
import torch

from . import encoder, pieces, shards, text
from .batches import goal_table


class Encoder(shards.Encoder):
    """As its parent, but keeps pieces in place of hashed features."""
    NAME = "passages"

    def __init__(self, lexicon):
        super().__init__(lexicon)
        self.vocabulary = encoder.vocabulary()
        self.ids = array.array("H")

    def piece(self, source, tokens, goal):
        ids = [self.vocabulary.pieces(source[a:b], kind) for a, b, kind, _ in tokens]
        for first, behind in pieces.passages(source, tokens, list(map(len, ids))):
            for i in range(first, behind):
                a, b, kind, flag = tokens[i]
                h, _, _, shape = text.features(source[a:b], kind, flag)
                self.ids.extend(ids[i])
                self.counts.append(len(ids[i]))
                self.shape.append(shape)
                self.flags.append(self.lexicon.get(h)[0] if kind == text.WORD else 0)
                self.goal.append(self._goal(goal[i]))
            self.ends.append(len(self.shape))

    def arrays(self):
        return {"ids": np.array(self.ids, np.uint16), "counts": np.array(self.counts, np.uint8),
                "shape": np.array(self.shape, np.uint8), "flags": np.array(self.flags, np.uint16),
                "goal": np.array(self.goal, np.uint16), "ends": np.array(self.ends, np.int64)}


def gather(z, pieces_at, order, starts):
    """One batch of the passages `order`: padded to the longest."""
    sizes = [int(pieces_at[z["ends"][p]] - pieces_at[starts[p]]) + 2 for p in order]
    wide = (max(sizes) + 15) // 16 * 16
    ids = np.zeros((len(order), wide), np.int64)
    firsts, rows = [], []
    for row, (p, size) in enumerate(zip(order, sizes)):
        a, b = starts[p], z["ends"][p]
        ids[row, 0], ids[row, size - 1] = pieces.BEGIN, pieces.END
        ids[row, 1:size - 1] = z["ids"][pieces_at[a]:pieces_at[b]]
        firsts.append(row * wide + 1 + pieces_at[a:b] - pieces_at[a])
        rows.append(np.arange(a, b))
    rows = np.concatenate(rows)
    t = torch.from_numpy
    flags = (z["flags"][rows][:, None] >> np.arange(text.FLAG_ROWS)) & 1
    out = {"ids": t(ids), "firsts": t(np.concatenate(firsts)), "shape": t(z["shape"][rows].astype(np.int64)),
           "flags": t(flags.astype(np.float32)), "rows": t(rows)}
    if "goal" in z:
        out["goal"] = t(z["goal"][rows].astype(np.int64))
    return out


class Shard:
    def __init__(self, path):
        z = np.load(path)
        self.z = {k: z[k] for k in z.files if k != "names"}
        self.table = goal_table([str(n) for n in z["names"]])
        self.starts = np.concatenate(([0], self.z["ends"][:-1]))
        self.at = np.concatenate(([0], np.cumsum(self.z["counts"], dtype=np.int64)))

    def tokens(self):
        return len(self.z["shape"])

    def batches(self, rng, size):
        """Passages of like length together, about `size` pieces a batch."""
        lengths = self.at[self.z["ends"]] - self.at[self.starts] + 2
        order = np.lexsort((rng.random(len(lengths)), (lengths + 15) // 16))
        wide = (lengths[order] + 15) // 16 * 16
        cut = np.cumsum(wide) // size
        ends = np.searchsorted(cut, np.arange(cut[-1] + 2))
        for k in rng.permutation(int(cut[-1]) + 1):
            if ends[k] < ends[k + 1]:
                yield gather(self.z, self.at, order[ends[k]:ends[k + 1]], self.starts)
