/* SPDX-License-Identifier: Apache-2.0 */

#include "http/write.h"

#include "base/decimal.h"
#include "http/lines.h"

static bool is_token(sotto_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!sotto_is_token_byte(s.base[i])) {
            return false;
        }
    }
    return s.len != 0;
}

static bool is_value(sotto_span s)
{
    return sotto_text_run(s.base, s.len) == s.len;
}

static bool is_target(sotto_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.base[i] <= 0x20 || s.base[i] >= 0x7f) {
            return false;
        }
    }
    return s.len != 0;
}

const char *sotto_http_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {421, "Misdirected Request"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {529, "Overloaded"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(phrases); i++) {
        if (phrases[i].status == status) {
            return phrases[i].phrase;
        }
    }
    return "";
}

enum sotto_err sotto_http_write_status(struct sotto_buf *out, int status)
{
    if (status < 100 || status > 999) {
        return SOTTO_EINVAL;
    }
    if (status == 200) { /* the common one without formatting */
        return sotto_buf_append(out, SOTTO_LIT("HTTP/1.1 200 OK\r\n"));
    }
    return sotto_buf_printf(out, "HTTP/1.1 %d %s\r\n", status, sotto_http_phrase(status));
}

/* Appends up to four spans, all or nothing. */
static enum sotto_err append_all(struct sotto_buf *out, const sotto_span *parts, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += parts[i].len;
    }
    uint8_t *dst;
    enum sotto_err err = sotto_buf_extend(out, total, &dst);
    for (size_t i = 0; err == SOTTO_OK && i < count; i++) {
        if (parts[i].len != 0) {
            memcpy(dst, parts[i].base, parts[i].len);
            dst += parts[i].len;
        }
    }
    return err;
}

enum sotto_err sotto_http_write_request_line(struct sotto_buf *out, const char *method,
                                             sotto_span target)
{
    sotto_span word = sotto_span_str(method);
    if (!is_token(word) || !is_target(target)) {
        return SOTTO_EINVAL;
    }
    const sotto_span parts[] = {word, SOTTO_LIT(" "), target, SOTTO_LIT(" HTTP/1.1\r\n")};
    return append_all(out, parts, SOTTO_COUNT(parts));
}

static enum sotto_err write_field(struct sotto_buf *out, sotto_span name, sotto_span value)
{
    if (!is_token(name) || !is_value(value)) {
        return SOTTO_EINVAL;
    }
    const sotto_span parts[] = {name, SOTTO_LIT(": "), value, SOTTO_LIT("\r\n")};
    return append_all(out, parts, SOTTO_COUNT(parts));
}

enum sotto_err sotto_http_write_field(struct sotto_buf *out, const char *name, sotto_span value)
{
    return write_field(out, sotto_span_str(name), value);
}

enum sotto_err sotto_http_write_number(struct sotto_buf *out, const char *name, uint64_t value)
{
    char digits[SOTTO_DECIMAL_MAX];
    size_t len = sotto_decimal(value, 1, digits);
    return sotto_http_write_field(out, name, sotto_span_init(digits, len));
}

enum sotto_err sotto_http_write_head_end(struct sotto_buf *out)
{
    return sotto_buf_append(out, SOTTO_LIT("\r\n"));
}

size_t sotto_http_chunk_head(uint8_t to[SOTTO_HTTP_CHUNK_HEAD_MAX], size_t len)
{
    size_t digits = 1;
    while (digits < 16 && len >> (4 * digits) != 0) {
        digits++;
    }
    for (size_t i = digits; i != 0; i--) {
        to[i - 1] = (uint8_t)("0123456789abcdef"[len & 15]);
        len >>= 4;
    }
    to[digits] = '\r';
    to[digits + 1] = '\n';
    return digits + 2;
}

bool sotto_http_lines_are_fields(sotto_span lines)
{
    while (lines.len != 0) {
        const uint8_t *lf = memchr(lines.base, '\n', lines.len);
        size_t n = lf != NULL ? (size_t)(lf - lines.base) : 0;
        if (n < 2 || lines.base[n - 1] != '\r') {
            return false;
        }
        sotto_span line = sotto_span_init(lines.base, n - 1);
        const uint8_t *colon = memchr(line.base, ':', line.len);
        if (colon == NULL || !is_token(sotto_span_init(line.base, (size_t)(colon - line.base))) ||
            !is_value(line)) {
            return false;
        }
        lines = sotto_span_skip(lines, n + 1);
    }
    return true;
}
