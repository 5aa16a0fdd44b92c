/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/encoder_kernel.h"

#if defined(__x86_64__)

#    define KERNEL_TARGET "avx2,avx512f,avx512bw,avx512vl,avx512vnni"
#    include "detect/ner/encoder_kernel_avx512.h"

AVX512_INLINE __m512i dot(__m512i sum, __m512i a, __m512i w)
{
    return _mm512_dpbusd_epi32(sum, a, w);
}

static bool usable(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

const struct sotto_ner_encoder_kernels sotto_ner_encoder_vnni = {
    .name = "vnni",
    .usable = usable,
    .multiply = multiply,
    .math = &sotto_ner_math_avx512,
};

#endif
