/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TEXT_INERT_H
#define SOTTO_TEXT_INERT_H

/*
 * Text for a terminal, which obeys what stands in it: control characters become signs that are shown,
 * as git and less show them, so that no escape sequence is left.
 *
 *   U+0000 to U+001F, U+007F   ^@ ^A ... ^[ ... ^?, but for line feeds and tabs
 *   carriage return            ^M, but right before a line feed, where it stays
 *   U+0080 to U+009F           <U+009B>
 *   a byte that is no UTF-8    <9B>
 *
 * All else comes out as it is.  Byte by byte, so text may be cut anywhere; what is held at the end is
 * a carriage return or an unfinished character, which show nothing.
 */

#include "base/span.h"

/** Most that one byte brings out. */
#define SOTTO_INERT_BYTES 24

/** Zero-initialised is the beginning of a text. */
struct sotto_inert {
    uint8_t held[4]; /* a carriage return, or a character as far as it came */
    size_t held_len;
};

/** Takes one byte.  @return  how many bytes of `out` are to be shown; not NUL-terminated */
size_t sotto_inert_put(struct sotto_inert *inert, uint8_t byte, char out[SOTTO_INERT_BYTES]);

#endif
