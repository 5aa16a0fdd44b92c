/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hkdf.h"

#include "base/alloc.h"
#include "crypto/hex.h"
#include "tap/tap.h"

/* RFC 5869 appendix A, the cases with SHA-256. */
static const struct {
    const char *name, *secret, *salt, *info, *want;
} cases[] = {
    {"A.1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"A.2",
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2"
     "e2f"
     "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8"
     "e8f"
     "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcddd"
     "edf"
     "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590"
     "e09"
     "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"A.3", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

static void test_known_answers(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct hex secret = hex_of(cases[i].secret), salt = hex_of(cases[i].salt);
        struct hex info = hex_of(cases[i].info), want = hex_of(cases[i].want);
        uint8_t out[HEX_MAX];
        IS_INT(sotto_hkdf(hex_span(&secret), hex_span(&salt), hex_span(&info), out, want.len),
               SOTTO_OK, "RFC 5869 %s", cases[i].name);
        IS_MEM(out, want.len, want.bytes, want.len, "is the published one");
    }
}

static void test_lengths(void)
{
    static uint8_t out[SOTTO_HKDF_MAX_BYTES + 1], zero[SOTTO_HKDF_MAX_BYTES + 1];
    sotto_span key = SOTTO_LIT("key"), none = {NULL, 0};
    IS_INT(sotto_hkdf(key, none, none, out, SOTTO_HKDF_MAX_BYTES), SOTTO_OK, "255 blocks");
    IS_INT(sotto_hkdf(key, none, none, out, sizeof(out)), SOTTO_EINVAL, "not a byte more");
    IS_MEM(out, sizeof(out), zero, sizeof(zero), "and the output is wiped");
    IS_INT(sotto_hkdf(key, none, none, out, 0), SOTTO_OK, "no bytes at all");
}

static void test_faults(void)
{
    static const uint8_t zero[64];
    uint8_t out[64];
    for (size_t n = 1;; n++) {
        sotto_alloc_set_fault(n);
        enum sotto_err err =
            sotto_hkdf(SOTTO_LIT("key"), SOTTO_LIT("s"), SOTTO_LIT("i"), out, sizeof(out));
        if (sotto_alloc_set_fault(0) < n) {
            IS_INT(err, SOTTO_OK, "no more than %zu allocations", n - 1);
            break;
        }
        OK(err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO, "allocation %zu fails", n);
        IS_MEM(out, sizeof(out), zero, sizeof(zero), "and leaves zeros");
    }
}

int main(void)
{
    test_known_answers();
    test_lengths();
    test_faults();
    return done_testing();
}
