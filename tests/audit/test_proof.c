/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/proof.h"

#include "base/alloc.h"
#include "proving.h"

static struct proving log_here;

static enum sotto_err check(sotto_span text, const struct sotto_audit_hash *leaf,
                            const struct sotto_audit_trust *trust, uint64_t *size, size_t *cosigned)
{
    struct sotto_audit_proof proof;
    enum sotto_err err = sotto_audit_proof_read(text, &proof);
    return err == SOTTO_OK ? sotto_audit_proof_check(&proof, leaf, trust, size, cosigned) : err;
}

static void test_every_entry(void)
{
    const struct sotto_audit_trust trust = {
        .log = log_here.log, .witnesses = &log_here.witness, .witness_count = 1, .least = 1};
    for (uint64_t i = 0; i < PROVING_ENTRIES; i++) {
        struct sotto_buf text = proving_text(&log_here, i), again;
        struct sotto_audit_proof proof;
        uint64_t size = 0;
        size_t cosigned = 0;
        IS_INT(check(sotto_buf_span(&text), &log_here.leaves[i], &trust, &size, &cosigned),
               SOTTO_OK, "entry %d stands in the log", (int)i);
        OK(size == PROVING_ENTRIES && cosigned == 1, "of which size and witnesses are told");
        IS_INT(check(sotto_buf_span(&text), &log_here.leaves[(i + 1) % PROVING_ENTRIES], &trust,
                     &size, &cosigned),
               SOTTO_EAUTH, "another one does not stand there");
        sotto_buf_init(&again, SOTTO_PROOF_MAX_BYTES);
        IS_INT(sotto_audit_proof_read(sotto_buf_span(&text), &proof), SOTTO_OK, "read");
        IS_INT(sotto_audit_proof_write(&proof, &again), SOTTO_OK, "and written");
        IS_MEM(again.base, again.len, text.base, text.len, "it is the same");
        sotto_buf_free(&again);
        sotto_buf_free(&text);
    }
}

/* Every byte of a proof counts: what it leads to is signed. */
static void test_every_byte(void)
{
    const struct sotto_audit_trust trust = {
        .log = log_here.log, .witnesses = &log_here.witness, .witness_count = 1, .least = 1};
    struct sotto_buf text = proving_text(&log_here, 5);
    size_t wrong = 0, kept = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t size = 77;
        size_t cosigned = 77;
        text.base[i] ^= 1;
        wrong +=
            check(sotto_buf_span(&text), &log_here.leaves[5], &trust, &size, &cosigned) == SOTTO_OK;
        kept += size == 77 && cosigned == 77;
        text.base[i] ^= 1;
        size_t len = text.len;
        text.len = i; /* cut */
        wrong +=
            check(sotto_buf_span(&text), &log_here.leaves[5], &trust, &size, &cosigned) == SOTTO_OK;
        text.len = len;
    }
    IS_SIZE(wrong, 0, "no byte of a proof can be changed, or be missing");
    IS_SIZE(kept, text.len, "and nothing is told of one that does not hold");
    sotto_buf_free(&text);
}

static void test_forms(void)
{
    static const char *const bad[] = {"",
                                      "c2sp.org/tlog-proof@v1\n",
                                      "c2sp.org/tlog-proof@v2\nindex 1\n\nx",
                                      "c2sp.org/tlog-proof@v1\nindex 01\n\nx",
                                      "c2sp.org/tlog-proof@v1\nindex -1\n\nx",
                                      "c2sp.org/tlog-proof@v1\nindex 99999999999999999999\n\nx",
                                      "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx",
                                      "c2sp.org/tlog-proof@v1\nindex 1\nx"};
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        struct sotto_audit_proof proof = {.index = 42};
        IS_INT(sotto_audit_proof_read(sotto_span_str(bad[i]), &proof), SOTTO_EFORMAT,
               "no proof: %zu", i);
        OK(proof.index == 42, "and nothing is set");
    }
}

static void test_too_many_hashes(void)
{
    struct sotto_audit_proof proof;
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    proving_must(sotto_buf_printf(&text, "c2sp.org/tlog-proof@v1\nindex 1\n"));
    for (int i = 0; i <= SOTTO_AUDIT_PATH_MAX; i++) {
        proving_must(sotto_buf_printf(&text, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"));
    }
    proving_must(sotto_buf_printf(&text, "\nx"));
    IS_INT(sotto_audit_proof_read(sotto_buf_span(&text), &proof), SOTTO_EFORMAT,
           "a path is at most as long as the highest tree");
    uint8_t *more = NULL;
    proving_must(sotto_buf_extend(&text, SOTTO_PROOF_MAX_BYTES, &more));
    memset(more, 'x', SOTTO_PROOF_MAX_BYTES);
    IS_INT(sotto_audit_proof_read(sotto_buf_span(&text), &proof), SOTTO_ELIMIT,
           "and a proof has its length");
    sotto_buf_free(&text);
}

static void test_who_signs(void)
{
    struct sotto_note_key both[2] = {log_here.witness, log_here.witness};
    struct sotto_audit_trust trust = {.log = log_here.log};
    struct sotto_buf text = proving_text(&log_here, 0);
    uint64_t size;
    size_t cosigned;
    IS_INT(check(sotto_buf_span(&text), &log_here.leaves[0], &trust, &size, &cosigned), SOTTO_OK,
           "without witnesses the log's key is enough");
    trust.least = 1;
    IS_INT(check(sotto_buf_span(&text), &log_here.leaves[0], &trust, &size, &cosigned), SOTTO_EAUTH,
           "a witness that nobody named has not signed");
    trust.witnesses = both;
    trust.witness_count = 2;
    trust.least = 2;
    IS_INT(check(sotto_buf_span(&text), &log_here.leaves[0], &trust, &size, &cosigned), SOTTO_EAUTH,
           "one that is named twice counts once");
    trust.log.public_key[3] ^= 1;
    trust.least = 0;
    IS_INT(check(sotto_buf_span(&text), &log_here.leaves[0], &trust, &size, &cosigned), SOTTO_EAUTH,
           "another log's key has not signed");
    sotto_buf_free(&text);
}

/* The log's key signs checkpoints of the log's own name only. */
static void test_another_origin(void)
{
    struct proving other;
    proving_open(&other, "other.example");
    struct sotto_audit_trust trust = {.log = other.log};
    struct sotto_buf text = proving_text(&other, 0);
    uint64_t size;
    size_t cosigned;
    IS_INT(check(sotto_buf_span(&text), &other.leaves[0], &trust, &size, &cosigned), SOTTO_EAUTH,
           "a checkpoint of another origin is not believed");
    sotto_buf_free(&text);
    proving_close(&other);
}

static void test_faults(void)
{
    struct sotto_buf text = proving_text(&log_here, 3);
    const struct sotto_audit_trust trust = {.log = log_here.log};
    enum sotto_err err = SOTTO_ENOMEM;
    size_t wrong = 0;
    for (size_t n = 1; n < 1000 && err != SOTTO_OK; n++) {
        uint64_t size = 77;
        size_t cosigned = 77;
        sotto_alloc_set_fault(n);
        err = check(sotto_buf_span(&text), &log_here.leaves[3], &trust, &size, &cosigned);
        sotto_alloc_set_fault(0);
        wrong += err != SOTTO_OK && (size != 77 || cosigned != 77);
        wrong += err != SOTTO_OK && err != SOTTO_ENOMEM && err != SOTTO_ECRYPTO;
    }
    IS_INT(err, SOTTO_OK, "each allocation failed once, and then none");
    IS_SIZE(wrong, 0, "and failed as it should");
    sotto_buf_free(&text);
}

int main(void)
{
    proving_open(&log_here, "log.example");
    test_every_entry();
    test_every_byte();
    test_forms();
    test_too_many_hashes();
    test_who_signs();
    test_another_origin();
    test_faults();
    proving_close(&log_here);
    return done_testing();
}
