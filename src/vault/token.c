/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/token.h"

#include "base/compiler.h"
#include "vault/code.h"

/* In the order of enum sotto_label; none is the beginning of another. */
#define WORD(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
static const sotto_span token_words[] = {
    WORD("PERSON"), WORD("LOCATION"),   WORD("ADDRESS"), WORD("ORG"),   WORD("DATE"),
    WORD("AGE"),    WORD("OCCUPATION"), WORD("NRP"),     WORD("PHONE"), WORD("EMAIL"),
    WORD("URL"),    WORD("ID"),         WORD("SECRET"),
};
#undef WORD
_Static_assert(SOTTO_COUNT(token_words) == SOTTO_TOKEN_WORD_COUNT, "one word for each type");

/* 29^8, the number of codes without their check symbol. */
#define TOKEN_CODES 500246412961U

sotto_span sotto_token_word(unsigned type)
{
    return token_words[type];
}

size_t sotto_token_make(unsigned type, const uint8_t random[8], char out[SOTTO_TOKEN_MAX])
{
    sotto_span word = token_words[type];
    uint8_t symbol[SOTTO_TOKEN_CODE_LEN];
    uint64_t number = 0;
    for (size_t i = 0; i < 8; i++) {
        number = number << 8 | random[i];
    }
    /* The remainder favours no code by more than one part in thirty million. */
    number %= TOKEN_CODES;
    for (size_t i = SOTTO_TOKEN_CODE_LEN - 1; i-- > 0; number /= CODE_BASE) {
        symbol[i] = (uint8_t)(number % CODE_BASE);
    }
    symbol[SOTTO_TOKEN_CODE_LEN - 1] = 0;
    symbol[SOTTO_TOKEN_CODE_LEN - 1] = code_solve(symbol, SOTTO_TOKEN_CODE_LEN - 1);

    memcpy(out, word.base, word.len);
    for (size_t i = 0; i < SOTTO_TOKEN_CODE_LEN; i++) {
        out[word.len + i] = code_char(symbol[i]);
    }
    return word.len + SOTTO_TOKEN_CODE_LEN;
}

static bool valid_code(sotto_span text)
{
    uint8_t symbol[SOTTO_TOKEN_CODE_LEN];
    for (size_t i = 0; i < SOTTO_TOKEN_CODE_LEN; i++) {
        symbol[i] = code_symbol(text.base[i]);
        if (symbol[i] >= CODE_BASE || code_char(symbol[i]) != (char)text.base[i]) {
            return false;
        }
    }
    return code_sum(symbol) == 0;
}

bool sotto_token_valid(sotto_span text)
{
    for (size_t i = 0; i < SOTTO_COUNT(token_words); i++) {
        if (sotto_span_starts(text, token_words[i])) {
            sotto_span code = sotto_span_skip(text, token_words[i].len);
            return code.len == SOTTO_TOKEN_CODE_LEN && valid_code(code);
        }
    }
    return false;
}
