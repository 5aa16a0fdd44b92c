/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_TENANTS_H
#define SOTTO_GATEWAY_TENANTS_H

/*
 * The keys of tenants, derived from the master secret (store/secrets.h) and kept, since a
 * derivation costs more than the rest of a small request.  Bounded; wiped.  Not thread-safe.
 */

#include "pipeline/masking.h"
#include "store/secrets.h"

/** Most tenants whose keys are kept; the table starts anew when it is full. */
#define SOTTO_TENANTS_KEPT 4096

struct sotto_tenants;

/** @param master  copied.  @retval SOTTO_ENOMEM, SOTTO_ECRYPTO */
SOTTO_MUST_CHECK enum sotto_err sotto_tenants_new(const uint8_t master[SOTTO_MASTER_BYTES],
                                                  struct sotto_tenants **out);

/** Wipes and frees; NULL is allowed. */
void sotto_tenants_free(struct sotto_tenants *tenants);

/**
 * Keys of a tenant, copied to `out`, which the caller wipes.
 *
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO  `out` wiped
 */
SOTTO_MUST_CHECK enum sotto_err sotto_tenants_keys(struct sotto_tenants *tenants, sotto_span tenant,
                                                   struct sotto_masking_keys *out);

#endif
