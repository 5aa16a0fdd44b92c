/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/attestor.h"

#include <pthread.h>
#include <stdio.h>

#include "attest/evidence.h"
#include "base/alloc.h"
#include "crypto/random.h"
#include "sys/log.h"
#include "sys/tsm.h"

/* The folder in which is asked: one question at a time. */
#define ATTESTOR_FOLDER "sotto"

_Static_assert(SOTTO_SEAL_REPORT_DATA_BYTES == SOTTO_REPORT_DATA_BYTES,
               "what a report vouches for");
_Static_assert(SOTTO_SEAL_REPORT_DATA_BYTES <= SOTTO_TSM_DATA_MAX, "what the kernel takes");

struct sotto_attestor {
    struct sotto_seal_attestor row;
    enum sotto_tee tee;
    pthread_mutex_t lock;
    char path[256];
};

static enum sotto_tee tee_of(const char *provider)
{
    return strcmp(provider, "sev_guest") == 0   ? SOTTO_TEE_SNP
           : strcmp(provider, "tdx_guest") == 0 ? SOTTO_TEE_TDX
                                                : SOTTO_TEE_NONE;
}

/* Appends evidence that vouches for `data`, and says of what kind it is. */
static enum sotto_err ask(struct sotto_attestor *a, const uint8_t *data, enum sotto_tee *tee,
                          struct sotto_buf *out)
{
    char provider[SOTTO_TSM_PROVIDER_BYTES];
    struct sotto_claims claims;
    struct sotto_buf report, table;
    sotto_buf_init(&report, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&table, SOTTO_BUF_UNBOUNDED);
    pthread_mutex_lock(&a->lock);
    enum sotto_err err = sotto_tsm_report(a->path, ATTESTOR_FOLDER,
                                          sotto_span_init(data, SOTTO_SEAL_REPORT_DATA_BYTES),
                                          provider, &report, &table);
    pthread_mutex_unlock(&a->lock);
    if (err == SOTTO_OK) {
        *tee = tee_of(provider);
        err = *tee == SOTTO_TEE_SNP ? sotto_buf_append(&report, sotto_buf_span(&table)) : SOTTO_OK;
    }
    if (err == SOTTO_OK) {
        err = sotto_evidence_read(*tee, sotto_buf_span(&report), &claims);
    }
    if (err == SOTTO_OK && memcmp(claims.report_data, data, SOTTO_SEAL_REPORT_DATA_BYTES) != 0) {
        err = SOTTO_ESTATE; /* it answers somebody else's question */
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, sotto_buf_span(&report));
    }
    sotto_buf_free(&report);
    sotto_buf_free(&table);
    return err;
}

static enum sotto_err evidence(void *ctx, const uint8_t data[SOTTO_SEAL_REPORT_DATA_BYTES],
                               struct sotto_buf *out)
{
    struct sotto_attestor *a = ctx;
    enum sotto_tee tee = SOTTO_TEE_NONE;
    size_t mark = out->len;
    enum sotto_err err = ask(a, data, &tee, out);
    if (err == SOTTO_OK && tee != a->tee) {
        err = SOTTO_ESTATE;
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
        SOTTO_LOG(SOTTO_LOG_ERROR, "no_evidence", SOTTO_LOG_NOTE("why", sotto_err_text(err)));
    }
    return err == SOTTO_OK || err == SOTTO_ELIMIT || err == SOTTO_ENOMEM ? err : SOTTO_EIO;
}

/* What the machine is.  SOTTO_ENOTFOUND: nothing that can vouch for anything. */
static enum sotto_err look(struct sotto_attestor *a)
{
    uint8_t nonce[SOTTO_SEAL_REPORT_DATA_BYTES];
    struct sotto_buf report;
    sotto_buf_init(&report, SOTTO_EVIDENCE_MAX);
    enum sotto_err err = sotto_crypto_random(nonce, sizeof(nonce));
    if (err == SOTTO_OK) {
        err = ask(a, nonce, &a->tee, &report);
    }
    sotto_buf_free(&report);
    return err;
}

static struct sotto_attestor *make(sotto_span path)
{
    struct sotto_attestor *a = sotto_calloc(1, sizeof(*a));
    if (a == NULL || path.len >= sizeof(a->path) || pthread_mutex_init(&a->lock, NULL) != 0) {
        sotto_free(a);
        return NULL;
    }
    memcpy(a->path, path.base, path.len);
    a->row = (struct sotto_seal_attestor){.tee = sotto_tee_name(SOTTO_TEE_NONE)};
    return a;
}

enum sotto_err sotto_attestor_new(sotto_span path, bool required, struct sotto_attestor **out,
                                  char why[256])
{
    struct sotto_attestor *a = make(path);
    if (a == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = look(a);
    if (err == SOTTO_OK) {
        a->row = (struct sotto_seal_attestor){
            .tee = sotto_tee_name(a->tee), .ctx = a, .evidence = evidence};
        SOTTO_LOG(SOTTO_LOG_INFO, "attested", SOTTO_LOG_NOTE("tee", a->row.tee));
    } else if (required) {
        snprintf(why, 256, "sealing.evidence: sealing.tsm gives no evidence of SEV-SNP or TDX: %s",
                 sotto_err_text(err));
        sotto_attestor_free(a);
        return err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO ? err : SOTTO_EINVAL;
    } else if (err != SOTTO_ENOTFOUND) {
        SOTTO_LOG(SOTTO_LOG_WARN, "no_evidence", SOTTO_LOG_NOTE("why", sotto_err_text(err)));
    }
    *out = a;
    return SOTTO_OK;
}

void sotto_attestor_free(struct sotto_attestor *attestor)
{
    if (attestor != NULL) {
        pthread_mutex_destroy(&attestor->lock);
        sotto_free(attestor);
    }
}

const struct sotto_seal_attestor *sotto_attestor_row(const struct sotto_attestor *attestor)
{
    return &attestor->row;
}
