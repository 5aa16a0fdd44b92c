/* SPDX-License-Identifier: Apache-2.0 */

#include <sotto/seal.h>

#include "base/alloc.h"
#include "crypto/kem.h"
#include "words.h"

/* The same numbers as inside, where they are held against published vectors (tests/crypto). */
static void test_as_inside(void)
{
    unsigned char seed[SOTTO_MLKEM512_SEED_BYTES] = {1, 2, 3};
    unsigned char ciphertext[SOTTO_MLKEM512_CIPHERTEXT_BYTES];
    unsigned char secret[SOTTO_MLKEM512_SECRET_BYTES], again[SOTTO_MLKEM512_SECRET_BYTES];
    struct sotto_mlkem512 *pair = NULL;
    struct sotto_kem_pair *inner = NULL;
    IS_INT(sotto_mlkem512_new(seed, &pair), SOTTO_STATUS_OK, "a pair of a seed");
    IS_INT(
        sotto_kem_pair_from_seed(&sotto_kem_mlkem512, sotto_span_init(seed, sizeof(seed)), &inner),
        SOTTO_OK, "and the same one inside");
    sotto_span key = sotto_kem_public(inner);
    IS_MEM(sotto_mlkem512_public(pair), SOTTO_MLKEM512_PUBLIC_BYTES, key.base, key.len,
           "have one public key");
    IS_INT(sotto_mlkem512_encapsulate(key.base, ciphertext, secret), SOTTO_STATUS_OK, "to which");
    IS_INT(sotto_mlkem512_decapsulate(pair, ciphertext, again), SOTTO_STATUS_OK, "and from which");
    IS_MEM(again, sizeof(again), secret, sizeof(secret), "both sides have the secret");
    ciphertext[100] ^= 1;
    IS_INT(sotto_mlkem512_decapsulate(pair, ciphertext, again), SOTTO_STATUS_OK, "any other bytes");
    OK(memcmp(again, secret, sizeof(secret)) != 0, "have another secret");
    sotto_kem_pair_free(inner);
    sotto_mlkem512_free(pair);
}

static void test_random_pairs(void)
{
    struct sotto_mlkem512 *a = NULL, *b = NULL;
    IS_INT(sotto_mlkem512_new(NULL, &a), SOTTO_STATUS_OK, "a random pair");
    IS_INT(sotto_mlkem512_new(NULL, &b), SOTTO_STATUS_OK, "and another one");
    OK(memcmp(sotto_mlkem512_public(a), sotto_mlkem512_public(b), SOTTO_MLKEM512_PUBLIC_BYTES) != 0,
       "differ");
    sotto_mlkem512_free(a);
    sotto_mlkem512_free(b);
    sotto_mlkem512_free(NULL);
}

static void test_bad_public_key(void)
{
    unsigned char key[SOTTO_MLKEM512_PUBLIC_BYTES], zero[SOTTO_MLKEM512_SECRET_BYTES] = {0};
    unsigned char ciphertext[SOTTO_MLKEM512_CIPHERTEXT_BYTES], secret[SOTTO_MLKEM512_SECRET_BYTES];
    memset(key, 0xff, sizeof(key)); /* coefficients beyond the modulus */
    IS_INT(sotto_mlkem512_encapsulate(key, ciphertext, secret), SOTTO_STATUS_OPTION,
           "no public key of the standard");
    IS_MEM(secret, sizeof(secret), zero, sizeof(zero), "gives no secret");
}

static void test_faults(void)
{
    enum sotto_status status = SOTTO_STATUS_MEMORY;
    size_t wrong = 0;
    for (size_t n = 1; n < 1000 && status != SOTTO_STATUS_OK; n++) {
        struct sotto_mlkem512 *pair = NULL;
        sotto_alloc_set_fault(n);
        status = sotto_mlkem512_new(NULL, &pair);
        sotto_alloc_set_fault(0);
        wrong += (status == SOTTO_STATUS_OK) != (pair != NULL);
        sotto_mlkem512_free(pair);
    }
    IS_INT(status, SOTTO_STATUS_OK, "each allocation failed once, and then none");
    IS_SIZE(wrong, 0, "a pair is there where it should be");
}

int main(void)
{
    test_as_inside();
    test_random_pairs();
    test_bad_public_key();
    test_faults();
    return done_testing();
}
