/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_MESH_H
#define SOTTO_CRYPTO_MESH_H

/*
 * A mesh: a certificate authority of our own and one certificate that it issued, with which the
 * gateway signs what it exchanges with clients (docs/wire/privatemode.md).  X.509 v3 (RFC 5280)
 * with keys on P-256 and ECDSA with SHA-256.
 *
 * Each of the two is stored as one PEM text: the private key (PKCS #8), then the certificate.
 */

#include "base/buf.h"
#include "crypto/hash.h"

/** Longest PEM text of a key and its certificate. */
#define SOTTO_MESH_PEM_MAX 8192

/** How long a new authority and a new leaf are valid. */
#define SOTTO_MESH_CA_DAYS   7300
#define SOTTO_MESH_LEAF_DAYS 3650

struct sotto_mesh;

/**
 * Makes a certificate authority.
 *
 * @param now_s         seconds since 1970; it is valid from an hour before
 * @param[out] ca_pem   appended
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO  `ca_pem` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mesh_make_ca(int64_t now_s, struct sotto_buf *ca_pem);

/**
 * Makes a key and has its certificate issued by the authority: for digital signatures, of a TLS
 * server (that is what the verifiers of clients ask for).
 *
 * @param[out] leaf_pem  appended
 *
 * @retval SOTTO_EFORMAT  `ca_pem` is no key with its certificate, or that of no authority
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO  `leaf_pem` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mesh_make_leaf(sotto_span ca_pem, int64_t now_s,
                                                     struct sotto_buf *leaf_pem);

/**
 * Reads both and checks that the keys are those of the certificates, that the authority is one and
 * that it issued the leaf.
 *
 * @param[out] out  set only on SOTTO_OK; freed with sotto_mesh_free()
 *
 * @retval SOTTO_EFORMAT  one of them is no key with its certificate
 * @retval SOTTO_EINVAL   they do not belong together
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mesh_read(sotto_span ca_pem, sotto_span leaf_pem,
                                                struct sotto_mesh **out);

/** Wipes and frees; NULL is allowed. */
void sotto_mesh_free(struct sotto_mesh *mesh);

/** The authority's certificate in PEM, the leaf's in DER; as long as the mesh. */
sotto_span sotto_mesh_ca(const struct sotto_mesh *mesh);
sotto_span sotto_mesh_leaf(const struct sotto_mesh *mesh);

/** SHA-256 of the authority's certificate in DER. */
const uint8_t *sotto_mesh_ca_hash(const struct sotto_mesh *mesh);

/** When authority and leaf end, in seconds since 1970. */
int64_t sotto_mesh_ca_until(const struct sotto_mesh *mesh);
int64_t sotto_mesh_leaf_until(const struct sotto_mesh *mesh);

/**
 * Appends the leaf's signature of a digest: ECDSA (FIPS 186-5) in ASN.1 DER.  Thread-safe.
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT, SOTTO_ECRYPTO  `signature` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mesh_sign(const struct sotto_mesh *mesh,
                                                const uint8_t digest[SOTTO_SHA256_BYTES],
                                                struct sotto_buf *signature);

#endif
