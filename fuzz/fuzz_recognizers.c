/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The recognizers on any bytes.  Oracles: findings lie in the text, in order; a cut anywhere (the
 * first byte of the input says where) changes nothing; a second scan finds the same.
 */

#include <stdint.h>
#include <stdlib.h>

#include "detect/pattern/pattern.h"
#include "text/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void scan(sotto_span text, size_t cut, struct sotto_findings *out)
{
    static struct sotto_patterns *patterns;
    static struct sotto_patterns_scratch *scratch;
    if (patterns == NULL) {
        require(sotto_patterns_new(&patterns) == SOTTO_OK &&
                sotto_patterns_scratch_new(&scratch) == SOTTO_OK);
    }
    require(sotto_patterns_scan(patterns, scratch, text, 0, cut, out) == SOTTO_OK &&
            sotto_patterns_scan(patterns, scratch, text, cut, text.len, out) == SOTTO_OK);
    require(sotto_patterns_steps(scratch) <= 20000 + 4000 * text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    sotto_span text = sotto_span_init(data + 1, size - 1);
    struct sotto_findings whole = {0}, parts = {0};
    scan(text, text.len, &whole);
    for (size_t i = 0; i < whole.count; i++) {
        const struct sotto_finding *f = &whole.items[i];
        require(f->start < f->end && f->end <= text.len && f->score <= SOTTO_SCORE_MAX);
        require(i == 0 || whole.items[i - 1].start <= f->start);
    }
    if (sotto_utf8_valid(text, NULL)) {
        for (size_t i = 0; i < whole.count; i++) {
            require(sotto_utf8_boundary(text, whole.items[i].start) &&
                    sotto_utf8_boundary(text, whole.items[i].end));
        }
        scan(text, text.len * data[0] / 256, &parts);
        require(parts.count == whole.count &&
                (whole.count == 0 ||
                 memcmp(parts.items, whole.items, whole.count * sizeof(whole.items[0])) == 0));
    }
    sotto_findings_free(&whole);
    sotto_findings_free(&parts);
    return 0;
}
