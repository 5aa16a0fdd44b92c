"""Floating point against the C inference on the tuning split: how many spans are the same."""

import numpy as np
import torch

from . import corpus, evaluate, export, export_encoder, native, passages, paths, tune
from .lexicon import Lexicon

LIMIT = {"small": 200, "large": 40}  # records of a group


class Both(evaluate.Predictor):
    """As its parent; the numbers of a token are the mean of what the convolution and the encoder say."""

    def __init__(self, net, encoder, lexicon=None, lean=None):
        super().__init__(net, lexicon, lean)
        self.encoder = encoder
        self.encoder_lean = export_encoder.lean().numpy()

    def _read(self, source, tokens):
        """What the encoder says of each token."""
        encoded = passages.Encoder(self.lexicon)
        encoded.vocabulary = self.vocabulary = getattr(self, "vocabulary", encoded.vocabulary)
        encoded.piece(source, tokens, [None] * len(tokens))
        z = encoded.arrays()
        starts = np.concatenate(([0], z["ends"][:-1]))
        at = np.concatenate(([0], np.cumsum(z["counts"], dtype=np.int64)))
        with torch.no_grad():
            return self.encoder(passages.gather(z, at, range(len(starts)), starts)).numpy()

    def logits(self, sources):
        for source, (tokens, said) in zip(sources, super().logits(sources)):
            if tokens:
                said = (said + self._read(source, tokens) + self.encoder_lean) / 2
            yield tokens, said


def run(tagger):
    file, more = paths.WEIGHTS / "small.bin", paths.WEIGHTS / "large.bin"
    net, lexicon, lean = export.read(file, deeper=False), Lexicon.load(), tune.load()
    net.quant = True
    if tagger == "large":
        floating = Both(net, export_encoder.read(more).eval(), lexicon, lean)
        integer = native.Native(file, large=more, kind=2)
    else:
        floating, integer = evaluate.Predictor(net, lexicon, lean), native.Native(file)
    for group, prefixes in evaluate.GROUPS:
        records = list(corpus.records(paths.data(), "tune", prefixes))
        sources = [r.text for r in records[::max(1, len(records) // LIMIT[tagger])]][:LIMIT[tagger]]
        want = [{s[:3] for s in spans} for spans in floating(sources)]
        got = [{s[:3] for s in spans} for spans in integer(sources)]
        both = sum(len(a & b) for a, b in zip(want, got))
        print(f"{group:34s} float {sum(map(len, want))} integer {sum(map(len, got))} same {both}", flush=True)
