/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_PIPELINE_ANSWERS_H
#define SOTTO_TESTS_PIPELINE_ANSWERS_H

#include <stdlib.h>
#include <string.h>

#include "vault/vault.h"
#include "json/json.h"

/*
 * Answers written by hand.  In the text '@1' to '@9' stand for the first tokens of a vault with
 * known values, '~1' to '~9' for the first six bytes of the token and '^1' to '^9' for the rest.
 */

static const char *const answer_values[] = {"Ann Lee", "J\xc3\xbcrg M\xc3\xbcller",
                                            "say \"hi\"\\now", "line 1\nline 2",
                                            "\xf0\x9f\x99\x82"};

static sotto_span answer_token[5];

static inline struct sotto_vault *answer_vault(void)
{
    static const uint8_t key[SOTTO_VAULT_KEY_BYTES] = {7};
    struct sotto_vault *vault = NULL;
    if (sotto_vault_new(key, SOTTO_LIT("c"), SOTTO_STYLE_TOKEN, &vault) != SOTTO_OK) {
        abort();
    }
    for (size_t i = 0; i < SOTTO_COUNT(answer_values); i++) {
        /* The type words SECRET and PERSON have six letters. */
        if (sotto_vault_token(vault, i == 2 ? 12 : 0, false, sotto_span_str(answer_values[i]),
                              &answer_token[i]) != SOTTO_OK) {
            abort();
        }
    }
    return vault;
}

static inline void answer_put(struct sotto_buf *out, sotto_span s)
{
    if (sotto_buf_append(out, s) != SOTTO_OK) {
        abort();
    }
}

/* The text with the tokens in it. */
static inline void answer_expand(const char *text, struct sotto_buf *out)
{
    for (; *text != '\0'; text++) {
        bool mark = strchr("@~^", *text) != NULL && text[1] >= '1' && text[1] <= '5';
        if (!mark) {
            answer_put(out, sotto_span_init(text, 1));
            continue;
        }
        sotto_span token = answer_token[text[1] - '1'];
        answer_put(out, *text == '@'   ? token
                        : *text == '~' ? sotto_span_sub(token, 0, 6)
                                       : sotto_span_skip(token, 6));
        text++;
    }
}

static inline yyjson_mut_doc *answer_doc(const char *text)
{
    struct sotto_buf buf;
    yyjson_mut_doc *doc = NULL;
    struct sotto_json_error error = {0};
    sotto_buf_init(&buf, 1 << 20);
    answer_expand(text, &buf);
    if (sotto_json_read(sotto_buf_span(&buf), 128, &doc, &error) != SOTTO_OK) {
        printf("# %s at %zu in %.*s\n", error.what, error.position,
               SOTTO_FMT(sotto_buf_span(&buf)));
        abort();
    }
    sotto_buf_free(&buf);
    return doc;
}

static inline void answer_write(const yyjson_mut_doc *doc, struct sotto_buf *out)
{
    sotto_buf_truncate(out, 0);
    if (sotto_json_write(doc->root, out) != SOTTO_OK) {
        abort();
    }
}

#endif
