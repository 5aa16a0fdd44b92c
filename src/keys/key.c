/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/key.h"

#include "base/alloc.h"
#include "base/ct.h"
#include "crypto/base62.h"
#include "crypto/hash.h"

static bool is_base62(sotto_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.base[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) {
            return false;
        }
    }
    return true;
}

bool sotto_key_id_valid(sotto_span id)
{
    return id.len == SOTTO_KEY_ID_LEN && is_base62(id);
}

enum sotto_err sotto_key_parse(sotto_span text, struct sotto_key_text *out)
{
    const size_t id_at = 3, secret_at = id_at + SOTTO_KEY_ID_LEN + 1;
    if (text.len != SOTTO_KEY_TEXT_LEN || !sotto_span_starts(text, SOTTO_LIT("ql_")) ||
        text.base[secret_at - 1] != '_') {
        return SOTTO_EFORMAT;
    }
    sotto_span id = sotto_span_sub(text, id_at, id_at + SOTTO_KEY_ID_LEN);
    sotto_span secret = sotto_span_skip(text, secret_at);
    if (!is_base62(id) || !is_base62(secret)) {
        return SOTTO_EFORMAT;
    }
    *out = (struct sotto_key_text){id, secret};
    return SOTTO_OK;
}

enum sotto_err sotto_key_make(char out[SOTTO_KEY_TEXT_LEN])
{
    out[0] = 'q';
    out[1] = 'l';
    out[2] = '_';
    enum sotto_err err = sotto_base62_random(out + 3, SOTTO_KEY_ID_LEN);
    out[3 + SOTTO_KEY_ID_LEN] = '_';
    if (err == SOTTO_OK) {
        err = sotto_base62_random(out + 3 + SOTTO_KEY_ID_LEN + 1, SOTTO_KEY_SECRET_LEN);
    }
    if (err != SOTTO_OK) {
        sotto_wipe(out, SOTTO_KEY_TEXT_LEN);
    }
    return err;
}

enum sotto_err sotto_key_hash(const struct sotto_key_text *text, uint8_t out[SOTTO_KEY_HASH_BYTES])
{
    static const char label[] = "sotto key v1"; /* its NUL is part of it */
    _Static_assert(SOTTO_KEY_HASH_BYTES == SOTTO_SHA256_BYTES, "a key's hash is a SHA-256");
    const sotto_span parts[] = {sotto_span_init(label, sizeof(label)), text->id, text->secret};
    return sotto_sha256_parts(parts, SOTTO_COUNT(parts), out);
}

bool sotto_key_works(const struct sotto_key *key, int64_t now_s)
{
    return key->revoked_s == 0 && (key->expires_s == 0 || now_s < key->expires_s);
}

enum sotto_err sotto_key_verify(const struct sotto_key *key, const struct sotto_key_text *text,
                                int64_t now_s)
{
    uint8_t hash[SOTTO_KEY_HASH_BYTES];
    enum sotto_err err = sotto_key_hash(text, hash);
    if (err == SOTTO_OK) {
        /* Both are compared, always: which secret it was does not show. */
        bool is_new = sotto_ct_equal(hash, key->hash, sizeof(hash));
        bool is_old = sotto_ct_equal(hash, key->old_hash, sizeof(hash));
        bool works = sotto_span_eq(text->id, sotto_span_init(key->id, sizeof(key->id))) &&
                     sotto_key_works(key, now_s);
        err = works && (is_new || (is_old && now_s < key->old_until_s)) ? SOTTO_OK : SOTTO_EAUTH;
    }
    sotto_wipe(hash, sizeof(hash));
    return err;
}

/* --- scopes ---------------------------------------------------------------------------------- */

static const sotto_span scope_names[] = {
    [SOTTO_SCOPE_MODEL] = SOTTO_LIT_INIT("model:"),
    [SOTTO_SCOPE_MODE] = SOTTO_LIT_INIT("mode:"),
    [SOTTO_SCOPE_DIALECT] = SOTTO_LIT_INIT("dialect:"),
};

/* The next entry of a list; false at its end.  A list that ends in a comma has an empty last one. */
static bool next_entry(sotto_span *rest, bool *more, sotto_span *entry)
{
    if (!*more) {
        return false;
    }
    const uint8_t *comma = rest->len != 0 ? memchr(rest->base, ',', rest->len) : NULL;
    size_t n = comma != NULL ? (size_t)(comma - rest->base) : rest->len;
    *entry = sotto_span_trim(sotto_span_sub(*rest, 0, n));
    *more = comma != NULL;
    *rest = sotto_span_skip(*rest, comma != NULL ? n + 1 : n);
    return true;
}

static bool is_entry(sotto_span entry)
{
    if (sotto_span_eq(entry, SOTTO_LIT("admin"))) {
        return true;
    }
    for (size_t i = 0; i < SOTTO_COUNT(scope_names); i++) {
        if (sotto_span_starts(entry, scope_names[i]) && entry.len > scope_names[i].len) {
            const uint8_t *star = memchr(entry.base, '*', entry.len);
            return star == NULL || star == entry.base + entry.len - 1;
        }
    }
    return false;
}

enum sotto_err sotto_scopes_check(sotto_span scopes, sotto_span *wrong)
{
    bool more = scopes.len != 0;
    sotto_span entry;
    while (next_entry(&scopes, &more, &entry)) {
        if (!is_entry(entry)) {
            if (wrong != NULL) {
                *wrong = entry;
            }
            return SOTTO_EINVAL;
        }
    }
    return SOTTO_OK;
}

/* Whether the name of an entry, perhaps with a '*' behind it, is this name. */
static bool names(sotto_span pattern, sotto_span name)
{
    if (sotto_span_ends(pattern, SOTTO_LIT("*"))) {
        return sotto_span_starts(name, sotto_span_sub(pattern, 0, pattern.len - 1));
    }
    return sotto_span_eq(pattern, name);
}

bool sotto_key_may(const struct sotto_key *key, enum sotto_scope scope, sotto_span name)
{
    sotto_span rest = key->scopes, entry;
    bool more = rest.len != 0, limited = false;
    while (next_entry(&rest, &more, &entry)) {
        if (sotto_span_starts(entry, scope_names[scope])) {
            limited = true;
            if (names(sotto_span_skip(entry, scope_names[scope].len), name)) {
                return true;
            }
        }
    }
    return !limited;
}

bool sotto_key_is_admin(const struct sotto_key *key)
{
    sotto_span rest = key->scopes, entry;
    bool more = rest.len != 0;
    while (next_entry(&rest, &more, &entry)) {
        if (sotto_span_eq(entry, SOTTO_LIT("admin"))) {
            return true;
        }
    }
    return false;
}
