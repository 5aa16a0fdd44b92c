"""Writes tests/detect/ner/golden.txt: invented sentences, their tokens as text.py sees them, and the spans of the network in
floating point.  The C tests read it: tokens must be equal, spans nearly all."""

import itertools

from . import evaluate, paths, text
from .generate import documents
from .lexicon import Lexicon

ODD = ["", " ", "\n", "a", "\u200b", "Dr. María O’Brien-Smith, 56yo M…\n\nMRN 00123456;  Pаul Jоnes",
       "Zoe\u0308 Mu\u0308ller und ZOË MÜLLER", "Ann\u200ba Ka\u00adrenina", "ПЕТР Иванов, Ελένη Παπαδοπούλου", "王小明 lives in 北京",
       "İstanbul ıspanak STRASSE Straße", "ＡＢＣ１２３ ﬁne", "x" * 200, "1" * 150, "!" * 130 + "?!?!", "a\r\nb\r\n\r\nc\u2028d\u0085e",
       "😀😀 Tom🙂Ann", "٣٤٥ numbers", "\ufeffBOM\u202eRLO", "e\u0301" * 70, "A-B_C/D\\E|F", "«Citation» „Zitat“ ‘x’ — – ‐"]


def _escape(s):
    return s.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t").replace("\0", "\\0")


def _lines(source, spans):
    at = [0]
    for c in source:
        at.append(at[-1] + len(c.encode()))
    yield "text\t" + _escape(source)
    for a, b, kind, flag in text.tokenize(source):
        h, _, grams, shape = text.features(source[a:b], kind, flag)
        yield f"token\t{at[a]}\t{at[b]}\t{h:08x}\t{shape}\t{len(grams)}\t{sum(grams)}"
    for a, b, label, *_ in spans:
        yield f"span\t{at[a]}\t{at[b]}\t{label}"


def write(net, lean):
    sources = list(ODD)
    for lang, n in (("en", 30), ("de", 14), ("fr", 12), ("es", 12), ("it", 12)):
        sources += [t for t, _ in itertools.islice(documents("golden", lang), n)]
    sources.append(" ".join(t for t, _ in itertools.islice(documents("golden long", "en"), 40)))  # several windows
    predict = evaluate.Predictor(net, Lexicon.load(), lean=lean)
    out = ["# Written by `python -m tagger export` in model/; invented text."]
    for source, spans in zip(sources, predict(sources)):
        out += _lines(source, spans)
    path = paths.MODEL.parent / "tests" / "detect" / "ner" / "golden.txt"
    path.write_text("\n".join(out) + "\n", encoding="utf-8")
