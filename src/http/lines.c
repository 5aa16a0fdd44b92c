/* SPDX-License-Identifier: Apache-2.0 */

#include "http/lines.h"

#ifdef __SSE2__
#    include <emmintrin.h>
#endif

/* Whether none of 16 bytes is below 0x20 or DEL; a tab, which is rare, counts as one. */
static bool is_text_block(const uint8_t *p)
{
#ifdef __SSE2__
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
    return _mm_movemask_epi8(_mm_or_si128(control, del)) == 0;
#else
    (void)p;
    return false;
#endif
}

size_t sotto_text_run(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (n - i >= 16 && is_text_block(p + i)) {
        i += 16;
    }
    while (i < n && ((p[i] >= 0x20 && p[i] != 0x7f) || p[i] == '\t')) {
        i++;
    }
    return i;
}

/* One byte that is not in the middle of a line.  False: refused. */
static bool step(struct sotto_lines *lines, uint8_t c)
{
    switch (lines->state) {
    case LINES_START:
    case LINES_NEXT:
        if (c == '\r') {
            lines->state = LINES_LAST;
            return true;
        }
        lines->state = LINES_INSIDE;
        return c > 0x20 && c != 0x7f;
    case LINES_INSIDE:
        lines->state = LINES_CR;
        return c == '\r';
    case LINES_CR:
        lines->state = LINES_NEXT;
        lines->count++;
        return c == '\n';
    case LINES_LAST:
        lines->state = LINES_DONE;
        return c == '\n';
    case LINES_DONE:
        break;
    }
    return false;
}

enum sotto_err sotto_lines_scan(struct sotto_lines *lines, sotto_span in, size_t *used)
{
    size_t i = 0;
    while (i < in.len && lines->state != LINES_DONE) {
        if (lines->state == LINES_INSIDE) {
            i += sotto_text_run(in.base + i, in.len - i);
            if (i == in.len) {
                break;
            }
        }
        if (!step(lines, in.base[i++])) {
            return SOTTO_EFORMAT;
        }
    }
    *used = i;
    return SOTTO_OK;
}
