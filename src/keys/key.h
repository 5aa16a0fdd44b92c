/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_KEYS_KEY_H
#define SOTTO_KEYS_KEY_H

/*
 * API keys of the gateway.
 *
 *   key    = "ql_" public "_" secret
 *   public = 12 symbols of base62, the key's id: stands in logs, lists and commands
 *   secret = 32 symbols of base62 (190 bits), shown once and stored only as
 *            SHA-256("sotto key v1" 0x00 public secret)
 *
 * The secret is as strong as an AES key, so a plain hash is enough: there is nothing to guess.
 * While a key is being rotated its old secret works beside the new one until `old_until_s`.
 */

#include "base/err.h"
#include "base/span.h"

#define SOTTO_KEY_ID_LEN     12
#define SOTTO_KEY_SECRET_LEN 32
#define SOTTO_KEY_TEXT_LEN   (3 + SOTTO_KEY_ID_LEN + 1 + SOTTO_KEY_SECRET_LEN)
#define SOTTO_KEY_HASH_BYTES 32

/** Longest name, tenant, mode or style; longest list of scopes. */
#define SOTTO_KEY_NAME_MAX   100
#define SOTTO_KEY_SCOPES_MAX 2000

/** What a key may use up; 0: no limit of its own, the configuration's default counts. */
struct sotto_key_quota {
    uint64_t requests_per_minute;
    uint64_t tokens_per_minute;
    uint64_t monthly_requests;
    uint64_t monthly_tokens;
    uint64_t monthly_cost_nano; /* thousand-millionths of the currency of the prices */
};

/** A key as it is stored.  Spans are borrowed from whoever made it. */
struct sotto_key {
    char id[SOTTO_KEY_ID_LEN];
    uint8_t hash[SOTTO_KEY_HASH_BYTES];
    uint8_t old_hash[SOTTO_KEY_HASH_BYTES]; /* the secret before the last rotation */
    bool anonymize;      /* false: sealed requests are not tokenized (--no-anonymize) */
    int64_t old_until_s; /* the old secret works before this; 0: there is none */
    int64_t created_s;
    int64_t expires_s; /* does not work from this second on; 0: never */
    int64_t revoked_s; /* 0: not revoked */
    sotto_span name;   /* for people; may be empty */
    sotto_span tenant; /* owner of tokens, hashes and caches; never empty: by default the id */
    sotto_span scopes; /* see sotto_scopes_check(); empty: all but admin */
    sotto_span mode;   /* least strict mode; empty: the configuration's */
    sotto_span style;  /* style of tokens; empty: the configuration's */
    struct sotto_key_quota quota;
};

/** The two parts of a key's text, views into it. */
struct sotto_key_text {
    sotto_span id;
    sotto_span secret;
};

/** Takes a key's text apart.  @retval SOTTO_EFORMAT  it is none; `out` unchanged */
SOTTO_MUST_CHECK enum sotto_err sotto_key_parse(sotto_span text, struct sotto_key_text *out);

/** Orders two ids of SOTTO_KEY_ID_LEN bytes, as memcmp() does. */
static inline int sotto_key_id_compare(const void *a, const void *b)
{
    return memcmp(a, b, SOTTO_KEY_ID_LEN); /* mistake-ok: ids are public */
}

/** Whether `id` has the form of a key's id. */
bool sotto_key_id_valid(sotto_span id);

/**
 * Makes the text of a new key from random symbols.
 *
 * @param[out] out  not NUL-terminated; the caller wipes it
 * @retval SOTTO_ECRYPTO  `out` wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_key_make(char out[SOTTO_KEY_TEXT_LEN]);

/** What is stored of a key.  @retval SOTTO_ECRYPTO  `out` wiped */
SOTTO_MUST_CHECK enum sotto_err sotto_key_hash(const struct sotto_key_text *text,
                                               uint8_t out[SOTTO_KEY_HASH_BYTES]);

/**
 * Whether `text` is this key and works now.  Its time does not depend on the secret.
 *
 * @param now_s  seconds since 1970
 *
 * @retval SOTTO_EAUTH    another id, wrong secret, expired or revoked
 * @retval SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_key_verify(const struct sotto_key *key,
                                                 const struct sotto_key_text *text, int64_t now_s);

/** Whether a key with this id would work now, given its secret: not expired, not revoked. */
bool sotto_key_works(const struct sotto_key *key, int64_t now_s);

/** What a scope is about. */
enum sotto_scope {
    SOTTO_SCOPE_MODEL,
    SOTTO_SCOPE_MODE,
    SOTTO_SCOPE_DIALECT,
};

/**
 * Checks a list of scopes: `model:NAME`, `mode:NAME`, `dialect:NAME` and `admin`, separated by
 * commas; a NAME may end in `*`.  The empty list is valid.
 *
 * @param[out] wrong  on SOTTO_EINVAL the entry that is wrong, a view into `scopes`; may be NULL
 * @retval SOTTO_EINVAL
 */
SOTTO_MUST_CHECK enum sotto_err sotto_scopes_check(sotto_span scopes, sotto_span *wrong);

/** Whether the key may use this: no entry of the scope's kind, or one that names it. */
bool sotto_key_may(const struct sotto_key *key, enum sotto_scope scope, sotto_span name);

/** Whether `admin` is among the scopes. */
bool sotto_key_is_admin(const struct sotto_key *key);

#endif
