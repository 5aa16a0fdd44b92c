/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/kernel.h"

#if defined(__x86_64__)

#    include "detect/ner/kernel_avx2.h"

#    define KERNEL_TARGET "avx2,avx512f,avx512bw,avx512vl"
#    include "detect/ner/kernel_avx512.h"

AVX512_INLINE __m512i dot(__m512i sum, struct avx512_inputs a, __m512i low, __m512i high)
{
    __m512i pairs =
        _mm512_add_epi16(_mm512_maddubs_epi16(a.low, low), _mm512_maddubs_epi16(a.high, high));
    return _mm512_add_epi32(sum, _mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}

static bool usable(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}

/* Embedding and activation are short; 256 bits do them. */
const struct sotto_ner_kernels sotto_ner_avx512 = {
    .name = "avx512",
    .usable = usable,
    .embed = sotto_ner_avx2_embed,
    .activate = sotto_ner_avx2_activate,
    .convolve = convolve,
    .head = head,
};

#endif
