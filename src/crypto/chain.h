/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_CHAIN_H
#define SOTTO_CRYPTO_CHAIN_H

/*
 * Certificates of hardware makers (X.509 v3, RFC 5280) and what their keys sign.  A root is known
 * by the SHA-256 of its public key (SubjectPublicKeyInfo in DER), so that no certificate has to be
 * kept: the chain that comes with a report contains its root.
 */

#include "base/err.h"
#include "base/span.h"
#include "crypto/hash.h"

/** Most certificates of a chain, and their length together as they come. */
#define SOTTO_CHAIN_CERTS_MAX 8
#define SOTTO_CHAIN_BYTES_MAX ((size_t)64 << 10)

struct sotto_chain;

/** SHA-256 of a root's public key. */
struct sotto_chain_root {
    uint8_t key[SOTTO_SHA256_BYTES];
};

/** An empty chain.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_chain_new(struct sotto_chain **out);

/** NULL is allowed. */
void sotto_chain_free(struct sotto_chain *chain);

/**
 * Adds one certificate in DER, or all of a PEM text; the first one ever added is the leaf, the
 * order of the others does not matter.  Bytes behind the last one must be white space or NUL.
 *
 * @retval SOTTO_EFORMAT  not a certificate
 * @retval SOTTO_ELIMIT   too many, or too long
 * @retval SOTTO_ENOMEM   in each case the chain may have grown, and may be freed only
 */
SOTTO_MUST_CHECK enum sotto_err sotto_chain_add(struct sotto_chain *chain, sotto_span certs);

/**
 * Whether the leaf is certified by one of the roots at the time `now_s`, by way of the other
 * certificates: signatures, validity, authority and key usage (RFC 5280 6.1).
 *
 * @retval SOTTO_EAUTH   it is not
 * @retval SOTTO_ESTATE  the chain is empty
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_chain_verify(struct sotto_chain *chain,
                                                   const struct sotto_chain_root *roots,
                                                   size_t root_count, int64_t now_s);

/**
 * The value of an extension of the leaf.
 *
 * @param oid         in dotted form
 * @param[out] value  what its OCTET STRING holds; as long as the chain; set only on SOTTO_OK
 *
 * @retval SOTTO_ENOTFOUND  the leaf has none
 * @retval SOTTO_EFORMAT    it has more than one
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_chain_extension(const struct sotto_chain *chain,
                                                      const char *oid, sotto_span *value);

enum sotto_ecdsa {
    SOTTO_ECDSA_P256, /* with SHA-256 */
    SOTTO_ECDSA_P384, /* with SHA-384 */
};

/**
 * Whether the leaf's key, which must be on that curve, signed `data` (ECDSA, FIPS 186-5).
 *
 * @param signature  r and s, each as long as the curve, most significant byte first
 *
 * @retval SOTTO_EAUTH   it did not
 * @retval SOTTO_ESTATE  the chain is empty
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_chain_signed(const struct sotto_chain *chain,
                                                   enum sotto_ecdsa kind, sotto_span data,
                                                   sotto_span signature);

/** As sotto_chain_signed(), for a bare key on P-256: x and y, 64 bytes. */
SOTTO_MUST_CHECK enum sotto_err sotto_ecdsa_signed(const uint8_t key[64], sotto_span data,
                                                   sotto_span signature);

#endif
