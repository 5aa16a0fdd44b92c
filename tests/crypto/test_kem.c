/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/kem.h"

#include "base/alloc.h"
#include "crypto/random.h"
#include "tap/tap.h"

static const struct sotto_kem *const kems[] = {&sotto_kem_mlkem512, &sotto_kem_xwing,
                                               &sotto_kem_rsa4096};

/* Made once: RSA takes a second. */
static struct sotto_kem_pair *pairs[SOTTO_COUNT(kems)];

static void test_agree(size_t i)
{
    const struct sotto_kem *kem = kems[i];
    uint8_t ciphertext[SOTTO_KEM_CIPHERTEXT_MAX], sent[32], got[32], again[32];
    sotto_span sealed = sotto_span_init(ciphertext, kem->ciphertext_len);
    sotto_span public_key = sotto_kem_public(pairs[i]);
    OK(kem->public_len == 0 || public_key.len == kem->public_len, "%s: public key", kem->name);
    IS_INT(sotto_kem_encapsulate(kem, public_key, ciphertext, sent), SOTTO_OK, "a secret");
    IS_INT(sotto_kem_decapsulate(pairs[i], sealed, got), SOTTO_OK, "is opened");
    IS_MEM(got, sizeof(got), sent, sizeof(sent), "and the same");
    IS_INT(sotto_kem_encapsulate(kem, public_key, ciphertext, again), SOTTO_OK, "another one");
    OK(memcmp(again, sent, sizeof(again)) != 0, "is another one");
}

static void test_flipped_ciphertext(size_t i)
{
    const struct sotto_kem *kem = kems[i];
    uint8_t ciphertext[SOTTO_KEM_CIPHERTEXT_MAX], sent[32], got[32];
    sotto_span sealed = sotto_span_init(ciphertext, kem->ciphertext_len);
    bool refused = true;
    IS_INT(sotto_kem_encapsulate(kem, sotto_kem_public(pairs[i]), ciphertext, sent), SOTTO_OK,
           "%s: a secret", kem->name);
    size_t step = kem == &sotto_kem_rsa4096 ? 37 : 1; /* 1.6 ms each */
    for (size_t at = 0; at < kem->ciphertext_len; at += step) {
        ciphertext[at] ^= 0x10;
        enum sotto_err err = sotto_kem_decapsulate(pairs[i], sealed, got);
        refused = refused && (err == SOTTO_EAUTH || memcmp(got, sent, sizeof(got)) != 0);
        ciphertext[at] ^= 0x10;
    }
    OK(refused, "no changed byte goes unnoticed");
    for (size_t len = 0; len < kem->ciphertext_len; len += 31) {
        sealed.len = len;
        refused = refused && sotto_kem_decapsulate(pairs[i], sealed, got) == SOTTO_EAUTH;
    }
    OK(refused, "nor a shorter ciphertext");
}

static void test_public_keys(size_t i)
{
    const struct sotto_kem *kem = kems[i];
    uint8_t key[SOTTO_KEM_PUBLIC_MAX + 1] = {0}, ciphertext[SOTTO_KEM_CIPHERTEXT_MAX], secret[32];
    const uint8_t zeros[32] = {0};
    sotto_span own = sotto_kem_public(pairs[i]);
    memcpy(key, own.base, own.len);
    memset(secret, 1, sizeof(secret));
    IS_INT(sotto_kem_encapsulate(kem, sotto_span_init(key, own.len - 1), ciphertext, secret),
           SOTTO_EINVAL, "%s: a shorter public key is refused", kem->name);
    IS_MEM(secret, sizeof(secret), zeros, sizeof(zeros), "and the secret wiped");
    IS_INT(sotto_kem_encapsulate(kem, sotto_span_init(key, own.len + 1), ciphertext, secret),
           SOTTO_EINVAL, "a longer one too");
    IS_INT(sotto_kem_encapsulate(kem, sotto_span_init(key, 0), ciphertext, secret), SOTTO_EINVAL,
           "and none");
}

/* FIPS 203, 7.2: coefficients of 12 bits have to be under q = 3329. */
static void test_modulus(void)
{
    uint8_t key[SOTTO_KEM_PUBLIC_MAX], ciphertext[SOTTO_KEM_CIPHERTEXT_MAX], secret[32];
    for (size_t i = 0; i < 2; i++) {
        sotto_span own = sotto_kem_public(pairs[i]);
        memcpy(key, own.base, own.len);
        key[0] = 0xff;
        key[1] |= 0x0f;
        IS_INT(sotto_kem_encapsulate(kems[i], sotto_span_init(key, own.len), ciphertext, secret),
               SOTTO_EINVAL, "%s: a coefficient of 4095 is refused", kems[i]->name);
    }
}

/* RFC 7748, 6.1: points of small order give a shared secret that everybody knows. */
static void test_small_order(void)
{
    static const uint8_t points[][32] = {
        {0},
        {1},
        {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
         0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
         0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    };
    uint8_t key[SOTTO_KEM_PUBLIC_MAX], ciphertext[SOTTO_KEM_CIPHERTEXT_MAX], secret[32];
    sotto_span own = sotto_kem_public(pairs[1]);
    sotto_span sealed = sotto_span_init(ciphertext, sotto_kem_xwing.ciphertext_len);
    for (size_t i = 0; i < SOTTO_COUNT(points); i++) {
        memcpy(key, own.base, own.len);
        memcpy(key + own.len - 32, points[i], 32);
        IS_INT(sotto_kem_encapsulate(&sotto_kem_xwing, sotto_span_init(key, own.len), ciphertext,
                                     secret),
               SOTTO_EINVAL, "point %zu of small order as a public key", i);
        IS_INT(sotto_kem_encapsulate(&sotto_kem_xwing, own, ciphertext, secret), SOTTO_OK,
               "a good one");
        memcpy(ciphertext + sealed.len - 32, points[i], 32);
        IS_INT(sotto_kem_decapsulate(pairs[1], sealed, secret), SOTTO_EAUTH, "and in a ciphertext");
    }
}

static void test_rsa_keys(void)
{
    /* SubjectPublicKeyInfo of P-256's base point: a key, but of another kind. */
    static const uint8_t other[] = {
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
        0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
        0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4,
        0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a,
        0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce, 0x33,
        0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
    uint8_t key[SOTTO_KEM_PUBLIC_MAX], ciphertext[SOTTO_KEM_CIPHERTEXT_MAX], secret[32];
    sotto_span own = sotto_kem_public(pairs[2]);
    IS_INT(sotto_kem_encapsulate(&sotto_kem_rsa4096, sotto_span_init(other, sizeof(other)),
                                 ciphertext, secret),
           SOTTO_EINVAL, "a key of another kind is refused");
    memcpy(key, own.base, own.len);
    OK(key[own.len - 3] == 1 && key[own.len - 1] == 1, "the exponent stands at the end");
    key[own.len - 3] = 0;
    key[own.len - 1] = 3; /* 00 00 03 is not minimal, but 3 nevertheless */
    IS_INT(sotto_kem_encapsulate(&sotto_kem_rsa4096, sotto_span_init(key, own.len), ciphertext,
                                 secret),
           SOTTO_EINVAL, "the exponent 3 is refused");
}

/* A search for primes that is told to end has not found any. */
static void test_cancelled(void)
{
    const atomic_bool cancelled = true;
    struct sotto_kem_pair *pair = NULL;
    IS_INT(sotto_kem_pair_new(&sotto_kem_rsa4096, &cancelled, &pair), SOTTO_ECLOSED, "cancelled");
    OK(pair == NULL, "nothing was handed out");
}

static void test_seeds(void)
{
    static const uint8_t bytes[SOTTO_KEM_SEED_MAX + 1];
    uint8_t ciphertext[SOTTO_KEM_CIPHERTEXT_MAX], secret[32];
    struct sotto_kem_pair *pair = NULL;
    for (size_t i = 0; i < SOTTO_COUNT(kems); i++) {
        IS_INT(sotto_kem_pair_from_seed(kems[i], sotto_span_init(bytes, sizeof(bytes)), &pair),
               SOTTO_EINVAL, "%s: a seed of another length", kems[i]->name);
        IS_INT(sotto_kem_encapsulate_with(kems[i], sotto_kem_public(pairs[i]),
                                          sotto_span_init(bytes, sizeof(bytes)), ciphertext,
                                          secret),
               SOTTO_EINVAL, "randomness of another length");
    }
    OK(pair == NULL, "nothing was handed out");
}

static enum sotto_err use_all(size_t i)
{
    uint8_t ciphertext[SOTTO_KEM_CIPHERTEXT_MAX], sent[32], got[32];
    struct sotto_kem_pair *pair = NULL;
    enum sotto_err err =
        kems[i] != &sotto_kem_rsa4096 ? sotto_kem_pair_new(kems[i], NULL, &pair) : SOTTO_OK;
    if (err == SOTTO_OK) {
        err = sotto_kem_encapsulate(kems[i], sotto_kem_public(pairs[i]), ciphertext, sent);
    }
    if (err == SOTTO_OK) {
        err = sotto_kem_decapsulate(pairs[i], sotto_span_init(ciphertext, kems[i]->ciphertext_len),
                                    got);
    }
    sotto_kem_pair_free(pair);
    return err;
}

/* OpenSSL does without some allocations, so a failed one need not be an error. */
static void test_faults(size_t i)
{
    size_t failed = 0, n = 1;
    bool right = true;
    IS_INT(use_all(i), SOTTO_OK, "%s: dry run", kems[i]->name);
    for (;; n++) {
        sotto_alloc_set_fault(n);
        enum sotto_err err = use_all(i);
        if (sotto_alloc_set_fault(0) < n) {
            break;
        }
        failed += err != SOTTO_OK;
        right = right && (err == SOTTO_OK || err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO ||
                          err == SOTTO_EINVAL || err == SOTTO_EAUTH);
    }
    OK(right && failed > 0, "%zu of %zu allocations that fail are reported", failed, n - 1);
    sotto_crypto_random_set_fault(1);
    enum sotto_err err = use_all(i);
    sotto_crypto_random_set_fault(0);
    OK(err == SOTTO_ECRYPTO || kems[i] == &sotto_kem_mlkem512, "no randomness, no secret");
}

int main(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(kems); i++) {
        IS_INT(sotto_kem_pair_new(kems[i], NULL, &pairs[i]), SOTTO_OK, "%s: a pair", kems[i]->name);
    }
    for (size_t i = 0; i < SOTTO_COUNT(kems); i++) {
        test_agree(i);
        test_flipped_ciphertext(i);
        test_public_keys(i);
        test_faults(i);
    }
    test_modulus();
    test_small_order();
    test_rsa_keys();
    test_seeds();
    test_cancelled();
    for (size_t i = 0; i < SOTTO_COUNT(kems); i++) {
        sotto_kem_pair_free(pairs[i]);
    }
    sotto_kem_pair_free(NULL);
    return done_testing();
}
