"""Labels the unlabelled Italian news with what the program finds there without the tagger: recognizers, lists and cues.

What they are sure of is taught; every other word with a capital is left unknown, not outside, but for ordinary words that begin a
sentence.
"""

import ctypes
import json
import os
import re
import subprocess
import sys

from . import corpus, paths, text
from .flags import FLAG
from .labels import LABELS
from .lexicon import Lexicon

SURE = {"PERSON": 0.7, "LOCATION": 0.59, "ORG": 0.5, "DATE": 0.5, "AGE": 0.5}
SURE_OF_ONE_WORD = 0.9
SENTENCE_START = re.compile(r"(?:^|[.!?:»\"“”]\s*|\n\s*)$")

SOURCE = r"""
#include "detect/detect.h"
__attribute__((visibility("default")))
long teach_run(const void *text, size_t len, uint32_t *out, size_t room)
{
    static struct sotto_detector *detector;
    static struct sotto_detect_job *job;
    struct sotto_detector_options options = {.tagger = SOTTO_DETECT_NONE};
    bool done = false;
    if (job == NULL && (sotto_detector_new(&options, &detector, NULL) != SOTTO_OK ||
                        sotto_detect_job_new(detector, &job) != SOTTO_OK)) return -1;
    sotto_detect_begin(job, sotto_span_init(text, len));
    sotto_detect_language(job, sotto_span_str("it"));
    if (sotto_detect_step(job, SIZE_MAX, &done) != SOTTO_OK) return -1;
    const struct sotto_findings *list = sotto_detect_result(job);
    size_t n = list->count < room ? list->count : room;
    for (size_t i = 0; i < n; i++) {
        out[4 * i] = list->items[i].start; out[4 * i + 1] = list->items[i].end;
        out[4 * i + 2] = list->items[i].label; out[4 * i + 3] = list->items[i].score;
    }
    return (long)n;
}
"""


def _library():
    """Links what `make` has built."""
    root = paths.MODEL.parent
    glue, out = paths.WORK / "teach.c", paths.WORK / "libteach.so"
    glue.write_text(SOURCE)
    archives = [str(root / "build" / "src" / part / f"lib{part}.a") for part in ("detect", "crypto", "text", "base")]
    found = {**os.environ, "PKG_CONFIG_PATH": f"{os.environ.get('SOTTO_DEPS', root / '.deps')}/lib/pkgconfig"}
    libraries = subprocess.run(["pkg-config", "--libs", "--static", "libcrypto", "libpcre2-8", "libutf8proc"], env=found,
                               capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-shared", "-fPIC", "-I", str(root / "src"), "-o", str(out), str(glue),
                    "-Wl,--start-group", *archives, "-Wl,--end-group", *libraries, "-lm"], check=True)
    return ctypes.CDLL(str(out))


def _findings(lib, source):
    raw = source.encode()
    room = max(16, len(raw))
    out = (ctypes.c_uint32 * (4 * room))()
    for i in range(lib.teach_run(raw, ctypes.c_size_t(len(raw)), out, ctypes.c_size_t(room))):
        a, b, label, score = out[4 * i:4 * i + 4]
        yield len(raw[:a].decode()), len(raw[:b].decode()), LABELS[label], score / 1000


def _is_sure(words, label, score):
    if label == "PERSON" and " " not in words and score < SURE_OF_ONE_WORD:
        return False
    return score >= SURE.get(label, 2)


def _judge(source, found, lexicon):
    spans, taken = [], bytearray(len(source) + 1)
    for a, b, label, score in found:
        spans.append((a, b, label if _is_sure(source[a:b], label, score) else None))
        taken[a:b] = b"\1" * (b - a)
    for a, b, kind, flag in text.tokenize(source):
        if kind != text.WORD or not source[a].isupper() or any(taken[a:b]):
            continue
        flags = lexicon.get(text.features(source[a:b], kind, flag)[0])[0]
        if not (flags & FLAG["COMMON"] and SENTENCE_START.search(source[max(0, a - 4):a])):
            spans.append((a, b, None))
    return sorted(spans, key=lambda s: s[:2])


def run():
    lib, lexicon = _library(), Lexicon.load()
    lib.teach_run.restype = ctypes.c_long
    path = paths.WORK / "taught-it.jsonl"
    records = list(corpus.records(paths.data(), "train", ["it/wikinews"]))
    with open(path, "w", encoding="utf-8") as f:
        for i, r in enumerate(records):
            f.write(json.dumps({"id": r.id, "spans": _judge(r.text, _findings(lib, r.text), lexicon)}) + "\n")
            if i % 500 == 0:
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
