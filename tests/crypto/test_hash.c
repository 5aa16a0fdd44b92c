/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hash.h"

#include "base/alloc.h"
#include "crypto/hex.h"
#include "tap/tap.h"

/* FIPS 180-4 examples. */
static void test_known_answers(void)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct hex want = hex_of(cases[i].want);
        sotto_span in = sotto_span_str(cases[i].in);
        uint8_t out[SOTTO_SHA256_BYTES];
        IS_INT(sotto_sha256(in, out), SOTTO_OK, "SHA-256 of %zu bytes", in.len);
        IS_MEM(out, sizeof(out), want.bytes, want.len, "is the published one");

        size_t half = in.len / 2;
        const sotto_span parts[] = {sotto_span_sub(in, 0, half), sotto_span_skip(in, half)};
        IS_INT(sotto_sha256_parts(parts, 2, out), SOTTO_OK, "in two parts");
        IS_MEM(out, sizeof(out), want.bytes, want.len, "it is the same");
    }
}

static void test_faults(void)
{
    static const uint8_t zero[SOTTO_SHA256_BYTES];
    uint8_t out[SOTTO_SHA256_BYTES];
    IS_INT(sotto_sha256(SOTTO_LIT("abc"), out), SOTTO_OK, "dry run");
    for (size_t n = 1;; n++) {
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_sha256(SOTTO_LIT("abc"), out);
        if (sotto_alloc_set_fault(0) < n) {
            IS_INT(err, SOTTO_OK, "no more than %zu allocations", n - 1);
            break;
        }
        IS_INT(err, SOTTO_ECRYPTO, "allocation %zu fails", n);
        IS_MEM(out, sizeof(out), zero, sizeof(zero), "and leaves zeros");
    }
}

int main(void)
{
    test_known_answers();
    test_faults();
    return done_testing();
}
