/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/privatemode.h"

#include "crypto/base64.h"

_Static_assert(SOTTO_BASE64_LEN(SOTTO_SHA256_BYTES) == SOTTO_FIELD_ID_LEN, "an id is a SHA-256");

/* --- which members are sealed ------------------------------------------------------------------ */

static bool is_one_of(sotto_span key, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (sotto_span_eq(key, sotto_span_str(*words))) {
            return true;
        }
    }
    return false;
}

bool sotto_privatemode_chat_rule(sotto_span key, const yyjson_mut_val *value)
{
    static const char *const plain[] = {
        "model", "stream_options", "max_tokens", "max_completion_tokens", "n", "stream", NULL,
    };
    (void)value;
    return !is_one_of(key, plain);
}

bool sotto_privatemode_embeddings_rule(sotto_span key, const yyjson_mut_val *value)
{
    (void)value;
    return !sotto_span_eq(key, SOTTO_LIT("model"));
}

bool sotto_privatemode_answer_rule(sotto_span key, const yyjson_mut_val *value)
{
    static const char *const plain[] = {"id", "usage", NULL};
    (void)value;
    return !is_one_of(key, plain);
}

/* --- the exchange ------------------------------------------------------------------------------ */

enum sotto_err sotto_privatemode_id(sotto_span public_key, uint8_t id[SOTTO_FIELD_ID_LEN])
{
    uint8_t hash[SOTTO_SHA256_BYTES];
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_FIELD_ID_LEN);
    enum sotto_err err = sotto_sha256(public_key, hash);
    if (err == SOTTO_OK) {
        err = sotto_base64_write(sotto_span_init(hash, sizeof(hash)), &text);
    }
    if (err == SOTTO_OK) {
        memcpy(id, text.base, SOTTO_FIELD_ID_LEN);
    }
    sotto_buf_free(&text);
    return err;
}

enum sotto_err sotto_privatemode_digest(sotto_span public_key, sotto_span encapsulated,
                                        uint8_t digest[SOTTO_SHA256_BYTES])
{
    const sotto_span parts[] = {public_key, encapsulated};
    return sotto_sha256_parts(parts, SOTTO_COUNT(parts), digest);
}

enum sotto_err sotto_privatemode_binding(sotto_span nonce, sotto_span manifest, sotto_span root_ca,
                                         sotto_span mesh_ca,
                                         uint8_t out[SOTTO_PRIVATEMODE_REPORT_BYTES])
{
    uint8_t step[2][SOTTO_SHA256_BYTES] = {{0}}, root[SOTTO_SHA256_BYTES], mesh[SOTTO_SHA256_BYTES];
    uint8_t transition[SOTTO_SHA256_BYTES];
    memset(out, 0, SOTTO_PRIVATEMODE_REPORT_BYTES);
    enum sotto_err err = sotto_sha256(manifest, step[0]);
    if (err == SOTTO_OK) {
        err = sotto_sha256(sotto_span_init(step, sizeof(step)), transition);
    }
    if (err == SOTTO_OK) {
        err = sotto_sha256(root_ca, root);
    }
    if (err == SOTTO_OK) {
        err = sotto_sha256(mesh_ca, mesh);
    }
    const sotto_span parts[] = {
        nonce,
        sotto_span_init(transition, sizeof(transition)),
        sotto_span_init(root, sizeof(root)),
        sotto_span_init(mesh, sizeof(mesh)),
    };
    return err == SOTTO_OK ? sotto_sha256_parts(parts, SOTTO_COUNT(parts), out) : err;
}
