/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_LINES_H
#define SOTTO_HTTP_LINES_H

/*
 * Finds the end of a head or of trailers: lines that end in CRLF, up to an empty one.  Refuses
 * what parsers disagree about: a CR without LF, an LF without CR, control characters (but a tab),
 * and lines that start with white space (obs-fold, RFC 9112 5.2).  Used inside http/ only.
 */

#include "base/err.h"
#include "base/span.h"

/** tchar of RFC 9110 5.6.2: what names of fields, methods and chunk extensions consist of. */
static inline bool sotto_is_token_byte(uint8_t c)
{
    /* a bit for each: letters, digits and !#$%&'*+-.^_`|~ */
    static const uint64_t allowed[] = {UINT64_C(0x03ff6cfa00000000), UINT64_C(0x57ffffffc7fffffe)};
    return c < 128 && (allowed[c / 64] >> c % 64 & 1) != 0;
}

/** Length of the run of bytes that are neither control characters (but a tab) nor DEL. */
size_t sotto_text_run(const uint8_t *p, size_t n);

enum lines_state {
    LINES_START, /* at the start of the first line */
    LINES_INSIDE,
    LINES_CR,   /* behind a CR that ends a line with content */
    LINES_NEXT, /* at the start of a later line */
    LINES_LAST, /* behind the CR of the empty line */
    LINES_DONE,
};

/** Zero-initialised is ready. */
struct sotto_lines {
    enum lines_state state;
    size_t count; /* lines with content that are complete */
};

/**
 * Scans on.  SOTTO_OK: *used bytes are fine; the end was found if state is LINES_DONE, else all of
 * `in` was used.
 * @retval SOTTO_EFORMAT  one of the above; *used is unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_lines_scan(struct sotto_lines *lines, sotto_span in,
                                                 size_t *used);

#endif
