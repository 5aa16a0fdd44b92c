/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_ATTEST_EVIDENCE_H
#define SOTTO_ATTEST_EVIDENCE_H

/*
 * Evidence of what machine a gateway runs in: reports of AMD SEV-SNP and Intel TDX, checked up to
 * the public keys of their makers.  A report vouches for 64 bytes that its guest chose, and for a
 * measurement of what was started.
 *
 * In its binary form the evidence of SEV-SNP is the report followed by the host's table of
 * certificates, that of TDX is the quote, which contains its certificates.
 *
 * What is not checked: whether a certificate was revoked, and for TDX the maker's list of
 * platforms whose firmware is out of date (the claims give its version).
 */

#include "crypto/chain.h"

/** Longest evidence that is read. */
#define SOTTO_EVIDENCE_MAX ((size_t)64 << 10)

#define SOTTO_REPORT_DATA_BYTES 64
#define SOTTO_MEASUREMENT_BYTES 48

enum sotto_tee {
    SOTTO_TEE_NONE,
    SOTTO_TEE_SNP,
    SOTTO_TEE_TDX,
};

/** "none", "sev-snp", "tdx". */
const char *sotto_tee_name(enum sotto_tee tee);

/** What evidence says.  Believe it only after sotto_evidence_verify(). */
struct sotto_claims {
    enum sotto_tee tee;
    uint8_t report_data[SOTTO_REPORT_DATA_BYTES];
    uint8_t measurement[SOTTO_MEASUREMENT_BYTES]; /* SNP: MEASUREMENT, TDX: MRTD */
    uint8_t tcb[16]; /* versions of firmware: SNP: REPORTED_TCB (8 bytes), TDX: TEE_TCB_SVN */
    bool debug;      /* the host may look into the guest */
};

/** What a verifier asks for. */
struct sotto_evidence_policy {
    uint8_t report_data[SOTTO_REPORT_DATA_BYTES]; /* must be the report's */
    int64_t now_s;                                /* seconds since 1970 */
    const struct sotto_chain_root *roots;         /* NULL: the makers' */
    size_t root_count;
    const uint8_t (*measurements)[SOTTO_MEASUREMENT_BYTES]; /* the report's must be one of them */
    size_t measurement_count;                               /* 0: any */
    uint8_t tcb_min[16]; /* least version in each place of the claims' */
    bool allow_debug;
};

/** The public keys of AMD's and Intel's roots that are known here. */
extern const struct sotto_chain_root sotto_evidence_roots[];
extern const size_t sotto_evidence_root_count;

/**
 * Reads what evidence says, without believing it.
 *
 * @param[out] claims  set only on SOTTO_OK
 *
 * @retval SOTTO_EFORMAT  not evidence of that kind, or of a version that is not known
 */
SOTTO_MUST_CHECK enum sotto_err sotto_evidence_read(enum sotto_tee tee, sotto_span evidence,
                                                    struct sotto_claims *claims);

/**
 * Checks evidence: the certificates up to a root, the report's signature, and the policy.
 *
 * @param[out] claims  set only on SOTTO_OK
 * @param[out] why     where it fails: one clause, static ("the report's signature is wrong")
 *
 * @retval SOTTO_EFORMAT  not evidence of that kind, or of a version that is not known
 * @retval SOTTO_EAUTH    certificates or signatures do not hold
 * @retval SOTTO_EDENIED  genuine, but not what the policy asks for
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_evidence_verify(enum sotto_tee tee, sotto_span evidence,
                                                      const struct sotto_evidence_policy *policy,
                                                      struct sotto_claims *claims,
                                                      const char **why);

#endif
