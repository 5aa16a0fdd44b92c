/* SPDX-License-Identifier: Apache-2.0 */

#include "http/accept.h"

#include "tap/tap.h"

static const struct {
    const char *lines;
    bool want;
} cases[] = {
    {"accept: application/x-ndjson\r\n", true},
    {"Accept: text/plain;q=0.5 , Application/X-NDJSON;q=1\r\n", true},
    {"accept: application/x-ndjson2\r\n", false},
    {"accept: */*\r\n", false},
    {"accept: ,,\r\n", false},
    {"accept: \r\n", false},
    {"", false},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sotto_http_head head;
        char block[256];
        snprintf(block, sizeof(block), "GET /\r\n%s\r\n", cases[i].lines);
        IS_INT(sotto_http_head_index(sotto_span_str(block), true, &head), SOTTO_OK, "a head");
        OK(sotto_http_accepts(&head, SOTTO_LIT("application/x-ndjson")) == cases[i].want,
           "case %zu", i);
    }
    sotto_span list = SOTTO_LIT("a;b=c, ,d");
    sotto_span one = sotto_http_next_element(&list);
    IS_TEXT(one.base, one.len, "a", "an element without its parameters");
    one = sotto_http_next_element(&list);
    IS_SIZE(one.len, 0, "an empty one");
    one = sotto_http_next_element(&list);
    IS_TEXT(one.base, one.len, "d", "the last one");
    IS_SIZE(list.len, 0, "the end");
    return done_testing();
}
