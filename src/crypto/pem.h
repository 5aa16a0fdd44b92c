/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_PEM_H
#define SOTTO_CRYPTO_PEM_H

/**
 * OpenSSL's pem_password_cb for every text that is read: there is no pass phrase, and nobody is asked
 * for one.  Without it a text that says it is encrypted (RFC 1421 4.6.1.1) stops the process at the
 * terminal until somebody types.
 */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is OpenSSL's. */
static inline int sotto_pem_no_phrase(char *buf, int size, int writes, void *ctx)
{
    (void)buf;
    (void)size;
    (void)writes;
    (void)ctx;
    return -1;
}

#endif
