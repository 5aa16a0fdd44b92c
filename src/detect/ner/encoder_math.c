/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/encoder_math.h"

#define LANES_WIDTH 4 /* what all processors of 64 bits have */
#define LANES_TARGET
#include "detect/ner/encoder_lanes.h"

LANES_INLINE void put_bytes(uint8_t *to, lanes_i v)
{
    for (size_t i = 0; i < LANES_WIDTH; i++) {
        to[i] = (uint8_t)v[i];
    }
}

const struct sotto_ner_math sotto_ner_math_portable = {
    .quantise = quantise,
    .finish = finish,
    .norm = normalise,
    .attend = attend,
};
