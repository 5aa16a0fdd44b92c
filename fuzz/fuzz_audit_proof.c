/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What somebody says about an entry of the audit log.  The first byte says what the rest is:
 *
 *   0  a proof        1  an answer of GET /v1/audit/{id}
 *
 * Oracles: a proof that is read has one form, so it is written as it was; of the log that is made
 * here no record but the one that stands in it is proved.
 */

#include <sotto/proof.h>
#include <stdlib.h>

#include "../tests/audit/proving.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct proving log_here;
static struct sotto_buf log_key;

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void set_up(void)
{
    if (log_key.len == 0) {
        proving_open(&log_here, "log.example");
        sotto_buf_init(&log_key, 1000);
        must(sotto_note_key_write(&log_here.log, &log_key) == SOTTO_OK);
        must(sotto_buf_push(&log_key, '\0') == SOTTO_OK);
    }
}

static void read_proof(sotto_span in)
{
    struct sotto_audit_proof proof;
    struct sotto_buf again;
    if (sotto_audit_proof_read(in, &proof) != SOTTO_OK) {
        return;
    }
    sotto_buf_init(&again, SOTTO_PROOF_MAX_BYTES);
    must(sotto_audit_proof_write(&proof, &again) == SOTTO_OK);
    must(sotto_span_eq(sotto_buf_span(&again), in));
    sotto_buf_free(&again);
}

static void read_answer(sotto_span in)
{
    const struct sotto_proof_trust trust = {.size = sizeof(trust),
                                            .log = (const char *)log_key.base};
    char *record = NULL;
    if (sotto_proof_answer(&trust, "audit_" PROVING_ID, (const char *)in.base, in.len, &record,
                           NULL, NULL) == SOTTO_STATUS_OK) {
        must(record == NULL || strcmp(record, PROVING_RECORD) == 0);
    } else {
        must(record == NULL);
    }
    sotto_text_free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_up();
    if (size > 0 && data[0] == 0) {
        read_proof(sotto_span_init(data + 1, size - 1));
    } else if (size > 0) {
        read_answer(sotto_span_init(data + 1, size - 1));
    }
    return 0;
}
