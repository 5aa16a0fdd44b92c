/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_AUDIT_LINE_H
#define SOTTO_AUDIT_LINE_H

#include <stdbool.h>

#include "base/span.h"

/* Lines and numbers of this module's texts. */

/** What stands before the next `mark`, which is taken off as well; false: there is none. */
static inline bool audit_cut(sotto_span *rest, char mark, sotto_span *out)
{
    const uint8_t *at = rest->len != 0 ? memchr(rest->base, mark, rest->len) : NULL;
    if (at == NULL) {
        return false;
    }
    size_t n = (size_t)(at - rest->base);
    *out = sotto_span_sub(*rest, 0, n);
    *rest = sotto_span_skip(*rest, n + 1);
    return true;
}

/** Decimal, below 10^19, without leading zeros; false: no such number. */
static inline bool audit_read_number(sotto_span text, uint64_t *out)
{
    uint64_t n = 0;
    if (text.len == 0 || text.len > 19 || (text.len > 1 && text.base[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.base[i] < '0' || text.base[i] > '9') {
            return false;
        }
        n = n * 10 + (uint64_t)(text.base[i] - '0');
    }
    *out = n;
    return true;
}

#endif
