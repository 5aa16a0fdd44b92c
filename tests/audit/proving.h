/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_AUDIT_PROVING_H
#define SOTTO_TESTS_AUDIT_PROVING_H

/* A log of a few entries in memory, a witness of it, and proofs. */

#include "audit/entry.h"
#include "audit/proof.h"
#include "crypto/base64.h"
#include "tap/tap.h"
#include "json/json.h"

#define PROVING_ENTRIES 11
#define PROVING_ID      "0123456789abcdefghijkl"
#define PROVING_RECORD  "{\"v\":1,\"id\":\"audit_" PROVING_ID "\",\"status\":200}"

struct proving {
    uint8_t entries[PROVING_ENTRIES][SOTTO_AUDIT_ENTRY_BYTES];
    uint8_t opening[SOTTO_AUDIT_OPENING_BYTES]; /* of all: they have one id */
    struct sotto_audit_hash leaves[PROVING_ENTRIES];
    struct sotto_note_key log, witness;
    struct sotto_buf checkpoint;
};

static inline void proving_must(enum sotto_err err)
{
    if (err != SOTTO_OK) {
        printf("Bail out! no log\n");
        exit(1);
    }
}

static inline enum sotto_err proving_read(void *ctx, unsigned level, uint64_t n, unsigned width,
                                          struct sotto_audit_hash *out)
{
    struct proving *p = ctx;
    if (level != 0 || n != 0 || width > PROVING_ENTRIES) {
        return SOTTO_ENOTFOUND;
    }
    memcpy(out, p->leaves, width * sizeof(*out));
    return SOTTO_OK;
}

static inline void proving_sign(struct proving *p, const char *origin)
{
    static const uint8_t log_seed[SOTTO_ED25519_SEED_BYTES] = {1}, witness_seed[32] = {2};
    uint8_t public_key[SOTTO_ED25519_PUBLIC_BYTES];
    const struct sotto_audit_tiles tiles = {p, proving_read};
    struct sotto_checkpoint c = {.origin = sotto_span_str(origin), .size = PROVING_ENTRIES};
    struct sotto_buf text;
    proving_must(sotto_audit_root_at(&tiles, PROVING_ENTRIES, PROVING_ENTRIES, &c.root));
    proving_must(sotto_ed25519_public(log_seed, public_key));
    proving_must(
        sotto_note_key_make(SOTTO_LIT("log.example"), SOTTO_NOTE_ED25519, public_key, &p->log));
    proving_must(sotto_ed25519_public(witness_seed, public_key));
    proving_must(sotto_note_key_make(SOTTO_LIT("witness.example"), SOTTO_NOTE_COSIGNATURE,
                                     public_key, &p->witness));
    sotto_buf_init(&text, 4096);
    sotto_buf_init(&p->checkpoint, 4096);
    proving_must(sotto_checkpoint_write(&c, &text));
    proving_must(sotto_buf_append(&p->checkpoint, sotto_buf_span(&text)));
    proving_must(sotto_buf_push(&p->checkpoint, '\n'));
    proving_must(sotto_note_sign(&p->log, log_seed, sotto_buf_span(&text), &p->checkpoint));
    proving_must(
        sotto_note_cosign(&p->witness, witness_seed, 1234, sotto_buf_span(&text), &p->checkpoint));
    sotto_buf_free(&text);
}

/* @param origin  what the checkpoint says that it is of */
static inline void proving_open(struct proving *p, const char *origin)
{
    uint8_t key[SOTTO_AUDIT_KEY_BYTES] = {3};
    struct sotto_audit_sealer *sealer = NULL;
    struct sotto_buf sealed;
    *p = (struct proving){.checkpoint = {0}};
    sotto_buf_init(&sealed, (size_t)1 << 20);
    proving_must(sotto_audit_sealer_new(key, &sealer));
    proving_must(sotto_audit_opening(sealer, SOTTO_LIT(PROVING_ID), p->opening));
    for (size_t i = 0; i < PROVING_ENTRIES; i++) {
        char record[32];
        int n = snprintf(record, sizeof(record), "{\"v\":%zu}", i);
        sotto_span text = i == 5 ? SOTTO_LIT(PROVING_RECORD) : sotto_span_init(record, (size_t)n);
        proving_must(sotto_audit_commit(sealer, SOTTO_LIT(PROVING_ID), text, p->entries[i],
                                        &p->leaves[i], &sealed));
    }
    sotto_audit_sealer_free(sealer);
    sotto_buf_free(&sealed);
    proving_sign(p, origin);
}

static inline void proving_close(struct proving *p)
{
    sotto_buf_free(&p->checkpoint);
}

/* The proof of entry `index` as a text. */
static inline struct sotto_buf proving_text(struct proving *p, uint64_t index)
{
    const struct sotto_audit_tiles tiles = {p, proving_read};
    struct sotto_audit_proof proof = {.index = index, .checkpoint = sotto_buf_span(&p->checkpoint)};
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_PROOF_MAX_BYTES);
    proving_must(sotto_audit_inclusion(&tiles, index, PROVING_ENTRIES, &proof.path));
    proving_must(sotto_audit_proof_write(&proof, &out));
    return out;
}

/* What a gateway answers for entry 5, whose record is PROVING_RECORD. */
static inline struct sotto_buf proving_answer(struct proving *p, const char *record)
{
    struct sotto_buf out, proof = proving_text(p, 5);
    sotto_buf_init(&out, (size_t)1 << 20);
    proving_must(sotto_buf_printf(&out, "%s", record));
    proving_must(sotto_json_quote(sotto_buf_span(&proof), true, &out));
    proving_must(sotto_buf_printf(&out, ",\"entry\":\""));
    proving_must(sotto_base64_write(sotto_span_init(p->entries[5], sizeof(p->entries[5])), &out));
    proving_must(sotto_buf_printf(&out, "\",\"opening\":\""));
    proving_must(sotto_base64_write(sotto_span_init(p->opening, sizeof(p->opening)), &out));
    proving_must(sotto_buf_printf(&out, "\"}"));
    sotto_buf_free(&proof);
    return out;
}

#endif
