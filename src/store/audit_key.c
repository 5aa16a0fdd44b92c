/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "base/alloc.h"
#include "crypto/base64.h"
#include "crypto/random.h"
#include "store/audit_state.h"
#include "sys/files.h"

/* "PRIVATE+KEY+" name "+" id "+" base64(type seed), as other tools write it. */
#define KEY_PREFIX SOTTO_LIT("PRIVATE+KEY+")

enum sotto_err audit_key_of(sotto_span name, const uint8_t *seed, struct sotto_note_key *out)
{
    uint8_t public_key[SOTTO_ED25519_PUBLIC_BYTES];
    enum sotto_err err = sotto_ed25519_public(seed, public_key);
    return err == SOTTO_OK ? sotto_note_key_make(name, SOTTO_NOTE_ED25519, public_key, out) : err;
}

enum sotto_err audit_key_write(const char *path, sotto_span origin, const uint8_t *seed)
{
    struct sotto_buf text;
    struct sotto_note_key key;
    uint8_t blob[1 + SOTTO_ED25519_SEED_BYTES] = {SOTTO_NOTE_ED25519};
    sotto_buf_init(&text, 1024);
    memcpy(blob + 1, seed, SOTTO_ED25519_SEED_BYTES);
    enum sotto_err err = audit_key_of(origin, seed, &key);
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&text, KEY_PREFIX);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_printf(&text, "%s+%02x%02x%02x%02x+", key.name, key.id[0], key.id[1],
                               key.id[2], key.id[3]);
    }
    if (err == SOTTO_OK) {
        err = sotto_base64_write(sotto_span_init(blob, sizeof(blob)), &text);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(&text, '\n');
    }
    if (err == SOTTO_OK) {
        err = sotto_file_create(path, sotto_buf_span(&text));
    }
    sotto_wipe(blob, sizeof(blob));
    sotto_buf_free(&text);
    return err;
}

enum sotto_err audit_key_create(const char *path, sotto_span origin)
{
    uint8_t seed[SOTTO_ED25519_SEED_BYTES];
    enum sotto_err err = sotto_crypto_random(seed, sizeof(seed));
    if (err == SOTTO_OK) {
        err = audit_key_write(path, origin, seed);
    }
    sotto_wipe(seed, sizeof(seed));
    return err;
}

static enum sotto_err key_parse(sotto_span text, struct sotto_note_key *key, uint8_t *seed)
{
    uint8_t blob[1 + SOTTO_ED25519_SEED_BYTES];
    if (!sotto_span_ends(text, SOTTO_LIT("\n")) || !sotto_span_starts(text, KEY_PREFIX)) {
        return SOTTO_EFORMAT;
    }
    sotto_span rest = sotto_span_sub(text, KEY_PREFIX.len, text.len - 1);
    const uint8_t *plus = memchr(rest.base, '+', rest.len);
    size_t name_len = plus != NULL ? (size_t)(plus - rest.base) : rest.len;
    if (rest.len != name_len + 10 + SOTTO_BASE64_LEN(sizeof(blob))) {
        return SOTTO_EFORMAT;
    }
    sotto_span name = sotto_span_sub(rest, 0, name_len);
    enum sotto_err err =
        sotto_base64_read_exact(sotto_span_skip(rest, name_len + 10), blob, sizeof(blob));
    if (err == SOTTO_OK && blob[0] != SOTTO_NOTE_ED25519) {
        err = SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK) {
        err = audit_key_of(name, blob + 1, key);
    }
    if (err == SOTTO_OK && seed != NULL) {
        memcpy(seed, blob + 1, SOTTO_ED25519_SEED_BYTES);
    }
    sotto_wipe(blob, sizeof(blob));
    return err == SOTTO_EINVAL ? SOTTO_EFORMAT : err;
}

enum sotto_err audit_key_read(const char *folder, struct sotto_note_key *key, uint8_t *seed,
                              char *why)
{
    char path[AUDIT_PATH_BYTES];
    struct sotto_buf text;
    sotto_buf_init(&text, 1024);
    enum sotto_err err = audit_path(folder, "key", path);
    if (err == SOTTO_OK) {
        err = sotto_file_read(path, 1024, &text);
    }
    if (err == SOTTO_OK) {
        err = key_parse(sotto_buf_span(&text), key, seed);
    }
    if (err != SOTTO_OK) {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "%.300s: the audit log's key cannot be read (%s)",
                 path, sotto_err_text(err));
    }
    sotto_buf_free(&text);
    return err;
}

enum sotto_err sotto_audit_key_read(const char *folder, struct sotto_note_key *out,
                                    char why[SOTTO_STORE_WHY_BYTES])
{
    return audit_key_read(folder, out, NULL, why);
}
