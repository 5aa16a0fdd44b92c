"""Finds the leans: per label, what decoding adds in favour of finding it, so that F2 on the tuning split is best.

Coordinate ascent over a few values, on logits that are computed once.  Each group of sources counts the same, so that
large ones do not decide.
"""

import json
import sys

import numpy as np

from . import corpus, decode, evaluate, paths
from .labels import LABEL_INDEX, LABELS, TAG_COUNT

PATH = paths.WEIGHTS / "lean.json"
VALUES = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
ROUNDS = 2
LIMIT = 220     # records of a group
BETA = 2.0
LABELS_TUNED = ("PERSON", "LOCATION", "ORG", "DATE", "ADDRESS", "ID", "AGE")


def load():
    return json.loads(PATH.read_text()) if PATH.exists() else {}


def _collect(net):
    """[(group, [(record, tokens, logits)])]"""
    predict = evaluate.Predictor(net)
    out = []
    for name, prefixes in evaluate.GROUPS:
        records = list(corpus.records(paths.data(), "tune", prefixes))
        records = records[::max(1, len(records) // LIMIT)][:LIMIT]
        items = []
        for i in range(0, len(records), 64):
            part = [r for r in records[i:i + 64] if len(r.text) < 8000]
            items += [(r, t, lg) for r, (t, lg) in zip(part, predict.logits([r.text for r in part]))]
        out.append((name, items))
        print(f"{name}: {len(items)} records", file=sys.stderr)
    return out


def _spans(record, tokens, logits, lean):
    for first, last, k in decode.viterbi(logits + lean) if len(tokens) else ():
        cut = decode.trim(record.text, tokens, first, last)
        if cut:
            yield tokens[cut[0]][0], tokens[cut[1]][1], LABELS[k]


def _score(group, lean, label):
    """F-beta of one label: found means covered by any span, right means half inside any gold span."""
    gold = hit = pred = good = 0
    for record, tokens, logits in group:
        spans = list(_spans(record, tokens, logits, lean))
        t = record.text
        cover, inside = bytearray(len(t)), bytearray(len(t))
        for a, b, _ in spans:
            cover[a:b] = b"\1" * (b - a)
        for a, b, _ in record.spans:
            inside[a:b] = b"\1" * (b - a)
        for a, b, lb in record.spans:
            if lb == label:
                gold += 1
                hit += all(cover[i] for i in range(a, b) if t[i].isalnum())
        for a, b, lb in spans:
            if lb == label and label in record.annotated:
                chars = [i for i in range(a, b) if t[i].isalnum()]
                pred += 1
                good += 2 * sum(inside[i] for i in chars) >= len(chars)
    return gold, hit, pred, good


def _f(counts):
    gold, hit, pred, good = counts
    if gold + pred < 10:
        return None
    r, p = hit / max(1, gold), good / max(1, pred)
    return 0.0 if not (p and r) else (1 + BETA ** 2) * p * r / (BETA ** 2 * p + r)


def run(name):
    groups = _collect(evaluate.load(str(paths.WORK / f"{name}.pt")))
    lean = {label: 0.0 for label in LABELS}

    def vector(values):
        v = np.zeros(TAG_COUNT, np.float32)
        for label, x in values.items():
            at = 1 + 4 * LABEL_INDEX[label]
            v[at:at + 4] = x
        return v

    for _ in range(ROUNDS):
        for label in LABELS_TUNED:
            tried = []
            for x in VALUES:
                v = vector({**lean, label: x})
                scores = [s for s in (_f(_score(items, v, label)) for _, items in groups) if s is not None]
                tried.append((float(np.mean(scores)) if scores else 0.0, -abs(x), x))
            best = max(tried)
            lean[label] = best[2]
            print(f"{label}: lean {best[2]} F2 {best[0]:.4f} (" + " ".join(f"{x}:{s:.3f}" for s, _, x in tried) + ")", file=sys.stderr, flush=True)
    PATH.write_text(json.dumps(lean, indent=1) + "\n")
