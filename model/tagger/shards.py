"""Encoded training data: one shard holds every source once (by its weight) under fresh noise, and new generated text."""

import array
import random
import sys

import numpy as np

from . import corpus, noise, paths, swap, text
from .generate import documents
from .labels import BEGIN, LABEL_INDEX, LABELS, TAG_COUNT, tag  # noqa: F401
from .lexicon import Lexicon

# How often each source goes into a shard; by prefix, first match.
WEIGHTS = (("en/ewt", 1.6), ("en/crossner", 1.6), ("en/btc", 1.6), ("en/wnut17", 1.6), ("en/gum", 1.3), ("en/litbank", 0.6),
           ("en/slurp", 2.5), ("en/snips", 0.7), ("en/sgd", 0.4), ("en/biomed", 0.5), ("en/sec", 0.5), ("en/aci", 0.6),
           ("en/mts", 0.6), ("de/germeval14", 1.8), ("de/legal", 0.7), ("de/mobie", 0.8), ("de/europeana", 0.6),
           ("fr/litbank", 0.6), ("fr/europeana", 0.9), ("fr/echr", 2.5), ("es/meddocan", 1.2), ("es/echr", 2.5),
           ("it/wikinews", 1.0))
GENERATED = {"en": 1100000, "de": 650000, "fr": 550000, "es": 450000, "it": 700000}  # tokens
CHUNK = 280  # tokens of one piece
ANY = frozenset(("*",))


class Encoder:
    """Collects tokens as flat arrays."""
    NAME = "shard"
    generated = False  # whether what comes now is the generator's

    def __init__(self, lexicon):
        self.lexicon = lexicon
        self.rows, self.grams, self.flags, self.cluster, self.goal = (array.array("H") for _ in range(5))
        self.counts, self.shape = array.array("B"), array.array("B")
        self.ends = []
        self.goals = {}

    def _goal(self, g):
        key = ANY if g is None else g
        return self.goals.setdefault(key, len(self.goals))

    def piece(self, source, tokens, goal):
        for (a, b, kind, flag), g in zip(tokens, goal):
            h, rows, grams, shape = text.features(source[a:b], kind, flag)
            f, c = self.lexicon.get(h) if kind == text.WORD else (0, 0)
            self.rows.extend(rows)
            self.grams.extend(grams)
            self.counts.append(len(grams))
            self.shape.append(shape)
            self.flags.append(f)
            self.cluster.append(c)
            self.goal.append(self._goal(g))
        self.ends.append(len(self.shape))

    def record(self, rng, record):
        t, spans = record.text, record.spans
        if not self.generated:
            t, spans = swap.apply(rng, t, spans, record.lang, self.lexicon)
        t, spans = noise.apply(rng, t, spans)
        record = record._replace(text=t, spans=spans)
        tokens = text.tokenize(t)
        goal = corpus.allowed(record, tokens, self.lexicon)
        return t, tokens, goal

    def arrays(self):
        return {"rows": np.array(self.rows, np.uint16).reshape(-1, 2), "grams": np.array(self.grams, np.uint16),
                "counts": np.array(self.counts, np.uint8), "shape": np.array(self.shape, np.uint8),
                "flags": np.array(self.flags, np.uint16), "cluster": np.array(self.cluster, np.uint16),
                "goal": np.array(self.goal, np.uint16), "ends": np.array(self.ends, np.int64)}

    def save(self, path):
        keys = sorted(self.goals, key=self.goals.get)
        names = ["*" if k == ANY else str(k) if isinstance(k, int) else "|".join(sorted(k)) + "|" for k in keys]
        partial = path.with_name("new-" + path.name)  # train must not see half of it
        np.savez(partial, names=np.array(names), **self.arrays())
        partial.rename(path)


def _weight(source):
    return next((w for p, w in WEIGHTS if source.startswith(p)), 1.0)


def _cut(tokens, goal, rng):
    """Pieces of a long text; a span is never cut."""
    at = 0
    while at < len(tokens):
        end = min(len(tokens), at + rng.randint(CHUNK // 2, CHUNK))
        while end < len(tokens) and isinstance(goal[end], int) and (goal[end] - 1) % 4 in (1, 2):
            end += 1
        yield at, end
        at = end


def _real(encoder, rng, extra, only):
    groups = {}
    for r in corpus.records(paths.data(), "train", only):
        groups.setdefault(r.source, []).append(extra(r) if extra else r)
    for source, records in groups.items():
        w = _weight(source)
        i = 0
        while i < len(records):
            n = 1 if len(records[i].text) > 600 else rng.choice((1, 1, 1, 2, 3))
            batch = records[i:i + n]
            i += n
            for _ in range(int(w) + (rng.random() < w - int(w))):
                joined, tokens, goal = "", [], []
                for r in batch:
                    if joined:
                        joined += rng.choice((" ", " ", "\n"))
                    t, tk, g = encoder.record(rng, r)
                    tokens += [(a + len(joined), b + len(joined), k, f) for a, b, k, f in tk]
                    goal += g
                    joined += t
                # white space between records may add a break that no record knows
                fresh = text.tokenize(joined)
                if len(fresh) != len(tokens):
                    known = {t[0]: g for t, g in zip(tokens, goal)}
                    goal = [known.get(t[0], frozenset()) for t in fresh]
                for a, b in _cut(fresh, goal, rng):
                    encoder.piece(joined, fresh[a:b], goal[a:b])


def _generated(encoder, rng, seed, share):
    for lang, count in GENERATED.items():
        count = int(count * share)
        start = len(encoder.shape)
        for t, spans in documents(seed, lang):
            record = corpus.Record("", f"{lang}/generated", lang, t, spans, corpus.ALL)
            t, tokens, goal = encoder.record(rng, record)
            for a, b in _cut(tokens, goal, rng):
                encoder.piece(t, tokens[a:b], goal[a:b])
            if len(encoder.shape) - start > count:
                break


def build(seed, extra=None, only=None, share=1.0, kind=Encoder):
    """`kind`: of the encoder, which says for what network; `only`: names of sources, else all of them; `share`: of the usual amount of generated text."""
    rng = random.Random(seed)
    encoder = kind(Lexicon.load())
    _real(encoder, rng, extra, only)
    real = len(encoder.shape)
    encoder.generated = True
    _generated(encoder, rng, seed, share)
    path = paths.WORK / f"{encoder.NAME}-{seed:03}.npz"
    encoder.save(path)
    print(f"{path}: {real} tokens of sources, {len(encoder.shape) - real} generated, {len(encoder.goals)} goals",
          file=sys.stderr)
    return path
