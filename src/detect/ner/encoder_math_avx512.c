/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/encoder_math.h"

#if defined(__x86_64__)

#    include <immintrin.h>

#    define LANES_WIDTH  16
#    define LANES_TARGET __attribute__((target("avx2,avx512f,avx512bw,avx512vl")))
#    include "detect/ner/encoder_lanes.h"

LANES_INLINE void put_bytes(uint8_t *to, lanes_i v)
{
    _mm_storeu_si128((__m128i *)(void *)to, _mm512_cvtepi32_epi8((__m512i)v));
}

const struct sotto_ner_math sotto_ner_math_avx512 = {
    .quantise = quantise,
    .finish = finish,
    .norm = normalise,
    .attend = attend,
};

#endif
