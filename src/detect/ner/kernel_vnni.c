/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/kernel.h"

#if defined(__x86_64__)

#    include "detect/ner/kernel_avx2.h"

#    define KERNEL_TARGET "avx2,avx512f,avx512bw,avx512vl,avx512vnni"
#    include "detect/ner/kernel_avx512.h"

AVX512_INLINE __m512i dot(__m512i sum, struct avx512_inputs a, __m512i low, __m512i high)
{
    return _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(sum, a.low, low), a.high, high);
}

static bool usable(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

/* Embedding and activation are short; 256 bits do them. */
const struct sotto_ner_kernels sotto_ner_vnni = {
    .name = "vnni",
    .usable = usable,
    .embed = sotto_ner_avx2_embed,
    .activate = sotto_ner_avx2_activate,
    .convolve = convolve,
    .head = head,
};

#endif
