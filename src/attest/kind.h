/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_ATTEST_KIND_H
#define SOTTO_ATTEST_KIND_H

/* The kinds of evidence, one file each.  For the files of this folder. */

#include "attest/evidence.h"

/** The roots that a chain has to end in, and when. */
struct attest_trust {
    const struct sotto_chain_root *roots;
    size_t root_count;
    int64_t now_s;
};

struct attest_kind {
    const char *name;
    /** As sotto_evidence_read(). */
    enum sotto_err (*read)(sotto_span evidence, struct sotto_claims *claims);
    /** Certificates and signatures of what read() took; errors as sotto_evidence_verify(). */
    enum sotto_err (*prove)(sotto_span evidence, const struct attest_trust *trust,
                            const char **why);
};

extern const struct attest_kind attest_snp;
extern const struct attest_kind attest_tdx;

/** Little-endian numbers of a report; the caller has checked its length. */
static inline uint32_t attest_u16(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static inline uint32_t attest_u32(const uint8_t *at)
{
    return attest_u16(at) | attest_u16(at + 2) << 16;
}

/** Gives up: keeps the clause that says why. */
static inline enum sotto_err attest_fail(const char **why, const char *clause, enum sotto_err err)
{
    *why = clause;
    return err;
}

#endif
