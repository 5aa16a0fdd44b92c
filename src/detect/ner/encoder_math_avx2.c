/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/encoder_math.h"

#if defined(__x86_64__)

#    define LANES_WIDTH  8
#    define LANES_TARGET __attribute__((target("avx2")))
#    include "detect/ner/encoder_lanes.h"

const struct sotto_ner_math sotto_ner_math_avx2 = {
    .quantise = quantise,
    .finish = finish,
    .norm = normalise,
    .attend = attend,
};

#endif
