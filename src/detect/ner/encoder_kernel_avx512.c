/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/encoder_kernel.h"

#if defined(__x86_64__)

#    define KERNEL_TARGET "avx2,avx512f,avx512bw,avx512vl"
#    include "detect/ner/encoder_kernel_avx512.h"

AVX512_INLINE __m512i dot(__m512i sum, __m512i a, __m512i w)
{
    return _mm512_add_epi32(sum,
                            _mm512_madd_epi16(_mm512_maddubs_epi16(a, w), _mm512_set1_epi16(1)));
}

static bool usable(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
}

const struct sotto_ner_encoder_kernels sotto_ner_encoder_avx512 = {
    .name = "avx512",
    .usable = usable,
    .multiply = multiply,
    .math = &sotto_ner_math_avx512,
};

#endif
