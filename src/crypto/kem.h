/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CRYPTO_KEM_H
#define SOTTO_CRYPTO_KEM_H

/*
 * Key encapsulation: whoever has a public key makes a secret of 32 bytes and a ciphertext of it
 * that the private key's owner opens.
 *
 *   mlkem512  ML-KEM-512 (FIPS 203; HPKE KEM 0x0040 of draft-ietf-hpke-pq).  Private keys are seeds
 *             d || z.
 *   xwing     ML-KEM-768 and X25519 (draft-connolly-cfrg-xwing-kem; HPKE KEM 0x647a, there called
 *             MLKEM768-X25519): safe while one of the two is.  Private keys are seeds of 32 bytes.
 *   rsa4096   32 random bytes under RSAES-OAEP with SHA-256 for hash and MGF1 (RFC 8017, 7.1), no
 *             label; exponent 65537.  Public keys are SubjectPublicKeyInfo in DER.  Making a pair
 *             takes a second or so.
 *
 * Public keys of others are checked: lengths, ML-KEM's modulus check (FIPS 203, 7.2), points of
 * small order, size and exponent of RSA.
 *
 * A pair is immutable and may be used by several threads.
 */

#include <stdatomic.h>

#include "base/buf.h"

#define SOTTO_KEM_SECRET_BYTES 32

/** Longest public key, ciphertext and seed of any of them. */
#define SOTTO_KEM_PUBLIC_MAX     1216
#define SOTTO_KEM_CIPHERTEXT_MAX 1120
#define SOTTO_KEM_SEED_MAX       64

struct sotto_kem_pair;

struct sotto_kem {
    const char *name;
    uint16_t hpke_id;  /* 0: it is none of HPKE's */
    size_t public_len; /* 0: it varies, up to SOTTO_KEM_PUBLIC_MAX */
    size_t ciphertext_len;
    size_t seed_len;       /* of a private key; 0: it cannot be made from a seed */
    size_t randomness_len; /* of one encapsulation; 0: it cannot be told what to use */

    /* As the functions below; private to crypto/kem*.c. */
    enum sotto_err (*make)(const struct sotto_kem *kem, const uint8_t *seed,
                           const atomic_bool *cancelled, struct sotto_kem_pair *pair);
    enum sotto_err (*encapsulate)(const struct sotto_kem *kem, sotto_span public_key,
                                  const uint8_t *randomness, uint8_t *ciphertext, uint8_t *secret);
    enum sotto_err (*decapsulate)(const struct sotto_kem_pair *pair, const uint8_t *ciphertext,
                                  uint8_t *secret);
};

extern const struct sotto_kem sotto_kem_mlkem512;
extern const struct sotto_kem sotto_kem_xwing;
extern const struct sotto_kem sotto_kem_rsa4096;

/**
 * Makes a fresh pair.
 *
 * @param cancelled  another thread sets it to make an end of a search that takes long; may be NULL
 * @param[out] out   set only on SOTTO_OK; freed with sotto_kem_pair_free()
 *
 * @retval SOTTO_ECLOSED  cancelled
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_kem_pair_new(const struct sotto_kem *kem,
                                                   const atomic_bool *cancelled,
                                                   struct sotto_kem_pair **out);

/**
 * The pair of a seed.
 *
 * @retval SOTTO_EINVAL  a seed of another length, or the KEM has none
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_kem_pair_from_seed(const struct sotto_kem *kem, sotto_span seed, struct sotto_kem_pair **out);

/** Wipes and frees; NULL is allowed. */
void sotto_kem_pair_free(struct sotto_kem_pair *pair);

/** The public key, as long as the pair. */
sotto_span sotto_kem_public(const struct sotto_kem_pair *pair);

/**
 * Makes a secret and its ciphertext.
 *
 * @param[out] ciphertext  `kem->ciphertext_len` bytes; wiped on failure, as is the secret
 * @param[out] secret      the caller wipes it
 *
 * @retval SOTTO_EINVAL  not an acceptable public key
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_kem_encapsulate(const struct sotto_kem *kem,
                                                      sotto_span public_key, uint8_t *ciphertext,
                                                      uint8_t secret[SOTTO_KEM_SECRET_BYTES]);

/**
 * The same with the random numbers given, for known answers: whoever knows them knows the secret.
 *
 * @param randomness  of `kem->randomness_len` bytes, as draft-ietf-hpke-pq lays them out
 * @retval SOTTO_EINVAL  also for another length
 */
SOTTO_MUST_CHECK enum sotto_err sotto_kem_encapsulate_with(const struct sotto_kem *kem,
                                                           sotto_span public_key,
                                                           sotto_span randomness,
                                                           uint8_t *ciphertext,
                                                           uint8_t secret[SOTTO_KEM_SECRET_BYTES]);

/**
 * Opens a ciphertext.  ML-KEM gives a secret for any bytes of the right length: who made them finds
 * out when nothing that is sealed under it opens.
 *
 * @param[out] secret  wiped on failure; the caller wipes it
 * @retval SOTTO_EAUTH  no ciphertext of this key
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_kem_decapsulate(const struct sotto_kem_pair *pair,
                                                      sotto_span ciphertext,
                                                      uint8_t secret[SOTTO_KEM_SECRET_BYTES]);

#endif
