"""Finds the leans: per label, what decoding adds in favour of finding it, so that F1.5 on the tuning split is best.

Coordinate ascent over a few values, through the C inference.  Each group of sources counts the same, so that large
ones do not decide.
"""

import json
import sys

import numpy as np

from . import corpus, evaluate, export, native, paths
from .lexicon import Lexicon

PATH = paths.WEIGHTS / "lean.json"
VALUES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
ROUNDS = 1
LIMIT = 150     # records of a group
LONGEST = 4000  # characters of a record
BETA = 1.5
LABELS_TUNED = ("PERSON", "LOCATION", "ORG", "DATE", "ID")


def load():
    return json.loads(PATH.read_text()) if PATH.exists() else {}


def _groups():
    for name, prefixes in evaluate.GROUPS:
        records = [r for r in corpus.records(paths.data(), "tune", prefixes) if len(r.text) < LONGEST]
        yield name, records[::max(1, len(records) // LIMIT)][:LIMIT]


def _score(records, found, label):
    """F-beta of one label: found means covered by any span, right means half inside any gold span."""
    gold = hit = pred = good = 0
    for r, spans in zip(records, found):
        cover, inside = bytearray(len(r.text)), bytearray(len(r.text))
        for a, b, *_ in spans:
            cover[a:b] = b"\1" * (b - a)
        for a, b, _ in r.spans:
            inside[a:b] = b"\1" * (b - a)
        for a, b, lb in r.spans:
            if lb == label:
                gold += 1
                hit += all(cover[i] for i in range(a, b) if r.text[i].isalnum())
        for a, b, lb, _ in spans:
            if lb == label and label in r.annotated:
                chars = [i for i in range(a, b) if r.text[i].isalnum()]
                pred += 1
                good += 2 * sum(inside[i] for i in chars) >= len(chars)
    if gold + pred < 10:
        return None
    r, p = hit / max(1, gold), good / max(1, pred)
    return 0.0 if not (p and r) else (1 + BETA ** 2) * p * r / (BETA ** 2 * p + r)


def run(name):
    file = paths.WORK / f"{name}.bin"
    export.write(evaluate.load(str(paths.WORK / f"{name}.pt")), Lexicon.load(), file)
    predict, groups = native.Native(file), list(_groups())
    lean = {}
    for _ in range(ROUNDS):
        for label in LABELS_TUNED:
            tried = []
            for x in VALUES:
                predict.set_lean({**lean, label: x})
                scores = [_score(records, list(predict([r.text for r in records])), label) for _, records in groups]
                scores = [s for s in scores if s is not None]
                tried.append((float(np.mean(scores)) if scores else 0.0, -abs(x), x))
            best = max(tried)
            lean[label] = best[2]
            print(f"{label}: lean {best[2]}, F{BETA} " + " ".join(f"{x:+.1f}:{s:.4f}" for s, _, x in tried), file=sys.stderr, flush=True)
    PATH.write_text(json.dumps(lean, indent=1) + "\n")
