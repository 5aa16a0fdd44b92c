/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/aead.h"

#include "base/alloc.h"
#include "crypto/hex.h"
#include "tap/tap.h"

/* McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, as NIST has them. */
static const struct {
    const char *name, *key, *nonce, *aad, *plain, *sealed;
} cases[] = {
    {"13", "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"14", "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"15", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"16", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void test_known_answers(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct hex key = hex_of(cases[i].key), nonce = hex_of(cases[i].nonce);
        struct hex aad = hex_of(cases[i].aad), plain = hex_of(cases[i].plain);
        struct hex sealed = hex_of(cases[i].sealed);
        struct sotto_aead *aead = NULL;
        struct sotto_buf out;
        sotto_buf_init(&out, 4096);
        IS_INT(sotto_aead_new(key.bytes, &aead), SOTTO_OK, "case %s: key", cases[i].name);
        for (int round = 0; round < 2; round++) {
            IS_INT(sotto_aead_seal(aead, nonce.bytes, hex_span(&aad), hex_span(&plain), &out),
                   SOTTO_OK, "case %s: sealed", cases[i].name);
            IS_MEM(out.base, out.len, sealed.bytes, sealed.len, "as published");
            sotto_buf_truncate(&out, 0);
            IS_INT(sotto_aead_open(aead, nonce.bytes, hex_span(&aad), hex_span(&sealed), &out),
                   SOTTO_OK, "case %s: opened", cases[i].name);
            IS_MEM(out.base, out.len, plain.bytes, plain.len, "as published");
            sotto_buf_truncate(&out, 0);
        }
        sotto_aead_free(aead);
        sotto_buf_free(&out);
    }
}

static void test_refusals(void)
{
    struct hex key = hex_of(cases[3].key), nonce = hex_of(cases[3].nonce);
    struct hex aad = hex_of(cases[3].aad), sealed = hex_of(cases[3].sealed);
    struct sotto_aead *aead = NULL;
    struct sotto_buf out;
    sotto_buf_init(&out, 4096);
    IS_INT(sotto_buf_append(&out, SOTTO_LIT("before")), SOTTO_OK, "something stands before");
    IS_INT(sotto_aead_new(key.bytes, &aead), SOTTO_OK, "key");

    for (size_t i = 0; i < sealed.len; i++) {
        sealed.bytes[i] ^= 1;
        IS_INT(sotto_aead_open(aead, nonce.bytes, hex_span(&aad), hex_span(&sealed), &out),
               SOTTO_EAUTH, "byte %zu changed", i);
        sealed.bytes[i] ^= 1;
    }
    for (size_t len = 0; len < sealed.len; len++) {
        sotto_span cut = sotto_span_init(sealed.bytes, len);
        IS_INT(sotto_aead_open(aead, nonce.bytes, hex_span(&aad), cut, &out), SOTTO_EAUTH,
               "cut to %zu bytes", len);
    }
    aad.bytes[0] ^= 1;
    IS_INT(sotto_aead_open(aead, nonce.bytes, hex_span(&aad), hex_span(&sealed), &out), SOTTO_EAUTH,
           "other additional data");
    aad.bytes[0] ^= 1;
    nonce.bytes[11] ^= 1;
    IS_INT(sotto_aead_open(aead, nonce.bytes, hex_span(&aad), hex_span(&sealed), &out), SOTTO_EAUTH,
           "another nonce");
    nonce.bytes[11] ^= 1;
    IS_TEXT(out.base, out.len, "before", "nothing was appended");
    IS_INT(sotto_aead_open(aead, nonce.bytes, hex_span(&aad), hex_span(&sealed), &out), SOTTO_OK,
           "unchanged it still opens");

    struct sotto_buf small;
    sotto_buf_init(&small, SOTTO_AEAD_TAG_BYTES);
    IS_INT(sotto_aead_seal(aead, nonce.bytes, hex_span(&aad), SOTTO_LIT("x"), &small), SOTTO_ELIMIT,
           "a full buffer takes nothing");
    IS_SIZE(small.len, 0, "and stays as it was");
    sotto_buf_free(&small);
    sotto_buf_free(&out);
    sotto_aead_free(aead);
    sotto_aead_free(NULL);
}

static void test_faults(void)
{
    static const uint8_t key[SOTTO_AEAD_KEY_BYTES];
    for (size_t n = 1;; n++) {
        struct sotto_aead *aead = NULL;
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_aead_new(key, &aead);
        if (sotto_alloc_set_fault(0) < n) {
            IS_INT(err, SOTTO_OK, "no more than %zu allocations", n - 1);
            sotto_aead_free(aead);
            break;
        }
        OK(err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO, "allocation %zu fails", n);
        OK(aead == NULL, "and nothing is handed out");
    }
}

int main(void)
{
    test_known_answers();
    test_refusals();
    test_faults();
    return done_testing();
}
