/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Hostile texts: for each pattern of repetition the number of steps at doubled length is at most
 * doubled (and a little), and at no length more than a constant for each byte.
 */

#include "base/alloc.h"
#include "marked.h"

#define LINEAR_BYTES    20000
#define LINEAR_PER_BYTE 300

static const char *const pieces[] = {
    "1",
    "12 ",
    "1-",
    "1.",
    "1 1",
    "4111 ",
    "@",
    "a@",
    "a.",
    "a@b.",
    "www.",
    "http://",
    "http://a/(",
    "+",
    "+1 ",
    "(0",
    "(01)",
    "(01)00844588003288(21)",
    "(01)00844588003288",
    "::",
    "a:",
    "0:",
    "ab-",
    "AB12-",
    "-----BEGIN PRIVATE KEY-----",
    "eyJ",
    "eyJaaaaaaaa.",
    "password=",
    "password",
    "key=",
    "MRN ",
    "MRN: 1 ",
    "12 Main ",
    "12 main Street, ",
    "Via Roma, ",
    "Calle ",
    "May ",
    "May 1, ",
    "aged 9 ",
    "9 years ",
    "<",
    "P<",
    "A",
    "aB",
    "0x",
    "1A",
    "bc1q",
    "\xc3\xa9",
    "\xe2\x80\x8b",
    "\xef\xbc\x91",
    "\xe6\x82\xa3",
    "'",
    "12, rue ",
    "8001 Z\xc3\xbcrich ",
    "DE89 3704 ",
    "no. no. no. ",
    "username: ",
    "ghp_",
    "sk-",
    "PO Box 1, ",
    "123-45-6789 ",
    ", 1",
    "\n",
    " ",
    "number ",
    "Bearer ",
    "CHE-",
    ("Stra\xc3\x9f"
     "e 1 "),
    "12 a b c ",
    "=",
    "\"",
    "1e1e",
    "%40",
};

static size_t steps_of(const struct sotto_patterns *patterns, const char *piece, size_t len)
{
    struct sotto_patterns_scratch *scratch;
    struct sotto_findings found = {0};
    char *text = sotto_alloc(len);
    size_t n = strlen(piece);
    if (text == NULL || sotto_patterns_scratch_new(&scratch) != SOTTO_OK) {
        abort();
    }
    len -= len % n;
    for (size_t i = 0; i < len; i++) {
        text[i] = piece[i % n];
    }
    if (sotto_patterns_scan(patterns, scratch, sotto_span_init(text, len), 0, len, &found) !=
        SOTTO_OK) {
        abort();
    }
    size_t steps = sotto_patterns_steps(scratch);
    sotto_findings_free(&found);
    sotto_patterns_scratch_free(scratch);
    sotto_free(text);
    return steps;
}

int main(void)
{
    struct sotto_patterns *patterns;
    if (sotto_patterns_new(&patterns) != SOTTO_OK) {
        abort();
    }
    for (size_t i = 0; i < SOTTO_COUNT(pieces); i++) {
        char title[256];
        size_t once = steps_of(patterns, pieces[i], LINEAR_BYTES);
        size_t twice = steps_of(patterns, pieces[i], 2 * LINEAR_BYTES);
        if (!OK(twice <= once * 2 + once / 10 + 20000 &&
                    once <= (size_t)LINEAR_BYTES * LINEAR_PER_BYTE,
                "'%s' again and again is linear", marked_title(pieces[i], title))) {
            printf("#   %zu steps, then %zu\n", once, twice);
        }
    }
    sotto_patterns_free(patterns);
    return done_testing();
}
