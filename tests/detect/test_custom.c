/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/custom.h"

#include "detect/finer.h"
#include "tap/tap.h"

static void test_refusals(void)
{
    static const sotto_span blank = {(const uint8_t *)"--", 2};
    static const struct {
        struct sotto_detect_custom item;
        const char *why;
    } cases[] = {
        {{.name = {NULL, 0}, .pattern = {(const uint8_t *)"a", 1}},
         "recognizer (without a name): name: is missing"},
        {{.name = {(const uint8_t *)"x", 1}}, "recognizer x: needs a pattern or words"},
        {{.name = {(const uint8_t *)"x", 1}, .pattern = {(const uint8_t *)"(a", 2}},
         "recognizer x: pattern, position 2: missing closing parenthesis"},
        {{.name = {(const uint8_t *)"x", 1}, .pattern = {(const uint8_t *)"(a)\\1", 5}},
         "recognizer x: pattern: back-references are not allowed"},
        {{.name = {(const uint8_t *)"x", 1}, .words = &blank, .word_count = 1},
         "recognizer x: words: one has no letter or digit, or is too long"},
        {{.name = {(const uint8_t *)"x", 1},
          .pattern = {(const uint8_t *)"a", 1},
          .context = &blank,
          .context_count = 1},
         "recognizer x: context: one has no letter or digit, or is too long"},
        {{.name = {(const uint8_t *)"x", 1},
          .pattern = {(const uint8_t *)"a", 1},
          .checksum = {(const uint8_t *)"none", 4}},
         "recognizer x: checksum: there is none of this name"},
        {{.name = {(const uint8_t *)"x", 1}, .pattern = {(const uint8_t *)"a", 1}, .score = 1001},
         "recognizer x: score: is above 1"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_customs *customs = NULL;
        char why[256] = "";
        IS_INT(sotto_customs_new(&cases[i].item, 1, &customs, why), SOTTO_EINVAL, "refused: %s",
               cases[i].why);
        IS_TEXT(why, strlen(why), cases[i].why, "and says why");
        OK(customs == NULL, "and gives nothing");
    }
}

static void scan(const struct sotto_detect_custom *item, const char *in, const char *want)
{
    struct sotto_customs *customs;
    struct sotto_customs_scratch *scratch;
    struct sotto_findings out = {0};
    sotto_span text = sotto_span_str(in);
    char got[256] = "", why[256] = "";
    size_t n = 0;
    if (sotto_customs_new(item, 1, &customs, why) != SOTTO_OK ||
        sotto_customs_scratch_new(customs, &scratch) != SOTTO_OK) {
        OK(false, "'%s' compiles: %s", in, why);
        return;
    }
    IS_INT(sotto_customs_scan(customs, scratch, text, 0, text.len, &out), SOTTO_OK, "'%s'", in);
    for (size_t i = 0; i < out.count; i++) {
        n +=
            (size_t)snprintf(got + n, sizeof(got) - n, "%.*s|",
                             SOTTO_FMT(sotto_span_sub(text, out.items[i].start, out.items[i].end)));
    }
    IS_TEXT(got, n, want, "found in '%s'", in);
    for (size_t i = 0; i < out.count; i++) {
        IS_INT(out.items[i].finer, SOTTO_FINER_COUNT, "its exact type is the recognizer");
    }
    sotto_findings_free(&out);
    sotto_customs_scratch_free(scratch);
    sotto_customs_free(customs);
}

static void test_matches(void)
{
    static const sotto_span context[] = {{(const uint8_t *)"case no", 7}};
    static const sotto_span words[] = {{(const uint8_t *)"Blue Whale", 10}};
    struct sotto_detect_custom item = {.name = SOTTO_LIT("case"),
                                       .label = SOTTO_LABEL_ID,
                                       .pattern = SOTTO_LIT("[A-Z]{2}-\\d{4}"),
                                       .score = 800};
    scan(&item, "see AB-1234 and CD-56789", "AB-1234|CD-56789|");
    scan(&item, "xAB-1234x", "xAB-1234x|");
    scan(&item, "\xc3\xa9 AB-1234 \xe2\x82\xac", "AB-1234|");
    item.context = context;
    item.context_count = 1;
    scan(&item, "AB-1234", "");
    scan(&item, "Case  No. AB-1234", "AB-1234|");
    item = (struct sotto_detect_custom){.name = SOTTO_LIT("project"),
                                        .label = SOTTO_LABEL_ORG,
                                        .words = words,
                                        .word_count = 1,
                                        .score = 800};
    scan(&item, "the blue whale project, Blue Whales", "blue whale|");
    item = (struct sotto_detect_custom){.name = SOTTO_LIT("card"),
                                        .label = SOTTO_LABEL_ID,
                                        .pattern = SOTTO_LIT("\\d{4}( ?\\d{4}){3}"),
                                        .checksum = SOTTO_LIT("luhn"),
                                        .score = 800};
    scan(&item, "4111 1111 1111 1111 or 4111 1111 1111 1112", "4111 1111 1111 1111|");
}

static void test_runaway_pattern(void)
{
    struct sotto_detect_custom item = {
        .name = SOTTO_LIT("slow"), .pattern = SOTTO_LIT("(a+)+$"), .score = 800};
    struct sotto_customs *customs;
    struct sotto_customs_scratch *scratch;
    struct sotto_findings out = {0};
    char text[200];
    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = 'b';
    if (sotto_customs_new(&item, 1, &customs, NULL) != SOTTO_OK ||
        sotto_customs_scratch_new(customs, &scratch) != SOTTO_OK) {
        abort();
    }
    IS_INT(sotto_customs_scan(customs, scratch, sotto_span_init(text, sizeof(text)), 0,
                              sizeof(text), &out),
           SOTTO_ELIMIT, "a pattern that backtracks without end is stopped");
    sotto_findings_free(&out);
    sotto_customs_scratch_free(scratch);
    sotto_customs_free(customs);
}

int main(void)
{
    test_refusals();
    test_matches();
    test_runaway_pattern();
    return done_testing();
}
