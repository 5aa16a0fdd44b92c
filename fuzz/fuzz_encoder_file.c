/* SPDX-License-Identifier: Apache-2.0 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../tests/detect/ner/small_encoder.h"

#include "detect/ner/reading.h"

/*
 * A file of an encoder from a stranger.  A whole file is far larger than what a fuzzer likes to
 * make, so the input is a list of changes to a small valid one: two bytes of length in units of 64
 * that are cut off, then three bytes of place and one of value each.  Size and checksum are set
 * right again, and so are the sums of the weights, else nothing behind them would ever be reached;
 * a first byte of 255 cuts nothing off and leaves the sums alone.
 *
 * What opens must give the same numbers with every kernel and in every step, within their limits.
 */

static const char text[] =
    "Dear Okafor,\n1234 Elm abab-abcbcd zzz. \xc3\x89lodie e56 \n\n. the the 12a";

static int32_t want[SOTTO_NER_PIECES][SOTTO_NER_HEAD];
static int32_t got[SOTTO_NER_PIECES][SOTTO_NER_HEAD];

static size_t read_all(const struct sotto_ner_encoder *encoder, size_t macs,
                       int32_t out[SOTTO_NER_PIECES][SOTTO_NER_HEAD])
{
    struct sotto_ner_cursor cursor = {.text = SOTTO_LIT(text), .space = true};
    struct sotto_ner_token token;
    struct sotto_ner_reading *r = NULL;

    if (sotto_ner_reading_new(encoder, &r) != SOTTO_OK) {
        abort();
    }
    while (sotto_ner_next(&cursor, &token) &&
           sotto_ner_reading_add(r, cursor.text, token.start, token.end, token.kind, token.shape,
                                 (uint16_t)token.hash)) {
    }
    while (!sotto_ner_reading_run(r, macs)) {
    }
    size_t count = sotto_ner_reading_count(r);
    for (size_t i = 0; i < count; i++) {
        sotto_ner_reading_logits(r, i, out[i]);
    }
    sotto_ner_reading_free(r);
    return count;
}

static void check(sotto_span file, const struct sotto_ner_encoder *reference)
{
    struct sotto_ner_encoder *fastest = NULL;

    if (sotto_ner_encoder_open(file, true, NULL, &fastest) != SOTTO_OK) {
        abort();
    }
    size_t count = read_all(reference, SIZE_MAX, want);
    if (read_all(fastest, 100000, got) != count ||
        memcmp(want, got, count * sizeof(want[0])) != 0) {
        abort(); /* the kernels disagree */
    }
    for (size_t i = 0; i < count * SOTTO_NER_HEAD; i++) {
        int32_t x = want[i / SOTTO_NER_HEAD][i % SOTTO_NER_HEAD];
        if (x < -SOTTO_NER_LOGIT_MAX || x > SOTTO_NER_LOGIT_MAX) {
            abort();
        }
    }
    sotto_ner_encoder_free(fastest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct small_encoder e = small_encoder_new(11);
    struct sotto_ner_encoder *reference = NULL;
    size_t cut = size >= 2 && data[0] != 255 ? ((size_t)data[0] << 8 | data[1]) * 64 : 0;

    e.len -= cut < e.len - SMALL_ENCODER_AT_BODY ? cut : 0;
    for (size_t i = 2; i + 4 <= size; i += 4) {
        size_t at = (size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2];
        e.base[at % e.len] = data[i + 3];
    }
    if (cut == 0 && size != 0 && data[0] != 255) {
        small_encoder_sums(&e);
    }
    small_encoder_seal(e.base, e.len);
    sotto_span file = sotto_span_init(e.base, e.len);
    if (sotto_ner_encoder_open(file, false, "reference", &reference) == SOTTO_OK) {
        check(file, reference);
    }
    sotto_ner_encoder_free(reference);
    free(e.base);
    return 0;
}
