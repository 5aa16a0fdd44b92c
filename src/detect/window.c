/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/window.h"

#include "text/utf8.h"

/* How far behind the multiple the better places to cut are looked for. */
#define WINDOW_LINE_BYTES  512
#define WINDOW_SPACE_BYTES 1024

size_t sotto_window_end(sotto_span text, size_t start)
{
    size_t at = (start / SOTTO_WINDOW_BYTES + 1) * SOTTO_WINDOW_BYTES;
    if (at >= text.len) {
        return text.len;
    }
    size_t left = text.len - at;
    const uint8_t *line =
        memchr(text.base + at, '\n', left < WINDOW_LINE_BYTES ? left : WINDOW_LINE_BYTES);
    if (line != NULL) {
        return (size_t)(line - text.base) + 1;
    }
    for (size_t i = at; i < text.len && i < at + WINDOW_SPACE_BYTES; i++) {
        if ((sotto_char_ascii[text.base[i] & 0x7f] & SOTTO_CHAR_SPACE) != 0 &&
            text.base[i] < 0x80) {
            return i + 1;
        }
    }
    at = left > WINDOW_SPACE_BYTES ? at + WINDOW_SPACE_BYTES : text.len;
    while (!sotto_utf8_boundary(text, at)) {
        at++;
    }
    return at;
}
