/* SPDX-License-Identifier: Apache-2.0 */

#include "base/hash.h"

#include <endian.h>

struct hash_state {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t load_word(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof(x));
    return le64toh(x);
}

/* The last bytes, fewer than a word. */
static uint64_t load_rest(const uint8_t *p, size_t n)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n; i++) {
        x |= (uint64_t)p[i] << (8 * i);
    }
    return x;
}

static inline void sip_round(struct hash_state *s)
{
    s->v0 += s->v1;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v2 = rotl(s->v2, 32);
}

static void absorb(struct hash_state *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

uint64_t sotto_hash64(const uint8_t key[SOTTO_HASH_KEY_BYTES], sotto_span in)
{
    uint64_t k0 = load_word(key), k1 = load_word(key + 8);
    struct hash_state s = {k0 ^ 0x736f6d6570736575U, k1 ^ 0x646f72616e646f6dU,
                           k0 ^ 0x6c7967656e657261U, k1 ^ 0x7465646279746573U};
    uint64_t last = (uint64_t)in.len << 56;

    for (; in.len >= 8; in = sotto_span_skip(in, 8)) {
        absorb(&s, load_word(in.base));
    }
    absorb(&s, last | load_rest(in.base, in.len));
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
