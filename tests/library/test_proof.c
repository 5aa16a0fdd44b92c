/* SPDX-License-Identifier: Apache-2.0 */

#include <sotto/proof.h>

#include "../audit/proving.h"
#include "base/alloc.h"
#include "words.h"

static struct proving log_here;
static struct sotto_buf log_key, witness_key;

static struct sotto_proof_trust believed(void)
{
    return (struct sotto_proof_trust){.size = sizeof(struct sotto_proof_trust),
                                      .log = (const char *)log_key.base};
}

static void test_entries(void)
{
    const struct sotto_proof_trust trust = believed();
    struct sotto_proof_place place = {.size = sizeof(place)};
    struct sotto_buf proof = proving_text(&log_here, 5);
    const char *text = (const char *)proof.base;
    IS_INT(sotto_proof_entry(&trust, log_here.entries[5], SOTTO_AUDIT_ENTRY_BYTES, text, proof.len,
                             &place),
           SOTTO_STATUS_OK, "an entry stands in the log");
    OK(place.index == 5 && place.entries == PROVING_ENTRIES && place.witnesses == 0,
       "and it is told where");
    IS_INT(sotto_proof_entry(&trust, log_here.entries[4], SOTTO_AUDIT_ENTRY_BYTES, text, proof.len,
                             &place),
           SOTTO_STATUS_REFUSED, "another one does not");
    IS_INT(sotto_proof_entry(&trust, log_here.entries[5], 3, text, proof.len, NULL),
           SOTTO_STATUS_REFUSED, "a part of one is none");
    IS_INT(sotto_proof_entry(&trust, log_here.entries[5], SOTTO_AUDIT_ENTRY_BYTES, "x", 1, NULL),
           SOTTO_STATUS_FORMAT, "no proof");
    sotto_buf_free(&proof);
}

static void test_witnesses(void)
{
    const char *const named[] = {(const char *)witness_key.base, NULL};
    struct sotto_proof_trust trust = believed();
    struct sotto_proof_place place = {.size = sizeof(place)};
    struct sotto_buf proof = proving_text(&log_here, 0);
    const char *text = (const char *)proof.base;
    trust.witnesses = named;
    trust.least_witnesses = 1;
    IS_INT(sotto_proof_entry(&trust, log_here.entries[0], SOTTO_AUDIT_ENTRY_BYTES, text, proof.len,
                             &place),
           SOTTO_STATUS_OK, "a witness has cosigned");
    IS_SIZE(place.witnesses, 1, "and is counted");
    trust.least_witnesses = 2;
    IS_INT(sotto_proof_entry(&trust, log_here.entries[0], SOTTO_AUDIT_ENTRY_BYTES, text, proof.len,
                             &place),
           SOTTO_STATUS_REFUSED, "but not two");
    sotto_buf_free(&proof);
}

static void test_keys(void)
{
    const char *const no_witness[] = {(const char *)log_key.base, NULL};
    struct sotto_proof_trust trust[] = {believed(), believed(), believed(), believed(), believed()};
    trust[0].log = NULL;
    trust[1].log = "log.example+00000000+AAAA";
    trust[2].log = (const char *)witness_key.base;
    trust[3].witnesses = no_witness;
    trust[4].size = 3;
    struct sotto_buf proof = proving_text(&log_here, 0);
    for (size_t i = 0; i < SOTTO_COUNT(trust); i++) {
        IS_INT(sotto_proof_entry(&trust[i], log_here.entries[0], SOTTO_AUDIT_ENTRY_BYTES,
                                 (const char *)proof.base, proof.len, NULL),
               SOTTO_STATUS_OPTION, "no key that could be believed: %zu", i);
    }
    sotto_buf_free(&proof);
}

static void test_records(void)
{
    const char *record = PROVING_RECORD;
    IS_INT(sotto_proof_record(log_here.entries[5], SOTTO_AUDIT_ENTRY_BYTES, log_here.opening,
                              record, strlen(record)),
           SOTTO_STATUS_OK, "a record belongs to its entry");
    IS_INT(sotto_proof_record(log_here.entries[5], SOTTO_AUDIT_ENTRY_BYTES, log_here.opening,
                              record, strlen(record) - 1),
           SOTTO_STATUS_REFUSED, "byte for byte");
    IS_INT(sotto_proof_record(log_here.entries[4], SOTTO_AUDIT_ENTRY_BYTES, log_here.opening,
                              record, strlen(record)),
           SOTTO_STATUS_REFUSED, "and to no other one");
}

static enum sotto_status ask(const char *id, const char *begin, char **record,
                             struct sotto_proof_place *place)
{
    const struct sotto_proof_trust trust = believed();
    struct sotto_buf answer = proving_answer(&log_here, begin);
    enum sotto_status status =
        sotto_proof_answer(&trust, id, (const char *)answer.base, answer.len, record, NULL, place);
    sotto_buf_free(&answer);
    return status;
}

static void test_answers(void)
{
    struct sotto_proof_place place = {.size = sizeof(place)};
    char *record = NULL, *none = NULL;
    IS_INT(ask("audit_" PROVING_ID, "{\"record\":" PROVING_RECORD ",\"proof\":", &record, &place),
           SOTTO_STATUS_OK, "an answer of the gateway is proved");
    IS_STR(record, PROVING_RECORD, "and its record put out");
    OK(place.index == 5, "with its place");
    sotto_text_free(record);
    record = NULL;
    IS_INT(ask("audit_" PROVING_ID, "{\"erased\":true,\"proof\":", &record, NULL), SOTTO_STATUS_OK,
           "the entry of an erased one stands there still");
    OK(record == NULL, "without a record");
    IS_INT(ask("audit_" PROVING_ID, "{\"record\":{\"v\":2},\"proof\":", &none, NULL),
           SOTTO_STATUS_REFUSED, "another record is refused");
    IS_INT(ask("audit_1123456789abcdefghijkl", "{\"record\":" PROVING_RECORD ",\"proof\":", &none,
               NULL),
           SOTTO_STATUS_REFUSED, "and the entry of another id");
    IS_INT(ask("", "{\"record\":" PROVING_RECORD ",\"proof\":", &none, NULL), SOTTO_STATUS_REFUSED,
           "no id");
    IS_INT(ask("audit_" PROVING_ID, "{\"erased\":false,\"proof\":", &none, NULL),
           SOTTO_STATUS_FORMAT, "neither a record nor erased");
    IS_INT(ask("audit_" PROVING_ID, "{\"status\":\"pending\",\"x\":", &none, NULL),
           SOTTO_STATUS_FORMAT, "no proof at all");
    OK(none == NULL, "nothing was put out");
}

/* Every byte of what the gateway says counts, but for the line of a witness that nobody asked for. */
static void test_every_byte(void)
{
    const struct sotto_proof_trust trust = believed();
    struct sotto_buf answer =
        proving_answer(&log_here, "{\"record\":" PROVING_RECORD ",\"proof\":");
    const uint8_t *from = memmem(answer.base, answer.len, "witness.example", 15);
    const uint8_t *to = memmem(answer.base, answer.len, "\",\"entry\"", 9);
    size_t taken = 0, others = 0;
    for (size_t i = 0; i < answer.len; i++) {
        bool asked_for = answer.base + i < from || answer.base + i >= to;
        char *record = NULL;
        answer.base[i] ^= 1;
        if (sotto_proof_answer(&trust, "audit_" PROVING_ID, (const char *)answer.base, answer.len,
                               &record, NULL, NULL) == SOTTO_STATUS_OK) {
            taken += asked_for;
            others += strcmp(record, PROVING_RECORD) != 0;
        }
        sotto_text_free(record);
        answer.base[i] ^= 1;
    }
    IS_SIZE(taken, 0, "no byte of an answer can be changed");
    IS_SIZE(others, 0, "and no record is put out but the entry's");
    sotto_buf_free(&answer);
}

static void test_faults(void)
{
    enum sotto_status status = SOTTO_STATUS_MEMORY;
    size_t wrong = 0;
    const struct sotto_proof_trust trust = believed();
    struct sotto_buf answer =
        proving_answer(&log_here, "{\"record\":" PROVING_RECORD ",\"proof\":");
    for (size_t n = 1; n < 5000 && status != SOTTO_STATUS_OK; n++) {
        char *record = NULL;
        sotto_alloc_set_fault(n);
        status = sotto_proof_answer(&trust, "audit_" PROVING_ID, (const char *)answer.base,
                                    answer.len, &record, NULL, NULL);
        sotto_alloc_set_fault(0);
        wrong +=
            status != SOTTO_STATUS_OK &&
            (record != NULL || (status != SOTTO_STATUS_MEMORY && status != SOTTO_STATUS_CRYPTO));
        sotto_text_free(record);
    }
    IS_INT(status, SOTTO_STATUS_OK, "each allocation failed once, and then none");
    IS_SIZE(wrong, 0, "and nothing was put out");
    sotto_buf_free(&answer);
}

int main(void)
{
    proving_open(&log_here, "log.example");
    sotto_buf_init(&log_key, 1000);
    sotto_buf_init(&witness_key, 1000);
    proving_must(sotto_note_key_write(&log_here.log, &log_key));
    proving_must(sotto_buf_push(&log_key, '\0'));
    proving_must(sotto_note_key_write(&log_here.witness, &witness_key));
    proving_must(sotto_buf_push(&witness_key, '\0'));
    test_entries();
    test_witnesses();
    test_keys();
    test_records();
    test_answers();
    test_every_byte();
    test_faults();
    sotto_buf_free(&log_key);
    sotto_buf_free(&witness_key);
    proving_close(&log_here);
    return done_testing();
}
