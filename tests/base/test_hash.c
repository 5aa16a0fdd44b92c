/* SPDX-License-Identifier: Apache-2.0 */

#include "base/hash.h"

#include "tap/tap.h"

static void test_depends_on_every_bit(void)
{
    uint8_t key[SOTTO_HASH_KEY_BYTES], text[33];
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t)i;
    }
    memset(text, 0x5a, sizeof(text));
    bool all = true;
    for (size_t len = 1; len <= sizeof(text); len++) {
        uint64_t h = sotto_hash64(key, sotto_span_init(text, len));
        for (size_t bit = 0; bit < len * 8; bit++) {
            text[bit / 8] ^= (uint8_t)(1 << (bit % 8));
            all = all && sotto_hash64(key, sotto_span_init(text, len)) != h;
            text[bit / 8] ^= (uint8_t)(1 << (bit % 8));
        }
        all = all && sotto_hash64(key, sotto_span_init(text, len - 1)) != h;
    }
    OK(all, "every bit and the length matter");

    uint64_t h = sotto_hash64(key, SOTTO_LIT("sotto"));
    key[15] ^= 1;
    OK(sotto_hash64(key, SOTTO_LIT("sotto")) != h, "the key matters");
}

int main(void)
{
    test_depends_on_every_bit();
    return done_testing();
}
