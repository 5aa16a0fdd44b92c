/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/detect/ner/small_model.h"

#include "base/alloc.h"
#include "detect/ner/tagger.h"

/*
 * A model file from a stranger.  A whole file is far larger than what a fuzzer likes to make, so the input
 * is a list of changes to a small valid one: two bytes of length in units of 64 that are cut off, then
 * three bytes of place and one of value each.  Size and checksum are set right again, else nothing behind
 * them would ever be reached.
 *
 * What opens must find the same with every kernel, and only valid spans.
 */

static const char text[] =
    "Dear Ms. Okafor,\nthe parcel for O'Brien-Smith went to 12 Elm Street on "
    "3/4/2024; call +1 555 0100.\n\n\xc3\x89lodie, 56yo";

static void tag(const struct sotto_tagger *tagger, struct sotto_findings *list)
{
    struct sotto_tag_job *job = NULL;
    bool done = false;

    if (sotto_tag_job_new(tagger, &job) != SOTTO_OK) {
        abort();
    }
    sotto_tag_begin(job, sotto_span_init(text, sizeof(text) - 1));
    if (sotto_tag_step(job, SIZE_MAX, list, &done) != SOTTO_OK || !done) {
        abort();
    }
    sotto_tag_job_free(job);
}

static void check(const struct sotto_findings *a, const struct sotto_findings *b)
{
    if (a->count != b->count ||
        (a->count != 0 && memcmp(a->items, b->items, a->count * sizeof(a->items[0])) != 0)) {
        abort(); /* the kernels disagree */
    }
    for (size_t i = 0; i < a->count; i++) {
        struct sotto_finding f = a->items[i];
        if (f.start >= f.end || f.end > sizeof(text) - 1 || f.score > SOTTO_SCORE_MAX ||
            f.label >= SOTTO_LABEL_COUNT || ((uint8_t)text[f.start] & 0xc0) == 0x80) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct small_model m = small_model_new(11);
    struct sotto_tagger *reference = NULL, *fastest = NULL;
    size_t cut = size >= 2 ? ((size_t)data[0] << 8 | data[1]) * 64 : 0;

    m.len -= cut < m.len - SMALL_AT_BODY ? cut : 0;
    for (size_t i = 2; i + 4 <= size; i += 4) {
        size_t at = (size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2];
        m.base[at % m.len] = data[i + 3];
    }
    small_seal(m.base, m.len);
    const struct sotto_tagger_files files = {.small = sotto_span_init(m.base, m.len)};
    if (sotto_tagger_open(&files, SOTTO_TAGGER_SMALL, "reference", &reference) == SOTTO_OK) {
        struct sotto_findings want = {0}, got = {0};
        if (sotto_tagger_open(&files, SOTTO_TAGGER_SMALL, NULL, &fastest) != SOTTO_OK) {
            abort();
        }
        tag(reference, &want);
        tag(fastest, &got);
        check(&want, &got);
        sotto_findings_free(&want);
        sotto_findings_free(&got);
    }
    sotto_tagger_free(reference);
    sotto_tagger_free(fastest);
    free(m.base);
    return 0;
}
