/* SPDX-License-Identifier: Apache-2.0 */

#include "http/lines.h"

/* Length of the run of bytes that are neither control characters nor DEL. */
static size_t text_run(const uint8_t *p, size_t n)
{
    size_t i = 0;
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
            i += text_run(in.base + i, in.len - i);
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
