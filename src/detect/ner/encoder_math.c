/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/encoder_math.h"

#define LANES_WIDTH 4 /* what all processors of 64 bits have */
#define LANES_TARGET
#include "detect/ner/encoder_lanes.h"

const struct sotto_ner_math sotto_ner_math_portable = {
    .quantise = quantise,
    .finish = finish,
    .norm = normalise,
    .attend = attend,
};
