/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_DETECT_NAMES_FINDER_H
#define TESTS_DETECT_NAMES_FINDER_H

/* Runs a finder that looks at the words of a text and compares what it finds. */

#include <string.h>

#include "base/alloc.h"
#include "detect/finding.h"
#include "detect/names/token.h"
#include "tap/tap.h"

#define FINDER_WORDS_MOST 64

typedef enum sotto_err finder(const struct names_tokens *t, size_t first, size_t limit,
                              struct sotto_findings *out);

static enum sotto_err find_in(finder *find, const char *text, struct sotto_findings *out)
{
    struct names_token token[FINDER_WORDS_MOST];
    static struct names_cache cache;
    struct names_tokens t = {.item = token};

    if (NAMES_TOKENS_FOR(strlen(text)) > FINDER_WORDS_MOST) {
        abort();
    }
    sotto_names_tokenize(sotto_span_str(text), 0, strlen(text), -1, &cache, &t);
    return find(&t, 0, t.count, out);
}

/* What is found in `text`, with commas between, is `want`. */
static void check_found(finder *find, const char *text, const char *want)
{
    struct sotto_findings out = {0};
    char got[128];
    size_t at = 0;

    IS_INT(find_in(find, text, &out), SOTTO_OK, "%s", text);
    for (size_t i = 0; i < out.count; i++) {
        at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%.*s", at == 0 ? "" : ",",
                               (int)(out.items[i].end - out.items[i].start),
                               text + out.items[i].start);
    }
    IS_TEXT(got, at, want, "found in %s", text);
    sotto_findings_free(&out);
}

/* Without memory for a finding the finder says so and gives none. */
static void check_failed_allocation(finder *find, const char *text)
{
    struct sotto_findings out = {0};

    (void)sotto_alloc_set_fault(1);
    enum sotto_err err = find_in(find, text, &out);
    (void)sotto_alloc_set_fault(0);
    IS_INT(err, SOTTO_ENOMEM, "no memory for a finding");
    IS_INT(out.count, 0, "gives none");
    sotto_findings_free(&out);
}

#endif
