/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_SECRETS_H
#define SOTTO_STORE_SECRETS_H

/*
 * The master secret, from which all keys of tenants are derived (HKDF-SHA-256, RFC 5869).  It is
 * `secrets.master` of the configuration, shared by a fleet, or the file `secrets` in the state
 * folder: 64 hexadecimal digits and a newline, mode 0600, made at the first start.
 */

#include "base/err.h"
#include "base/span.h"
#include "store/store.h"

#define SOTTO_MASTER_BYTES     32
#define SOTTO_TENANT_KEY_BYTES 32

/** Shortest text that the configuration may give. */
#define SOTTO_MASTER_TEXT_MIN 32

/** What a tenant's key is for; keys for different uses tell nothing about each other. */
enum sotto_tenant_use {
    SOTTO_TENANT_TOKENS, /* vault: tokens of conversations */
    SOTTO_TENANT_USERS,  /* hashes of `user` and `safety_identifier` */
    SOTTO_TENANT_CACHE,  /* cache of findings */
};

/**
 * Reads the master secret of a state folder, or makes it.
 *
 * @param folder    NUL-terminated path of a folder that is there
 * @param[out] out  set only on SOTTO_OK; the caller wipes it
 * @param[out] why  on failure a sentence; may be NULL
 *
 * @retval SOTTO_EDENIED  the file may be read by others
 * @retval SOTTO_EFORMAT  it is not a secret
 * @retval SOTTO_EIO, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_secrets_read(const char *folder,
                                                   uint8_t out[SOTTO_MASTER_BYTES],
                                                   char why[SOTTO_STORE_WHY_BYTES]);

/**
 * The master secret from the configuration's text: its SHA-256 under a name of its own.
 *
 * @retval SOTTO_EINVAL  shorter than SOTTO_MASTER_TEXT_MIN
 * @retval SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_secrets_from_text(sotto_span text,
                                                        uint8_t out[SOTTO_MASTER_BYTES]);

/**
 * A tenant's key for one use.
 *
 * @param[out] out  wiped on failure; the caller wipes it
 * @retval SOTTO_EINVAL  the tenant's name is longer than SOTTO_KEY_NAME_MAX
 * @retval SOTTO_ECRYPTO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_secrets_tenant(const uint8_t master[SOTTO_MASTER_BYTES],
                                                     sotto_span tenant, enum sotto_tenant_use use,
                                                     uint8_t out[SOTTO_TENANT_KEY_BYTES]);

#endif
