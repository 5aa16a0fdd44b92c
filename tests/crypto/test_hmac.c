/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hmac.h"

#include "base/alloc.h"
#include "crypto/hex.h"
#include "tap/tap.h"

/* RFC 4231 section 4; case 5 is about truncation and left out. */
static const struct {
    const char *name, *key, *message, *want;
} cases[] = {
    {"4.2", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"4.3", "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"4.4", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddd",
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"4.5", "0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"4.7",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6"
     "579"
     "204669727374",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
};

static void test_known_answers(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct hex key = hex_of(cases[i].key), message = hex_of(cases[i].message);
        struct hex want = hex_of(cases[i].want);
        uint8_t out[SOTTO_HMAC_BYTES];
        IS_INT(sotto_hmac_sha256(hex_span(&key), hex_span(&message), out), SOTTO_OK, "RFC 4231 %s",
               cases[i].name);
        IS_MEM(out, sizeof(out), want.bytes, want.len, "is the published one");
    }
}

static void test_prepared(void)
{
    struct hex key = hex_of(cases[0].key), message = hex_of(cases[0].message);
    struct hex want = hex_of(cases[0].want);
    struct sotto_hmac *hmac = NULL;
    uint8_t out[SOTTO_HMAC_BYTES], other[SOTTO_HMAC_BYTES];

    IS_INT(sotto_hmac_new(hex_span(&key), &hmac), SOTTO_OK, "a key is prepared");
    for (size_t split = 0; split <= message.len; split++) {
        const sotto_span parts[] = {sotto_span_init(message.bytes, split),
                                    sotto_span_init(message.bytes + split, message.len - split)};
        IS_INT(sotto_hmac_parts(hmac, parts, 2, out), SOTTO_OK, "split at %zu", split);
        IS_MEM(out, sizeof(out), want.bytes, want.len, "gives the same each time");
    }
    sotto_alloc_set_fault(1);
    IS_INT(sotto_hmac_parts(hmac, NULL, 0, out), SOTTO_OK, "an empty message");
    IS_SIZE(sotto_alloc_set_fault(0), 0, "a message allocates nothing");
    sotto_hmac_free(hmac);

    IS_INT(sotto_hmac_sha256(sotto_span_init(NULL, 0), SOTTO_LIT("x"), out), SOTTO_OK,
           "a key of no bytes");
    static const uint8_t zero[64];
    IS_INT(sotto_hmac_sha256(sotto_span_init(zero, sizeof(zero)), SOTTO_LIT("x"), other), SOTTO_OK,
           "and one of zeros");
    IS_MEM(out, sizeof(out), other, sizeof(other), "are the same key");
    sotto_hmac_free(NULL);
}

static void test_faults(void)
{
    static const uint8_t zero[SOTTO_HMAC_BYTES];
    uint8_t out[SOTTO_HMAC_BYTES];
    for (size_t n = 1;; n++) {
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_hmac_sha256(SOTTO_LIT("key"), SOTTO_LIT("abc"), out);
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
    test_prepared();
    test_faults();
    return done_testing();
}
