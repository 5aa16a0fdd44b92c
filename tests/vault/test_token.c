/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/token.h"

#include "tap/tap.h"

static void test_every_type(void)
{
    static const uint8_t random[8] = {0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4};
    for (unsigned type = 0; type < SOTTO_TOKEN_WORD_COUNT; type++) {
        sotto_span word = sotto_token_word(type);
        char token[SOTTO_TOKEN_MAX];
        size_t len = sotto_token_make(type, random, token);
        OK(word.len <= SOTTO_TOKEN_WORD_MAX, "%.*s is short enough", SOTTO_FMT(word));
        IS_SIZE(len, word.len + SOTTO_TOKEN_CODE_LEN, "its tokens have one length");
        OK(memcmp(token, word.base, word.len) == 0, "and begin with it");
        OK(sotto_token_valid(sotto_span_init(token, len)), "%.*s is valid", (int)len, token);
        OK(!sotto_token_valid(sotto_span_init(token, len - 1)), "not with a symbol less");
        for (unsigned other = 0; other < type; other++) {
            OK(!sotto_span_starts(word, sotto_token_word(other)) &&
                   !sotto_span_starts(sotto_token_word(other), word),
               "no word begins with another");
        }
    }
}

static void test_extremes(void)
{
    static const uint8_t zero[8];
    static const uint8_t most[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    char token[SOTTO_TOKEN_MAX];
    size_t len = sotto_token_make(11, zero, token);
    IS_TEXT(token, len, "ID222222222", "the first code");
    len = sotto_token_make(11, most, token);
    OK(sotto_token_valid(sotto_span_init(token, len)), "the greatest random number");
}

static void test_invalid(void)
{
    static const char *const bad[] = {"",
                                      "ID",
                                      "ID22222222",
                                      "ID2222222222",
                                      "ID222222223",
                                      "id222222222",
                                      "ID22222222a",
                                      "ID2222222A2",
                                      "IX222222222",
                                      "ID22222222 ",
                                      "222222222"};
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        OK(!sotto_token_valid(sotto_span_str(bad[i])), "'%s' is no token", bad[i]);
    }
}

int main(void)
{
    test_every_type();
    test_extremes();
    test_invalid();
    return done_testing();
}
