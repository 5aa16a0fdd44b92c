"""Encoded training data with what the encoder says of each token: what `small` learns from `large`.

Shards as of shards.py, under the same name.  Generated text is complete and right as it is labelled, so the encoder reads the
other sources only.
"""

import array

import numpy as np

from . import export_encoder, native, paths, shards
from .batches import MOST


class Encoder(shards.Encoder):
    """As its parent; for each token also the likeliest tags and their probabilities, 0 where nobody was asked."""

    def __init__(self, lexicon):
        super().__init__(lexicon)
        self.reader = native.Reader(paths.WEIGHTS / "large.bin")
        self.lean = export_encoder.lean().numpy()
        self.tags, self.sure = array.array("B"), array.array("f")

    def piece(self, source, tokens, goal):
        first = len(self.shape)
        super().piece(source, tokens, goal)
        count = len(tokens)
        if self.generated:
            self.tags.extend(bytes(count * MOST))
            self.sure.extend([0.0] * (count * MOST))
            return
        logits = self.reader(source, tokens, self.shape[first:], self.flags[first:]) - self.lean
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        best = np.argsort(-p, 1)[:, :MOST]
        self.tags.frombytes(best.astype(np.uint8).tobytes())
        self.sure.frombytes(np.take_along_axis(p, best, 1).astype(np.float32).tobytes())

    def arrays(self):
        return {**super().arrays(), "tags": np.array(self.tags, np.uint8).reshape(-1, MOST),
                "sure": np.array(self.sure, np.float16).reshape(-1, MOST)}
