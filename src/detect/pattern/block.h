/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_PATTERN_BLOCK_H
#define SOTTO_DETECT_PATTERN_BLOCK_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"

#ifdef __SSE2__
#    include <emmintrin.h>
#endif

/*
 * The text in blocks of 64 bytes, each as a few bit masks: which bytes belong to words, which are
 * digits, which are '@'.  The pass jumps from word to word on these masks and does not look at
 * single bytes.
 */

#define BLOCK_BYTES 64

struct block {
    size_t at;      /* offset of the block in the text; a multiple of BLOCK_BYTES */
    uint64_t word;  /* ASCII letters and digits, and every byte beyond ASCII */
    uint64_t digit; /* ASCII digits */
    uint64_t high;  /* bytes beyond ASCII */
    uint64_t mail;  /* '@' */
};

#ifdef __SSE2__
/* Bit i: byte i of 16 is in [low, low + count). */
static inline uint64_t block_range(__m128i bytes, char low, char count)
{
    /* Shifted so that the range begins at the least signed value, one comparison is enough. */
    __m128i moved = _mm_add_epi8(bytes, _mm_set1_epi8((char)(-128 - low)));
    return (uint64_t)(unsigned)_mm_movemask_epi8(
        _mm_cmplt_epi8(moved, _mm_set1_epi8((char)(-128 + count))));
}

static inline void block_fill(struct block *b, const uint8_t *bytes)
{
    b->word = b->digit = b->high = b->mail = 0;
    for (unsigned i = 0; i < BLOCK_BYTES; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(bytes + i));
        uint64_t high = (uint64_t)(unsigned)_mm_movemask_epi8(v);
        uint64_t digit = block_range(v, '0', 10);
        uint64_t letter = block_range(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 26);
        uint64_t mail =
            (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('@')));
        b->high |= high << i;
        b->digit |= digit << i;
        b->word |= (high | digit | letter) << i;
        b->mail |= mail << i;
    }
}
#else
static inline void block_fill(struct block *b, const uint8_t *bytes)
{
    b->word = b->digit = b->high = b->mail = 0;
    for (unsigned i = 0; i < BLOCK_BYTES; i++) {
        uint8_t c = bytes[i];
        uint64_t bit = (uint64_t)1 << i;
        uint64_t high = c >= 0x80 ? bit : 0;
        uint64_t digit = c >= '0' && c <= '9' ? bit : 0;
        uint64_t letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? bit : 0;
        b->high |= high;
        b->digit |= digit;
        b->word |= high | digit | letter;
        b->mail |= c == '@' ? bit : 0;
    }
}
#endif

/** The first `len` (at most 16) of 16 bytes, letters in lower case, zero behind. */
static inline void block_fold(const uint8_t *bytes, size_t len, uint64_t out[2])
{
    static const uint8_t ones[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255};
    uint64_t text[2], mask[2];
    memcpy(text, bytes, sizeof(text));
    memcpy(mask, ones + 16 - len, sizeof(mask));
    out[0] = (text[0] | 0x2020202020202020U) & mask[0];
    out[1] = (text[1] | 0x2020202020202020U) & mask[1];
}

/** How many of 16 bytes are ASCII letters from the first on; the fold of these, zero behind. */
static inline unsigned block_letters(const uint8_t *bytes, char folded[16], uint64_t *upper)
{
#ifdef __SSE2__
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i small = _mm_or_si128(v, _mm_set1_epi8(0x20));
    uint64_t gap = ~block_range(small, 'a', 26);
    unsigned n = SOTTO_CTZ64(gap);
    n = n < 16 ? n : 16;
    uint64_t keep = ((uint64_t)1 << n) - 1;
    *upper = block_range(v, 'A', 26) & keep;
    static const uint8_t ones[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255};
    __m128i mask = _mm_loadu_si128((const __m128i *)(const void *)(ones + 16 - n));
    _mm_storeu_si128((__m128i *)(void *)folded, _mm_and_si128(small, mask));
    return n;
#else
    unsigned n = 0;
    *upper = 0;
    memset(folded, 0, 16);
    while (n < 16 && ((bytes[n] | 0x20) >= 'a' && (bytes[n] | 0x20) <= 'z')) {
        *upper |= (uint64_t)((bytes[n] & 0x20) == 0) << n;
        folded[n] = (char)(bytes[n] | 0x20);
        n++;
    }
    return n;
#endif
}

/** Reads the block that holds byte `at` (less than text.len); what lies beyond the text is blank. */
static inline void block_read(struct block *b, sotto_span text, size_t at)
{
    b->at = at / BLOCK_BYTES * BLOCK_BYTES;
    if (text.len - b->at >= BLOCK_BYTES) {
        block_fill(b, text.base + b->at);
        return;
    }
    uint8_t rest[BLOCK_BYTES] = {0};
    memcpy(rest, text.base + b->at, text.len - b->at);
    block_fill(b, rest);
}

#endif
