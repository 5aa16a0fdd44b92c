/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/base64.h"

static const char base64_symbols[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum sotto_err sotto_base64_write(sotto_span in, struct sotto_buf *out)
{
    uint8_t *dst;
    enum sotto_err err = sotto_buf_extend(out, SOTTO_BASE64_LEN(in.len), &dst);
    if (err != SOTTO_OK) {
        return err;
    }
    for (size_t i = 0; i < in.len; i += 3, dst += 4) {
        size_t n = in.len - i;
        uint32_t v = (uint32_t)in.base[i] << 16 | (n > 1 ? (uint32_t)in.base[i + 1] << 8 : 0) |
                     (n > 2 ? in.base[i + 2] : 0);
        dst[0] = (uint8_t)base64_symbols[v >> 18];
        dst[1] = (uint8_t)base64_symbols[v >> 12 & 63];
        dst[2] = n > 1 ? (uint8_t)base64_symbols[v >> 6 & 63] : '=';
        dst[3] = n > 2 ? (uint8_t)base64_symbols[v & 63] : '=';
    }
    return SOTTO_OK;
}

/* Without a table that a secret would index: keys pass through here. */
static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static enum sotto_err read_group(const uint8_t *text, bool last, struct sotto_buf *out)
{
    size_t pad = !last ? 0 : text[2] == '=' ? 2 : text[3] == '=' ? 1 : 0;
    uint32_t v = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i < 4 - pad ? value_of(text[i]) : text[i] == '=' ? 0 : -1;
        if (digit < 0) {
            return SOTTO_EFORMAT;
        }
        v = v << 6 | (uint32_t)digit;
    }
    const uint8_t bytes[3] = {(uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    if ((pad > 0 && bytes[2] != 0) || (pad > 1 && bytes[1] != 0)) {
        return SOTTO_EFORMAT;
    }
    return sotto_buf_append(out, sotto_span_init(bytes, 3 - pad));
}

enum sotto_err sotto_base64_read(sotto_span text, struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = text.len % 4 == 0 ? SOTTO_OK : SOTTO_EFORMAT;
    for (size_t i = 0; err == SOTTO_OK && i < text.len; i += 4) {
        err = read_group(text.base + i, i + 4 == text.len, out);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

enum sotto_err sotto_base64_read_exact(sotto_span text, uint8_t *out, size_t n)
{
    struct sotto_buf bytes;
    sotto_buf_init(&bytes, n);
    enum sotto_err err = sotto_base64_read(text, &bytes);
    if (err == SOTTO_OK && bytes.len == n) {
        memcpy(out, bytes.base, n);
    }
    err = err == SOTTO_ELIMIT || (err == SOTTO_OK && bytes.len != n) ? SOTTO_EFORMAT : err;
    sotto_buf_free(&bytes);
    return err;
}
