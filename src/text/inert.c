/* SPDX-License-Identifier: Apache-2.0 */

#include "text/inert.h"

#include <string.h>

#include "text/utf8.h"

static const char hex[] = "0123456789ABCDEF";

/* A byte that is no part of a character. */
static size_t show_byte(uint8_t byte, char *out)
{
    out[0] = '<';
    out[1] = hex[byte >> 4];
    out[2] = hex[byte & 15];
    out[3] = '>';
    return 4;
}

/* What was held, though it did not become what it could have. */
static size_t show_held(struct sotto_inert *inert, char *out)
{
    size_t n = 0;
    if (inert->held_len == 1 && inert->held[0] == '\r') {
        out[n++] = '^';
        out[n++] = 'M';
    } else {
        for (size_t i = 0; i < inert->held_len; i++) {
            n += show_byte(inert->held[i], out + n);
        }
    }
    inert->held_len = 0;
    return n;
}

/* Length of the character that begins with a byte beyond ASCII; 0: none does. */
static size_t length_of(uint8_t first)
{
    return first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

static size_t show_character(struct sotto_inert *inert, char *out)
{
    sotto_span text = sotto_span_init(inert->held, inert->held_len);
    if (!sotto_utf8_valid(text, NULL)) {
        return show_held(inert, out);
    }
    size_t n = inert->held_len, at = 0;
    inert->held_len = 0;
    uint32_t c = sotto_utf8_next(text, &at);
    if (c > 0x9f) {
        memcpy(out, text.base, n);
        return n;
    }
    memcpy(out, "<U+00", 5);
    out[5] = hex[c >> 4];
    out[6] = hex[c & 15];
    out[7] = '>';
    return 8;
}

/* Goes on with a character; false: the byte does not belong to it. */
static bool takes(const struct sotto_inert *inert, uint8_t byte)
{
    return inert->held_len != 0 && inert->held[0] != '\r' && (byte & 0xc0) == 0x80;
}

static size_t begin(struct sotto_inert *inert, uint8_t byte, char *out)
{
    if (byte == '\r' || length_of(byte) != 0) {
        inert->held[0] = byte;
        inert->held_len = 1;
        return 0;
    }
    if (byte >= 0x80) {
        return show_byte(byte, out);
    }
    if ((byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\t') {
        out[0] = (char)byte;
        return 1;
    }
    out[0] = '^';
    out[1] = (char)(byte ^ 0x40);
    return 2;
}

size_t sotto_inert_put(struct sotto_inert *inert, uint8_t byte, char out[SOTTO_INERT_BYTES])
{
    if (takes(inert, byte)) {
        inert->held[inert->held_len++] = byte;
        return inert->held_len == length_of(inert->held[0]) ? show_character(inert, out) : 0;
    }
    if (byte == '\n' && inert->held_len == 1 && inert->held[0] == '\r') {
        inert->held_len = 0;
        memcpy(out, "\r\n", 2);
        return 2;
    }
    size_t n = show_held(inert, out);
    return n + begin(inert, byte, out + n);
}
