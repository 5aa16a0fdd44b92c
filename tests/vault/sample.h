/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_VAULT_SAMPLE_H
#define SOTTO_TESTS_VAULT_SAMPLE_H

#include <stdlib.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "vault/vault.h"

/* A vault with one token of each type, two of some, for tests. */

static const uint8_t sample_key[SOTTO_VAULT_KEY_BYTES] = "0123456789abcdef0123456789abcdef";

struct sample {
    unsigned type;
    const char *value;
};

static const struct sample samples[] = {
    {0, "Anna M\xc3\xbcller"},
    {0, "J\xc3\xbcrg"},
    {1, "Z\xc3\xbcrich"},
    {2, "Seestrasse 1\n8002 Z\xc3\xbcrich"},
    {3, "Acme \"AG\""},
    {4, "1. May 1980"},
    {5, "94 years old"},
    {6, "baker"},
    {7, "Swiss"},
    {8, "+41 44 668 18 00"},
    {9, "ann@example.org"},
    {10, "https://example.org/~ann"},
    {11, "756.9217.0769.85"},
    {12, "hunter2\\n"},
    {9, "bob@example.org"},
};

static inline struct sotto_vault *sample_vault(sotto_span *tokens)
{
    struct sotto_vault *vault = NULL;
    if (sotto_vault_new(sample_key, SOTTO_LIT("a conversation"), SOTTO_STYLE_TOKEN, &vault) !=
        SOTTO_OK) {
        abort();
    }
    for (size_t i = 0; i < SOTTO_COUNT(samples); i++) {
        sotto_span value = sotto_span_str(samples[i].value);
        if (sotto_vault_token(vault, samples[i].type, false, value, &tokens[i]) != SOTTO_OK) {
            abort();
        }
    }
    return vault;
}

#endif
