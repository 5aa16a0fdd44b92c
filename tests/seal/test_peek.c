/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/peek.h"

#include <stdlib.h>

#include "tap/tap.h"

static const struct {
    const char *body, *text; /* NULL: no text */
} cases[] = {
    {"{\"messages\":\"abc\"}", "abc\"}"},
    {" {\n \"model\" : \"m\" ,\t\"messages\" : \"abc\"}", "abc\"}"},
    {"{\"messages\":[],\"message\":\"abc\"}", NULL},
    {"{\"message\":\"abc\",\"messages\":[]}", NULL},
    {"{\"message\":\"abc\",\"n\":1}", "abc\",\"n\":1}"},
    {"{\"message\":\"abc\",\"messages\":\"def\"}", "def\"}"},
    {"{\"message\":{},\"stream\":true}", NULL},
    {"{\"tools\":[{\"messages\":\"no\"},\"]}\\\"\"],\"a\":{\"messages\":\"no\"},\"messages\":"
     "\"yes\"}",
     "yes\"}"},
    {"{\"metadata\":{\"messages\":\"no\"},\"messages\":[]}", NULL},
    {"{\"x\":\"a\\\\\",\"messages\":\"yes\"}", "yes\"}"},
    {"{\"x\":\"\\\"messages\\\":\\\"\",\"n\":-1.5e3,\"messages\":\"yes\"}", "yes\"}"},
    {"{\"message\":\"cut", "cut"},
    {"{\"messages\"", NULL},
    {"{\"messages\":", NULL},
    {"{\"messages\":7}", NULL},
    {"[\"messages\",\"x\"]", NULL},
    {"\"messages\"", NULL},
    {"{}", NULL},
    {"{", NULL},
    {"", NULL},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sotto_span text = {NULL, 0};
        size_t len = strlen(cases[i].body);
        bool found = sotto_peek_text(sotto_span_init(cases[i].body, len), &text);
        OK(found == (cases[i].text != NULL), "case %zu: whether there is a text", i);
        if (found && cases[i].text != NULL) {
            IS_TEXT(text.base, text.len, cases[i].text, "case %zu: which", i);
        }
        for (size_t cut = 0; cut < len; cut++) { /* in memory of exactly that size */
            uint8_t *copy = malloc(cut + 1);
            memcpy(copy, cases[i].body, cut);
            uint8_t *exact = cut != 0 ? realloc(copy, cut) : copy;
            (void)sotto_peek_text(sotto_span_init(exact, cut), &text);
            free(exact);
        }
    }
    size_t size = 2 * SOTTO_PEEK_BYTES;
    char *large = malloc(size + 1);
    memset(large, ' ', size);
    memcpy(large, "{\"a\":1,", 7);
    memcpy(large + size - 16, "\"messages\":\"abc\"", 16);
    sotto_span text;
    OK(!sotto_peek_text(sotto_span_init(large, size), &text), "only the beginning is looked at");
    free(large);
    return done_testing();
}
