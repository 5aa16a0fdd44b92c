/* SPDX-License-Identifier: Apache-2.0 */

#include "client/vouch.h"

#include "../attest/vectors.h"
#include "base/alloc.h"
#include "crypto/base64.h"

/* When the certificates of the reports were valid. */
#define VALID_S 1770700000

static const uint8_t key[SOTTO_ED25519_PUBLIC_BYTES] = {1}, nonce[SOTTO_VOUCH_NONCE_BYTES] = {2};

static void test_lists(void)
{
    static const char one[] = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
    static const char *const bad[] = {"", ",", "00", "zz", "0001,", "0g"};
    struct sotto_vouch_policy policy = {.root_count = 0};
    IS_INT(sotto_vouch_roots(&policy, SOTTO_LIT(one)), SOTTO_OK, "a root");
    OK(policy.root_count == 1 && policy.roots[0].key[31] == 0x1f, "is read");
    for (size_t i = 1; i < SOTTO_VOUCH_ROOTS_MAX; i++) {
        IS_INT(sotto_vouch_roots(&policy, SOTTO_LIT(one)), SOTTO_OK, "another one");
    }
    IS_INT(sotto_vouch_roots(&policy, SOTTO_LIT(one)), SOTTO_ELIMIT,
           "but not more than there may be");
    IS_SIZE(policy.root_count, SOTTO_VOUCH_ROOTS_MAX, "those that were there stay");
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        IS_INT(sotto_vouch_measurements(&policy, sotto_span_str(bad[i])), SOTTO_EFORMAT,
               "no measurement: '%s'", bad[i]);
    }
    IS_SIZE(policy.measurement_count, 0, "none of them was taken");
}

/* What is said of {"tee": tee, "evidence": evidence}; evidence NULL: the member is missing. */
static enum sotto_err check(const char *tee, const char *evidence, const char **why)
{
    const struct sotto_vouch_policy policy = {.root_count = 0};
    enum sotto_tee found = SOTTO_TEE_NONE;
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, object, "tee", tee);
    if (evidence != NULL) {
        yyjson_mut_obj_add_str(doc, object, "evidence", evidence);
    }
    enum sotto_err err = sotto_vouch_check(&policy, object, key, nonce, VALID_S, &found, why);
    OK(found == SOTTO_TEE_NONE, "nothing is said about the machine");
    sotto_json_free(doc);
    return err;
}

static void test_refused(void)
{
    const struct sotto_vouch_policy policy = {.root_count = 0};
    enum sotto_tee tee = SOTTO_TEE_NONE;
    const char *why = NULL;
    IS_INT(sotto_vouch_check(&policy, NULL, key, nonce, VALID_S, &tee, &why), SOTTO_EDENIED,
           "no attestation");
    IS_INT(check("none", NULL, &why), SOTTO_EDENIED, "no environment");
    IS_INT(check("sgx", "AAAA", &why), SOTTO_EDENIED, "one that is not known");
    IS_INT(check("sev-snp", NULL, &why), SOTTO_EDENIED, "no evidence");
    IS_INT(check("sev-snp", "no base64!", &why), SOTTO_EFORMAT, "evidence in no base64");
    IS_INT(check("tdx", "AAAA", &why), SOTTO_EFORMAT, "evidence that is none");
    OK(strcmp(why, "the evidence cannot be read") == 0, "and it is said: %s", why);
}

/* Genuine, but about other keys: all of it holds but the last step. */
static void test_somebody_else(void)
{
    struct sotto_buf quote, text;
    const char *why = NULL;
    sotto_buf_init(&quote, SOTTO_EVIDENCE_MAX);
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    if (!vector_append("tdx5.dat", &quote)) {
        OK(true, "somebody else's evidence # SKIP SOTTO_DATA has none");
    } else if (sotto_base64_write(sotto_buf_span(&quote), &text) == SOTTO_OK &&
               sotto_buf_push(&text, '\0') == SOTTO_OK) {
        IS_INT(check("tdx", (const char *)text.base, &why), SOTTO_EDENIED,
               "somebody else's evidence");
        OK(strcmp(why, "the report vouches for other keys") == 0, "vouches for nothing: %s", why);
        IS_INT(check("sev-snp", (const char *)text.base, &why), SOTTO_EFORMAT,
               "nor is it another machine's");
    }
    sotto_buf_free(&quote);
    sotto_buf_free(&text);
}

int main(void)
{
    test_lists();
    test_refused();
    test_somebody_else();
    return done_testing();
}
