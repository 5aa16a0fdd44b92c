/* SPDX-License-Identifier: Apache-2.0 */

#include <sotto/proof.h>

#include <stddef.h>

#include "audit/entry.h"
#include "audit/proof.h"
#include "base/alloc.h"
#include "crypto/base64.h"
#include "library/status.h"
#include "json/json.h"

/* Longest answer of GET /v1/audit/{id}, and its nesting. */
#define PROOF_ANSWER_MAX ((size_t)1 << 20)
#define PROOF_DEPTH_MAX  8
/* Most witnesses that are believed. */
#define PROOF_WITNESSES_MAX 64
#define PROOF_ID_PREFIX     SOTTO_LIT("audit_")

/* --- who is believed --------------------------------------------------------------------------- */

static enum sotto_err read_key(const char *text, enum sotto_note_type type,
                               struct sotto_note_key *out)
{
    enum sotto_err err = sotto_note_key_parse(sotto_span_str(text), out);
    return err == SOTTO_OK && out->type != type ? SOTTO_EFORMAT : err;
}

static enum sotto_err read_witnesses(const char *const *texts, struct sotto_note_key **keys,
                                     size_t *count)
{
    size_t n = 0;
    while (texts != NULL && texts[n] != NULL && n <= PROOF_WITNESSES_MAX) {
        n++;
    }
    if (n == 0) {
        return SOTTO_OK;
    }
    *keys = n <= PROOF_WITNESSES_MAX ? sotto_calloc(n, sizeof(**keys)) : NULL;
    enum sotto_err err = n > PROOF_WITNESSES_MAX ? SOTTO_EINVAL
                         : *keys == NULL         ? SOTTO_ENOMEM
                                                 : SOTTO_OK;
    for (size_t i = 0; err == SOTTO_OK && i < n; i++) {
        err = read_key(texts[i], SOTTO_NOTE_COSIGNATURE, &(*keys)[i]);
    }
    *count = n;
    return err;
}

/* @param keys  gets the memory of the witnesses, for the caller to free in any case */
static enum sotto_err read_trust(const struct sotto_proof_trust *given,
                                 struct sotto_audit_trust *out, struct sotto_note_key **keys)
{
    *out = (struct sotto_audit_trust){.least = 0};
    if (given->size != sizeof(*given) || given->log == NULL) {
        return SOTTO_EINVAL;
    }
    enum sotto_err err = read_key(given->log, SOTTO_NOTE_ED25519, &out->log);
    if (err == SOTTO_OK) {
        err = read_witnesses(given->witnesses, keys, &out->witness_count);
    }
    out->witnesses = *keys;
    out->least = given->least_witnesses;
    return err == SOTTO_EFORMAT ? SOTTO_EINVAL : err;
}

/* --- entries ----------------------------------------------------------------------------------- */

/* The leaf of an entry of this version. */
static enum sotto_err leaf_of(sotto_span entry, struct sotto_audit_hash *out)
{
    return sotto_audit_entry_valid(entry) ? sotto_audit_leaf(entry, out) : SOTTO_EAUTH;
}

static enum sotto_err prove(const struct sotto_proof_trust *given, sotto_span entry,
                            sotto_span text, struct sotto_proof_place *place)
{
    struct sotto_audit_trust trust;
    struct sotto_audit_proof proof;
    struct sotto_audit_hash leaf;
    struct sotto_note_key *keys = NULL;
    uint64_t entries = 0;
    size_t witnesses = 0;
    if (place != NULL && place->size != sizeof(*place)) {
        return SOTTO_EINVAL;
    }
    enum sotto_err err = read_trust(given, &trust, &keys);
    if (err == SOTTO_OK) {
        err = sotto_audit_proof_read(text, &proof);
        err = err == SOTTO_ELIMIT ? SOTTO_EFORMAT : err;
    }
    if (err == SOTTO_OK) {
        err = leaf_of(entry, &leaf);
    }
    if (err == SOTTO_OK) {
        err = sotto_audit_proof_check(&proof, &leaf, &trust, &entries, &witnesses);
    }
    if (err == SOTTO_OK && place != NULL) {
        *place = (struct sotto_proof_place){sizeof(*place), proof.index, entries, witnesses};
    }
    sotto_free(keys);
    return err;
}

enum sotto_status sotto_proof_entry(const struct sotto_proof_trust *trust,
                                    const unsigned char *entry, size_t entry_len, const char *proof,
                                    size_t proof_len, struct sotto_proof_place *place)
{
    return sotto_status_of(
        prove(trust, sotto_span_init(entry, entry_len), sotto_span_init(proof, proof_len), place));
}

enum sotto_status sotto_proof_record(const unsigned char *entry, size_t entry_len,
                                     const unsigned char *opening, const char *record,
                                     size_t record_len)
{
    sotto_span bytes = sotto_span_init(entry, entry_len);
    return sotto_status_of(
        sotto_audit_entry_valid(bytes)
            ? sotto_audit_opening_check(entry, opening, sotto_span_init(record, record_len))
            : SOTTO_EAUTH);
}

/* --- whole answers ----------------------------------------------------------------------------- */

static enum sotto_err read_bytes(yyjson_mut_val *root, const char *key, uint8_t *out, size_t n)
{
    return sotto_base64_read_exact(sotto_json_text(sotto_json_get(root, key)), out, n);
}

/* The record, where there is one, belongs to the entry. */
static enum sotto_err check_record(yyjson_mut_val *root, const uint8_t *entry,
                                   struct sotto_buf *record, bool *erased)
{
    uint8_t opening[SOTTO_AUDIT_OPENING_BYTES];
    yyjson_mut_val *said = sotto_json_get(root, "record");
    *erased = said == NULL && yyjson_mut_is_true(sotto_json_get(root, "erased"));
    if (*erased) {
        return SOTTO_OK;
    }
    if (!yyjson_mut_is_obj(said)) {
        return SOTTO_EFORMAT;
    }
    enum sotto_err err = read_bytes(root, "opening", opening, sizeof(opening));
    if (err == SOTTO_OK) {
        err = sotto_json_write(said, record);
    }
    if (err == SOTTO_OK) {
        err = sotto_audit_opening_check(entry, opening, sotto_buf_span(record));
    }
    sotto_wipe(opening, sizeof(opening));
    return err;
}

static enum sotto_err check_answer(const struct sotto_proof_trust *trust, sotto_span id,
                                   yyjson_mut_val *root, struct sotto_buf *record, bool *erased,
                                   struct sotto_proof_place *place)
{
    uint8_t entry[SOTTO_AUDIT_ENTRY_BYTES];
    yyjson_mut_val *proof = sotto_json_get(root, "proof");
    enum sotto_err err = read_bytes(root, "entry", entry, sizeof(entry));
    if (err == SOTTO_OK && !yyjson_mut_is_str(proof)) {
        err = SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK &&
        (!sotto_span_starts(id, PROOF_ID_PREFIX) ||
         !sotto_span_eq(sotto_span_skip(id, PROOF_ID_PREFIX.len), sotto_audit_entry_id(entry)))) {
        err = SOTTO_EAUTH;
    }
    if (err == SOTTO_OK) {
        err = check_record(root, entry, record, erased);
    }
    if (err == SOTTO_OK) { /* the last step: it says what was proved */
        err = prove(trust, sotto_span_init(entry, sizeof(entry)), sotto_json_text(proof), place);
    }
    return err;
}

/* As sotto_status_put() where there is no record. */
static enum sotto_status put_none(enum sotto_err err, struct sotto_buf *text, char **record,
                                  size_t *record_len)
{
    sotto_buf_free(text);
    if (err == SOTTO_OK) {
        *record = NULL;
        if (record_len != NULL) {
            *record_len = 0;
        }
    }
    return sotto_status_of(err);
}

enum sotto_status sotto_proof_answer(const struct sotto_proof_trust *trust, const char *id,
                                     const char *answer, size_t len, char **record,
                                     size_t *record_len, struct sotto_proof_place *place)
{
    struct sotto_proof_place proved = {.size = sizeof(proved)};
    struct sotto_buf text;
    yyjson_mut_doc *doc = NULL;
    bool erased = false;
    sotto_buf_init(&text, PROOF_ANSWER_MAX);
    if (place != NULL && place->size != sizeof(*place)) {
        return SOTTO_STATUS_OPTION;
    }
    enum sotto_err err = len <= PROOF_ANSWER_MAX ? sotto_json_read(sotto_span_init(answer, len),
                                                                   PROOF_DEPTH_MAX, &doc, NULL)
                                                 : SOTTO_EFORMAT;
    if (err == SOTTO_OK) {
        err = check_answer(trust, sotto_span_str(id), yyjson_mut_doc_get_root(doc), &text, &erased,
                           &proved);
    }
    sotto_json_free(doc);
    enum sotto_status status = erased ? put_none(err, &text, record, record_len)
                                      : sotto_status_put(err, &text, record, record_len);
    if (status == SOTTO_STATUS_OK && place != NULL) {
        *place = proved;
    }
    return status;
}
