/* SPDX-License-Identifier: Apache-2.0 */

#include "client/vouch.h"

#include "base/alloc.h"
#include "crypto/base64.h"
#include "seal/native.h"

/* Makers' roots that are known anyway: room for more than there are. */
#define VOUCH_MAKERS_MAX 8

/* --- policies ---------------------------------------------------------------------------------- */

static int digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool read_hex(sotto_span text, uint8_t *out, size_t n)
{
    if (text.len != 2 * n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int high = digit(text.base[2 * i]), low = digit(text.base[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Values of `n` bytes each, with commas between them, behind the first *count ones. */
static enum sotto_err read_list(sotto_span list, uint8_t *values, size_t n, size_t max,
                                size_t *count)
{
    size_t have = *count;
    for (bool more = true; more;) {
        const uint8_t *comma = list.len != 0 ? memchr(list.base, ',', list.len) : NULL;
        size_t len = comma != NULL ? (size_t)(comma - list.base) : list.len;
        if (have == max) {
            return SOTTO_ELIMIT;
        }
        if (!read_hex(sotto_span_sub(list, 0, len), values + have * n, n)) {
            return SOTTO_EFORMAT;
        }
        have++;
        more = comma != NULL;
        list = sotto_span_skip(list, more ? len + 1 : len);
    }
    *count = have;
    return SOTTO_OK;
}

enum sotto_err sotto_vouch_measurements(struct sotto_vouch_policy *policy, sotto_span list)
{
    return read_list(list, policy->measurements[0], SOTTO_MEASUREMENT_BYTES,
                     SOTTO_VOUCH_MEASUREMENTS_MAX, &policy->measurement_count);
}

enum sotto_err sotto_vouch_roots(struct sotto_vouch_policy *policy, sotto_span list)
{
    return read_list(list, policy->roots[0].key, sizeof(policy->roots[0].key),
                     SOTTO_VOUCH_ROOTS_MAX, &policy->root_count);
}

/* --- evidence ---------------------------------------------------------------------------------- */

static enum sotto_err fail(const char **why, const char *clause, enum sotto_err err)
{
    *why = clause;
    return err;
}

static enum sotto_tee tee_of(yyjson_mut_val *attestation)
{
    static const enum sotto_tee known[] = {SOTTO_TEE_SNP, SOTTO_TEE_TDX};
    for (size_t i = 0; i < SOTTO_COUNT(known); i++) {
        if (sotto_json_is(sotto_json_get(attestation, "tee"), sotto_tee_name(known[i]))) {
            return known[i];
        }
    }
    return SOTTO_TEE_NONE;
}

static enum sotto_err verify(const struct sotto_vouch_policy *policy, enum sotto_tee tee,
                             sotto_span evidence,
                             const uint8_t report_data[SOTTO_REPORT_DATA_BYTES], int64_t now_s,
                             const char **why)
{
    struct sotto_chain_root roots[VOUCH_MAKERS_MAX + SOTTO_VOUCH_ROOTS_MAX];
    size_t count = 0;
    struct sotto_claims claims;
    struct sotto_evidence_policy asked = {.now_s = now_s,
                                          .roots = roots,
                                          .measurements = policy->measurements,
                                          .measurement_count = policy->measurement_count};
    for (size_t i = 0; i < sotto_evidence_root_count && i < VOUCH_MAKERS_MAX; i++) {
        roots[count++] = sotto_evidence_roots[i];
    }
    for (size_t i = 0; i < policy->root_count; i++) {
        roots[count++] = policy->roots[i];
    }
    asked.root_count = count;
    memcpy(asked.report_data, report_data, sizeof(asked.report_data));
    return sotto_evidence_verify(tee, evidence, &asked, &claims, why);
}

enum sotto_err sotto_vouch_report(const struct sotto_vouch_policy *policy, yyjson_mut_val *object,
                                  const char *name,
                                  const uint8_t report_data[SOTTO_REPORT_DATA_BYTES], int64_t now_s,
                                  enum sotto_tee *tee, const char **why)
{
    struct sotto_buf evidence;
    enum sotto_tee kind = tee_of(object);
    sotto_span text = sotto_json_text(sotto_json_get(object, name));
    *why = "there is no memory or no cryptography";
    if (kind == SOTTO_TEE_NONE || text.len == 0) {
        return fail(why, "it shows none", SOTTO_EDENIED);
    }
    sotto_buf_init(&evidence, SOTTO_EVIDENCE_MAX);
    enum sotto_err err = sotto_base64_read(text, &evidence);
    if (err == SOTTO_EFORMAT || err == SOTTO_ELIMIT) {
        err = fail(why, "the evidence cannot be read", SOTTO_EFORMAT);
    }
    if (err == SOTTO_OK) {
        err = verify(policy, kind, sotto_buf_span(&evidence), report_data, now_s, why);
    }
    sotto_buf_free(&evidence);
    if (err == SOTTO_OK) {
        *tee = kind;
    }
    return err;
}

enum sotto_err sotto_vouch_check(const struct sotto_vouch_policy *policy,
                                 yyjson_mut_val *attestation,
                                 const uint8_t signing_key[SOTTO_ED25519_PUBLIC_BYTES],
                                 const uint8_t nonce[SOTTO_VOUCH_NONCE_BYTES], int64_t now_s,
                                 enum sotto_tee *tee, const char **why)
{
    uint8_t report_data[SOTTO_REPORT_DATA_BYTES];
    _Static_assert(sizeof(report_data) == SOTTO_SHA256_BYTES + SOTTO_VOUCH_NONCE_BYTES,
                   "the key's hash and the nonce");
    memcpy(report_data + SOTTO_SHA256_BYTES, nonce, SOTTO_VOUCH_NONCE_BYTES);
    *why = "there is no memory or no cryptography";
    enum sotto_err err = sotto_native_evidence_binding(signing_key, report_data);
    return err == SOTTO_OK
               ? sotto_vouch_report(policy, attestation, "evidence", report_data, now_s, tee, why)
               : err;
}
