/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_STATE_H
#define SOTTO_VAULT_STATE_H

/*
 * What a vault consists of: shared by vault.c, which makes, asks and empties it, and vault_issue.c,
 * which fills it.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "crypto/hmac.h"
#include "vault/code_map.h"
#include "vault/form.h"
#include "vault/issued.h"
#include "vault/seen.h"
#include "vault/token.h"

/*
 * Messages under the tenant's key; the first byte tells them apart, what follows it has one length
 * but for its end:
 *
 *   0 conversation                            -> name of the conversation, seeds of the tables
 *   1 name(32) type foldable counter(2) value -> code of a token
 *   2 name(32) type foldable counter(2) value -> stand-in of style surrogate
 */
#define VAULT_SAYS_CONVERSATION 0
#define VAULT_SAYS_TOKEN        1
#define VAULT_SAYS_STAND_IN     2

struct vault_entry {
    uint8_t type;
    bool foldable;
    uint8_t token_len;
    char token[SOTTO_TOKEN_MAX];
    sotto_span stand_in; /* in place of a token; empty: there is none */
    sotto_span canon;
    sotto_span value; /* the last spelling */
};

struct sotto_vault {
    enum sotto_style style;
    unsigned types;                 /* a bit for each type word issued */
    struct sotto_hmac *hmac;        /* with the tenant's key */
    uint8_t name[SOTTO_HMAC_BYTES]; /* of the conversation, secret */
    struct sotto_arena arena;       /* entries */
    struct sotto_arena values;      /* what the spans of entries point to */
    bool taken_out;
    struct sotto_buf canon; /* the value at hand in its canonical form */
    struct code_map codes;  /* each beginning of each issued code; whole ones -> entry */
    struct code_map shield; /* codes, well-formed or not, that the request's text holds */
    struct form_tree forms; /* stand-ins that are no tokens */
    struct seen seen;       /* words that the request's text holds; for these styles alone */
    unsigned numbers[SOTTO_TOKEN_WORD_COUNT]; /* last number of each type in style angle */
    uint8_t hash_key[SOTTO_HASH_KEY_BYTES];
    size_t *by_value; /* open addressing, `cap` * 2 places: entry + 1, 0 free */
    struct vault_entry **entry;
    size_t count;
    size_t cap;
};

/** What stands in the text in place of the entry's value. */
sotto_span vault_token_of(const struct vault_entry *entry);

/**
 * Takes apart what is one token from end to end; false: it is none.
 *
 * @param[out] symbol  the code's symbols; set, as `type`, only where it is one
 */
bool vault_read_token(sotto_span token, unsigned *type, uint8_t symbol[SOTTO_TOKEN_CODE_LEN]);

#endif
