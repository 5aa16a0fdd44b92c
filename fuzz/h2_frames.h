/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_FUZZ_H2_FRAMES_H
#define SOTTO_FUZZ_H2_FRAMES_H

/*
 * What both sides' targets of HTTP/2 have to know of frames (RFC 9113 4.1) to compare two ways of
 * cutting the same bytes.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/*
 * Whether a head goes on for more CONTINUATION frames than any limit lets through.  In a head that
 * nobody wants nghttp2 counts the calls that read them, so where that ends depends on the cutting.
 */
static inline bool h2_goes_on_and_on(sotto_span in)
{
    int frames = 0;
    while (in.len >= 9 && frames <= 8) {
        size_t len = (size_t)in.base[0] << 16 | (size_t)in.base[1] << 8 | in.base[2];
        frames = in.base[3] == 9 ? frames + 1 : 0;
        in = sotto_span_skip(in, in.len < 9 + len ? in.len : 9 + len);
    }
    return frames > 8;
}

#endif
