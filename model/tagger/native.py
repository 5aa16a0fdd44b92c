"""The C inference as a Predictor: builds src/detect/ner into a shared library and calls it."""

import ctypes
import os
import subprocess

import numpy as np

from . import export, paths
from .labels import LABELS, TAG_COUNT

SOURCE = r"""
#include <stdio.h>
#include "detect/ner/passage.h"
#include "detect/ner/tagger.h"
#include "detect/rule.h"
#include "base/alloc.h"
__attribute__((visibility("default")))
void *native_open(const void *file, size_t len, const void *large, size_t large_len, int kind, const char *kernels)
{
    struct sotto_tagger *t = NULL;
    const struct sotto_tagger_files files = {sotto_span_init(file, len), sotto_span_init(large, large_len)};
    return sotto_tagger_open(&files, kind, kernels, &t) == SOTTO_OK ? t : NULL;
}
__attribute__((visibility("default")))
long native_run(void *tagger, const void *text, size_t len, size_t budget, uint32_t *out, size_t room)
{
    struct sotto_tag_job *job;
    struct sotto_findings list = {0};
    bool done = false;
    if (sotto_tag_job_new(tagger, &job) != SOTTO_OK) return -1;
    sotto_tag_begin(job, sotto_span_init(text, len));
    while (!done) if (sotto_tag_step(job, budget, &list, &done) != SOTTO_OK) return -1;
    size_t n = 0;
    for (size_t i = 0; i < list.count && n < room; i++) {
        const struct sotto_finding *f = &list.items[i];
        if (f->rule == SOTTO_RULE_TAGGER_HINT) continue;
        out[4 * n] = f->start; out[4 * n + 1] = f->end;
        out[4 * n + 2] = f->label; out[4 * n++ + 3] = f->score;
    }
    sotto_findings_free(&list);
    sotto_tag_job_free(job);
    return (long)n;
}
__attribute__((visibility("default")))
void *native_reader(const void *file, size_t len)
{
    struct sotto_ner_encoder *encoder;
    struct sotto_ner_reading *reading;
    if (sotto_ner_encoder_open(sotto_span_init(file, len), false, NULL, &encoder) != SOTTO_OK) return NULL;
    return sotto_ner_reading_new(encoder, &reading) == SOTTO_OK ? reading : NULL;
}
__attribute__((visibility("default")))
void native_read(void *reading, const void *text, size_t len, const struct sotto_ner_place *places, size_t count, int32_t *out)
{
    for (size_t at = 0; at < count;) {
        size_t n = sotto_ner_passage(reading, sotto_span_init(text, len), places + at, count - at, true);
        while (!sotto_ner_reading_run(reading, SIZE_MAX)) {}
        for (size_t i = 0; i < n; i++) sotto_ner_reading_logits(reading, i, out + (at + i) * SOTTO_NER_HEAD);
        at += n;
    }
}
"""

PLACE = np.dtype([("start", "u4"), ("end", "u4"), ("flags", "u2"), ("kind", "u1"), ("sign", "u1"), ("shape", "u1"), ("", "V3")])
HEAD = 64  # numbers of a token


def library():
    root = paths.MODEL.parent
    src = root / "src"
    out = paths.WORK / "libner.so"
    glue = paths.WORK / "native.c"
    glue.write_text(SOURCE)
    weights = paths.WORK / "no_weights.c"  # the program's own are not needed: a file is opened
    weights.write_text("__attribute__((aligned(64))) const unsigned char sotto_ner_small_begin[64], "
                       "sotto_ner_small_end[1], sotto_ner_large_begin[64], sotto_ner_large_end[1];\n")
    files = [str(p) for p in sorted((src / "detect" / "ner").glob("*.c"))]
    files += [str(src / "detect" / "finding.c"), str(src / "base" / "alloc.c"), str(src / "text" / "utf8.c"), str(glue), str(weights)]
    files += [str(src / "crypto" / name) for name in ("crypto.c", "hash.c")]
    # The program's own OpenSSL, where the build has put one.
    found = {**os.environ, "PKG_CONFIG_PATH": f"{os.environ.get('SOTTO_DEPS', root / '.deps')}/lib/pkgconfig"}
    openssl = subprocess.run(["pkg-config", "--cflags", "--libs", "--static", "libcrypto"], env=found,
                             capture_output=True, text=True, check=True).stdout.split()
    subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-I", str(src),
                    "-o", f"{out}.{os.getpid()}", *files, "-lutf8proc", *openssl], check=True)
    os.replace(f"{out}.{os.getpid()}", out)  # another stage may run at the same time
    return ctypes.CDLL(str(out))


def _aligned(file):
    """(memory, where a copy of the file stands in it): the memory must be kept."""
    raw = file.read_bytes()
    memory = ctypes.create_string_buffer(len(raw) + 64)
    at = ctypes.addressof(memory) + (-ctypes.addressof(memory)) % 64
    ctypes.memmove(at, raw, len(raw))
    return memory, at


class Reader:
    """The encoder alone: the numbers of each token of a text."""

    def __init__(self, file):
        self.lib = library()
        self.lib.native_reader.restype = ctypes.c_void_p
        self.lib.native_read.restype = None
        self.memory, at = _aligned(file)
        self.reading = self.lib.native_reader(ctypes.c_void_p(at), ctypes.c_size_t(file.stat().st_size))
        if not self.reading:
            raise SystemExit(f"{file}: not a file of an encoder that this build reads")

    def __call__(self, source, tokens, shapes, flags):
        """[tokens, tags], natural logarithms; `tokens` as of text.tokenize()."""
        at = np.zeros(len(source) + 1, np.uint32)
        points = np.frombuffer(source.encode("utf-32-le"), np.uint32)
        np.cumsum(1 + (points > 0x7F) + (points > 0x7FF) + (points > 0xFFFF), out=at[1:])
        raw, places = source.encode(), np.zeros(len(tokens), PLACE)
        places["start"], places["end"] = at[[t[0] for t in tokens]], at[[t[1] for t in tokens]]
        places["kind"], places["shape"], places["flags"] = [t[2] for t in tokens], shapes, flags
        places["sign"] = [raw[s] for s in places["start"]]
        out = np.zeros((len(tokens), HEAD), np.int32)
        self.lib.native_read(ctypes.c_void_p(self.reading), raw, ctypes.c_size_t(len(raw)), places.ctypes.data_as(ctypes.c_void_p),
                             ctypes.c_size_t(len(tokens)), out.ctypes.data_as(ctypes.c_void_p))
        return out[:, :TAG_COUNT] / 256


class Native:
    """`large`: the encoder's file; `kind`: 0 without it, 1 where the convolution is unsure, 2 everywhere."""

    def __init__(self, file, kernels=None, budget=1 << 60, large=None, kind=0):
        self.lib = library()
        self.lib.native_open.restype = ctypes.c_void_p
        self.lib.native_run.restype = ctypes.c_long
        raw, (memory, at) = file.read_bytes(), _aligned(file)
        other, large_at = _aligned(large) if large else (None, 0)
        self.memory, more = (memory, other), (large_at, large.stat().st_size if large else 0)
        self.tagger = self.lib.native_open(ctypes.c_void_p(at), ctypes.c_size_t(len(raw)), ctypes.c_void_p(more[0]),
                                           ctypes.c_size_t(more[1]), kind, kernels.encode() if kernels else None)
        if not self.tagger:
            raise SystemExit(f"{file}: not a model file that this build reads")
        self.budget = budget
        self.leans = at + export.lean_offset(raw)

    def set_lean(self, lean):
        """Changes the leans in place, for tuning: {label: natural logarithm of odds}."""
        for i, label in enumerate(LABELS):
            ctypes.c_int32.from_address(self.leans + 4 * i).value = round(256 * lean.get(label, 0.0))

    def __call__(self, sources):
        for source in sources:
            raw = source.encode()
            room = max(16, len(raw))
            out = (ctypes.c_uint32 * (4 * room))()
            n = self.lib.native_run(ctypes.c_void_p(self.tagger), raw, ctypes.c_size_t(len(raw)),
                                    ctypes.c_size_t(self.budget), out, ctypes.c_size_t(room))
            spans, at, chars = [], 0, 0
            for i in range(n):
                a, b, label, score = out[4 * i:4 * i + 4]
                chars += len(raw[at:a].decode())
                end = chars + len(raw[a:b].decode())
                spans.append((chars, end, LABELS[label], score / 1000))
                at, chars = b, end
            yield spans
