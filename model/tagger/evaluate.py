"""Predicts on held-back or tuning splits and prints score.py's figures per source and label."""

import collections
import re

import numpy as np
import torch

from . import corpus, decode, paths, text
from .labels import LABEL_INDEX, LABELS, TAG_COUNT
from .lexicon import Lexicon
from .network import REACH, Tagger

GROUPS = (("en clinical prompts", ("en/clinical-queries",)), ("en names news/web/encyclopaedia", ("en/ewt", "en/crossner", "en/gum")),
          ("en novels", ("en/litbank",)), ("en posts", ("en/wnut17", "en/btc")), ("en commands", ("en/slurp", "en/snips")),
          ("en chat slots", ("en/sgd",)), ("en biomed (negative)", ("en/biomed",)), ("de news, encyclopaedia", ("de/germeval14",)), ("de old news", ("de/europeana",)),
          ("de courts", ("de/legal",)), ("de traffic", ("de/mobie",)), ("fr courts", ("fr/echr",)), ("fr novels", ("fr/litbank",)),
          ("fr old news", ("fr/europeana",)), ("es clinical", ("es/meddocan",)), ("es courts", ("es/echr",)))


class Predictor:
    """The network in floating point.  `lean`: per label, added to its tags in decoding."""

    def __init__(self, net, lexicon=None, lean=None):
        self.net, self.lexicon = net.eval(), lexicon or Lexicon.load()
        self.lean = np.zeros(TAG_COUNT, np.float32)
        for label, value in (lean or {}).items():
            at = 1 + 4 * LABEL_INDEX[label]
            self.lean[at:at + 4] = value

    def batch(self, sources):
        rows, grams, counts, shape, flags, cluster, mask, tokens = [], [], [], [], [], [], [], []
        for source in sources:
            toks = text.tokenize(source)
            tokens.append(toks)
            for a, b, kind, flag in toks:
                h, r, g, s = text.features(source[a:b], kind, flag)
                f, c = self.lexicon.get(h) if kind == text.WORD else (0, 0)
                rows.append(r)
                grams.extend(g)
                counts.append(len(g))
                shape.append(s)
                flags.append(f)
                cluster.append(c)
                mask.append(1.0)
            for _ in range(REACH):
                rows.append((0, 0))
                counts.append(0)
                shape.append(0)
                flags.append(0)
                cluster.append(0)
                mask.append(0.0)
        t = torch.tensor
        counts_t = t(counts)
        offsets = torch.cat((t([0]), counts_t.cumsum(0)[:-1]))
        fl = ((np.array(flags)[:, None] >> np.arange(16)) & 1).astype(np.float32)
        return {"rows": t(rows), "grams": t(grams, dtype=torch.long), "offsets": offsets, "counts": counts_t, "shape": t(shape),
                "flags": torch.from_numpy(fl), "cluster": t(cluster), "mask": t(mask)}, tokens

    def logits(self, sources):
        batch, tokens = self.batch(sources)
        with torch.no_grad():
            out = self.net(batch).numpy()
        at = 0
        for toks in tokens:
            yield toks, out[at:at + len(toks)]
            at += len(toks) + REACH

    def __call__(self, sources):
        """Spans (start, end, label, score) of each text."""
        for source, (toks, lg) in zip(sources, self.logits(sources)):
            spans = []
            if len(toks):
                lg = lg + self.lean
                p = np.exp(lg - lg.max(1, keepdims=True))
                p /= p.sum(1, keepdims=True)
                floor = 0
                for first, last, k in decode.viterbi(lg):
                    cut = decode.trim(source, toks, first, last)
                    score = 1 - p[first:last + 1, 0].mean()
                    before, floor = floor, last + 1
                    if cut:
                        first, last = cut
                        if LABELS[k] == "PERSON":
                            first = decode.with_initials(source, toks, first, before)
                        spans.append((toks[first][0], toks[last][1], LABELS[k], round(float(score), 3)))
            yield spans


def _passes_hipaa(t, a, b, label, *_):
    """Whether the mode for health data lets a finding pass: ages below 90, bare years, occupations."""
    return label in ("AGE", "OCCUPATION", "NRP") or label == "DATE" and re.fullmatch(r"\d{4}", t[a:b]) is not None


class Tally:
    """score.py's counts."""

    def __init__(self):
        self.c = collections.Counter()
        self.label = collections.defaultdict(lambda: [0, 0])

    def add(self, t, gold, annotated, pred):
        c = self.c
        cover, inside = bytearray(len(t)), bytearray(len(t))
        for a, b, *_ in pred:
            cover[a:b] = b"\1" * (b - a)
        for a, b, _ in gold:
            inside[a:b] = b"\1" * (b - a)
        c["words"] += len(t.split())
        c["marked"] += sum(cover[m.start()] for m in re.finditer(r"\S+", t))
        clean = True
        for a, b, lb in gold:
            hit = all(cover[i] for i in range(a, b) if t[i].isalnum())
            c["gold"] += 1
            c["strict"] += hit
            clean &= hit
            self.label[lb][0] += hit
            self.label[lb][1] += 1
        if gold:
            c["records"] += 1
            c["clean"] += clean
        else:
            c["empty"] += 1
            c["untouched"] += not pred
            c["untouched_hipaa"] += all(_passes_hipaa(t, *p) for p in pred)
        for a, b, lb, *_ in pred:
            chars = [i for i in range(a, b) if t[i].isalnum()]
            good = 2 * sum(inside[i] for i in chars) >= len(chars)
            c["all"] += 1
            c["all_good"] += good
            if lb in annotated:
                c["pred"] += 1
                c["good"] += good

    def found(self, label):
        return f"{self.label[label][0] / self.label[label][1]:.3f}" if label in self.label else "-"

    def line(self):
        c = self.c
        r = lambda a, b: f"{c[a] / c[b]:.3f}" if c[b] else "  -  "  # noqa: E731
        labels = " ".join(f"{k} {v[0] / v[1]:.3f}/{v[1]}" for k, v in sorted(self.label.items()))
        return (f"strict {r('strict', 'gold')} prec {r('good', 'pred')} prec_all {r('all_good', 'all')} clean {r('clean', 'records')} "
                f"untouched {r('untouched', 'empty')} (hipaa {r('untouched_hipaa', 'empty')}) marked {r('marked', 'words')} | {labels}")


def _measure(predictor, records):
    """(all labels, names only) of one group."""
    full, person = Tally(), Tally()
    for i in range(0, len(records), 64):
        part = records[i:i + 64]
        for r, spans in zip(part, predictor([r.text for r in part])):
            gold = [s for s in r.spans if s[2] and any(ch.isalnum() for ch in r.text[s[0]:s[1]])]
            full.add(r.text, gold, r.annotated or {s[2] for s in gold}, spans)
            person.add(r.text, [s for s in gold if s[2] == "PERSON"], {"PERSON"}, [s for s in spans if s[2] == "PERSON"])
    return full, person


def _markdown(rows):
    f = lambda c, a, b: f"{c[a] / c[b]:.3f}" if c[b] else "-"  # noqa: E731
    print("| kind of text | spans | strict | prec | prec_all | names: strict | names: prec | untouched | words marked |\n"
          "|---|---|---|---|---|---|---|---|---|")
    for name, full, person in rows:
        c, n = full.c, person.c
        print(f"| {name} | {c['gold']} | {f(c, 'strict', 'gold')} | {f(c, 'good', 'pred')} | {f(c, 'all_good', 'all')} | "
              f"{full.found('PERSON')} | {f(n, 'good', 'pred')} | {f(c, 'untouched', 'empty')} | {f(c, 'marked', 'words')} |")
    print("\n| kind of text | " + " | ".join(LABELS[:8]) + " | ID | PHONE | EMAIL |\n|---" + "|---" * 11 + "|")
    for name, full, _ in rows:
        if full.label:
            print(f"| {name} | " + " | ".join(full.found(lb) + (f" of {full.label[lb][1]}" if lb in full.label else "")
                                              for lb in LABELS[:8] + ("ID", "PHONE", "EMAIL")) + " |")


def run(predictor, split, only=None, limit=None, markdown=False):
    rows = []
    for name, prefixes in GROUPS:
        if only and only not in name:
            continue
        records = list(corpus.records(paths.data(), "tune" if "clinical-queries" in prefixes[0] else split, prefixes))
        if limit and len(records) > limit:
            records = records[::max(1, len(records) // limit)][:limit]
        full, person = _measure(predictor, records)
        if full.c["words"]:
            rows.append((name, full, person))
            if not markdown:
                n = person.c
                print(f"{name:34s} {full.line()}\n{'':34s} PERSON strict {full.found('PERSON')} prec "
                      f"{n['good'] / max(1, n['pred']):.3f} found per 1000 words {1000 * n['pred'] / n['words']:.1f}", flush=True)
    if markdown:
        _markdown(rows)


def load(path, quant=True):
    net = Tagger()
    net.load_state_dict(torch.load(path)["net"])
    net.quant = quant
    return net
