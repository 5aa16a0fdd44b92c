/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/encoder_math.h"

#if defined(__x86_64__)

#    include <immintrin.h>

#    define LANES_WIDTH  8
#    define LANES_TARGET __attribute__((target("avx2")))
#    include "detect/ner/encoder_lanes.h"

LANES_INLINE void put_bytes(uint8_t *to, lanes_i v)
{
    __m256i words = (__m256i)v;
    __m128i pairs =
        _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storel_epi64((__m128i *)(void *)to, _mm_packus_epi16(pairs, pairs));
}

const struct sotto_ner_math sotto_ner_math_avx2 = {
    .quantise = quantise,
    .finish = finish,
    .norm = normalise,
    .attend = attend,
};

#endif
