/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/proof.h"

#include <inttypes.h>

#include "audit/line.h"
#include "base/ct.h"
#include "crypto/base64.h"

#define PROOF_FIRST SOTTO_LIT("c2sp.org/tlog-proof@v1")
#define PROOF_INDEX SOTTO_LIT("index ")

enum sotto_err sotto_audit_proof_write(const struct sotto_audit_proof *p, struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = sotto_buf_append(out, PROOF_FIRST);
    if (err == SOTTO_OK) {
        err = sotto_buf_printf(out, "\nindex %" PRIu64 "\n", p->index);
    }
    for (size_t i = 0; err == SOTTO_OK && i < p->path.count; i++) {
        err = sotto_base64_write(sotto_span_init(p->path.hashes[i].bytes, SOTTO_AUDIT_HASH_BYTES),
                                 out);
        if (err == SOTTO_OK) {
            err = sotto_buf_push(out, '\n');
        }
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, '\n');
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, p->checkpoint);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

/* The lines up to the blank one. */
static enum sotto_err read_path(sotto_span *rest, struct sotto_audit_path *path)
{
    sotto_span line;
    while (audit_cut(rest, '\n', &line)) {
        if (line.len == 0) {
            return SOTTO_OK;
        }
        if (path->count == SOTTO_AUDIT_PATH_MAX) {
            return SOTTO_EFORMAT;
        }
        enum sotto_err err =
            sotto_base64_read_exact(line, path->hashes[path->count].bytes, SOTTO_AUDIT_HASH_BYTES);
        if (err != SOTTO_OK) {
            return err;
        }
        path->count++;
    }
    return SOTTO_EFORMAT;
}

enum sotto_err sotto_audit_proof_read(sotto_span text, struct sotto_audit_proof *out)
{
    struct sotto_audit_proof p = {.path.count = 0};
    sotto_span first, index;
    if (text.len > SOTTO_PROOF_MAX_BYTES) {
        return SOTTO_ELIMIT;
    }
    if (!audit_cut(&text, '\n', &first) || !sotto_span_eq(first, PROOF_FIRST) ||
        !audit_cut(&text, '\n', &index) || !sotto_span_starts(index, PROOF_INDEX) ||
        !audit_read_number(sotto_span_skip(index, PROOF_INDEX.len), &p.index)) {
        return SOTTO_EFORMAT;
    }
    enum sotto_err err = read_path(&text, &p.path);
    if (err == SOTTO_OK) {
        p.checkpoint = text;
        *out = p;
    }
    return err;
}

/* What the log has signed: its own name stands in it. */
static enum sotto_err read_checkpoint(const struct sotto_note *note,
                                      const struct sotto_note_key *log,
                                      struct sotto_checkpoint *out)
{
    enum sotto_err err = sotto_note_verify(note, log, NULL);
    if (err != SOTTO_OK) {
        return err == SOTTO_ENOTFOUND ? SOTTO_EAUTH : err;
    }
    err = sotto_checkpoint_parse(note->text, out);
    return err == SOTTO_OK && !sotto_span_eq(out->origin, sotto_span_str(log->name)) ? SOTTO_EAUTH
                                                                                     : err;
}

/* A key that is listed twice is one witness. */
static bool listed_before(const struct sotto_audit_trust *trust, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (sotto_ct_equal(trust->witnesses[i].public_key, trust->witnesses[at].public_key,
                           SOTTO_ED25519_PUBLIC_BYTES)) {
            return true;
        }
    }
    return false;
}

static enum sotto_err count_witnesses(const struct sotto_note *note,
                                      const struct sotto_audit_trust *trust, size_t *count)
{
    size_t n = 0;
    for (size_t i = 0; i < trust->witness_count; i++) {
        enum sotto_err err = sotto_note_verify(note, &trust->witnesses[i], NULL);
        if (err != SOTTO_OK && err != SOTTO_ENOTFOUND) {
            return err;
        }
        n += err == SOTTO_OK && !listed_before(trust, i);
    }
    *count = n;
    return n < trust->least ? SOTTO_EAUTH : SOTTO_OK;
}

enum sotto_err sotto_audit_proof_check(const struct sotto_audit_proof *p,
                                       const struct sotto_audit_hash *leaf,
                                       const struct sotto_audit_trust *trust, uint64_t *size,
                                       size_t *cosigned)
{
    struct sotto_note note;
    struct sotto_checkpoint c;
    size_t count = 0;
    enum sotto_err err = sotto_note_parse(p->checkpoint, &note);
    if (err == SOTTO_OK) {
        err = read_checkpoint(&note, &trust->log, &c);
    }
    if (err == SOTTO_OK) {
        err = count_witnesses(&note, trust, &count);
    }
    if (err == SOTTO_OK) {
        err = sotto_audit_inclusion_check(leaf, p->index, c.size, &p->path, &c.root);
    }
    if (err == SOTTO_OK) {
        *size = c.size;
        *cosigned = count;
    }
    return err == SOTTO_ELIMIT ? SOTTO_EFORMAT : err;
}
