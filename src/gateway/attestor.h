/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ATTESTOR_H
#define SOTTO_GATEWAY_ATTESTOR_H

/*
 * Who can say in what kind of machine the gateway runs: SEV-SNP or TDX through the kernel's
 * interface (sys/tsm.h), or nobody.
 */

#include "seal/profile.h"

struct sotto_attestor;

/**
 * Asks the kernel for one report, to see what there is.
 *
 * @param path      SOTTO_TSM_PATH or a folder that behaves alike; borrowed, must outlive it
 * @param required  not to have any evidence is a failure
 * @param[out] out  set only on SOTTO_OK; freed with sotto_attestor_free()
 * @param[out] why  on failure a sentence
 *
 * @retval SOTTO_EINVAL  there is no evidence and it is required, or the report is not about what
 *                       was asked
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_attestor_new(sotto_span path, bool required,
                                                   struct sotto_attestor **out, char why[256]);

/** NULL is allowed. */
void sotto_attestor_free(struct sotto_attestor *attestor);

/** The row for the profiles; as long as the attestor.  Thread-safe. */
const struct sotto_seal_attestor *sotto_attestor_row(const struct sotto_attestor *attestor);

#endif
