/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_MESH_TRUST_H
#define SOTTO_CRYPTO_MESH_TRUST_H

/*
 * The client's side of a mesh (crypto/mesh.h): which authority it is, and whether one of its leaves
 * signed a digest.  X.509 v3 (RFC 5280), ECDSA (FIPS 186-5) on any curve.
 */

#include "base/err.h"
#include "base/span.h"
#include "crypto/hash.h"

/** Longest PEM text and longest certificate that is read. */
#define SOTTO_MESH_TRUST_BYTES_MAX ((size_t)64 << 10)

/**
 * Names an authority: SHA-256 of its certificate in DER.
 *
 * @param ca_pem    must hold exactly one certificate
 * @param[out] out  set only on SOTTO_OK
 *
 * @retval SOTTO_EFORMAT  it does not, or is too long
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mesh_ca_name(sotto_span ca_pem,
                                                   uint8_t out[SOTTO_SHA256_BYTES]);

/**
 * Whether one of the certificates in a PEM text is the authority with this name.
 *
 * @retval SOTTO_EDENIED  none is
 * @retval SOTTO_EFORMAT  no certificates, or one that cannot be read
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mesh_ca_listed(sotto_span pem,
                                                     const uint8_t name[SOTTO_SHA256_BYTES]);

/**
 * Whether a leaf signed a digest that the authority itself issued for TLS servers and that is valid
 * now (RFC 5280 6.1, 4.2.1.12).
 *
 * @param ca_pem     as for sotto_mesh_ca_name(); it need not be its own root
 * @param leaf       in DER
 * @param now_s      seconds since 1970
 * @param signature  ASN.1 DER
 *
 * @retval SOTTO_EAUTH    it did not, or the authority did not issue it for that
 * @retval SOTTO_EFORMAT  one of them is no certificate
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mesh_signed(sotto_span ca_pem, sotto_span leaf, int64_t now_s,
                                                  const uint8_t digest[SOTTO_SHA256_BYTES],
                                                  sotto_span signature);

#endif
