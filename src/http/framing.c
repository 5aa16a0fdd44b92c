/* SPDX-License-Identifier: Apache-2.0 */

#include "http/framing.h"

/* 15 digits hold any size that fits into memory and cannot overflow 64 bits. */
#define FRAMING_DIGITS_MAX 15

struct sotto_framing sotto_framing_length(uint64_t len)
{
    return (struct sotto_framing){.state = len != 0 ? FRAMING_LENGTH : FRAMING_DONE, .left = len};
}

struct sotto_framing sotto_framing_chunked(void)
{
    return (struct sotto_framing){.state = FRAMING_SIZE};
}

struct sotto_framing sotto_framing_until_close(void)
{
    return (struct sotto_framing){.state = FRAMING_CLOSE};
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    uint8_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static enum sotto_err size_digit(struct sotto_framing *f, uint8_t c)
{
    int digit = hex_digit(c);
    if (digit < 0 || f->digits == FRAMING_DIGITS_MAX) {
        return SOTTO_EFORMAT;
    }
    f->left = f->left << 4 | (uint64_t)digit;
    f->digits++;
    f->state = FRAMING_SIZE_MORE;
    return SOTTO_OK;
}

static enum sotto_err size_more(struct sotto_framing *f, uint8_t c)
{
    if (c == '\r') {
        f->state = FRAMING_SIZE_LF;
        return SOTTO_OK;
    }
    if (c == ';') {
        f->state = FRAMING_NAME;
        f->word_bytes = 0;
        return SOTTO_OK;
    }
    return size_digit(f, c);
}

/* What may stand behind a complete extension: the next one or the end of the line. */
static enum sotto_err extension_end(struct sotto_framing *f, uint8_t c)
{
    f->state = c == ';' ? FRAMING_NAME : FRAMING_SIZE_LF;
    f->word_bytes = 0;
    return c == ';' || c == '\r' ? SOTTO_OK : SOTTO_EFORMAT;
}

static enum sotto_err extension_word(struct sotto_framing *f, uint8_t c)
{
    if (sotto_is_token_byte(c)) {
        f->word_bytes++;
        return SOTTO_OK;
    }
    if (f->state == FRAMING_VALUE && f->word_bytes == 0 && c == '"') {
        f->state = FRAMING_QUOTED;
        return SOTTO_OK;
    }
    if (f->word_bytes == 0) {
        return SOTTO_EFORMAT;
    }
    if (f->state == FRAMING_NAME && c == '=') {
        f->state = FRAMING_VALUE;
        f->word_bytes = 0;
        return SOTTO_OK;
    }
    return extension_end(f, c);
}

static enum sotto_err extension_quoted(struct sotto_framing *f, uint8_t c)
{
    if (f->state == FRAMING_QUOTED && c == '"') {
        f->state = FRAMING_UNQUOTED;
        return SOTTO_OK;
    }
    f->state = f->state == FRAMING_QUOTED && c == '\\' ? FRAMING_ESCAPED : FRAMING_QUOTED;
    return (c < 0x20 && c != '\t') || c == 0x7f ? SOTTO_EFORMAT : SOTTO_OK;
}

static enum sotto_err extension(struct sotto_framing *f, uint8_t c)
{
    if (++f->extension_bytes > SOTTO_FRAMING_EXTENSIONS_MAX) {
        return SOTTO_ELIMIT;
    }
    if (f->state == FRAMING_UNQUOTED) {
        return extension_end(f, c);
    }
    return f->state == FRAMING_NAME || f->state == FRAMING_VALUE ? extension_word(f, c)
                                                                 : extension_quoted(f, c);
}

static enum sotto_err size_lf(struct sotto_framing *f, uint8_t c)
{
    f->state = f->left != 0 ? FRAMING_CHUNK : FRAMING_TRAILERS;
    f->word_bytes = 0;
    return c == '\n' ? SOTTO_OK : SOTTO_EFORMAT;
}

/* One byte of the framing between pieces of data. */
static enum sotto_err step(struct sotto_framing *f, uint8_t c)
{
    switch (f->state) {
    case FRAMING_SIZE:
        return size_digit(f, c);
    case FRAMING_SIZE_MORE:
        return size_more(f, c);
    case FRAMING_NAME:
    case FRAMING_VALUE:
    case FRAMING_QUOTED:
    case FRAMING_ESCAPED:
    case FRAMING_UNQUOTED:
        return extension(f, c);
    case FRAMING_SIZE_LF:
        return size_lf(f, c);
    case FRAMING_DATA_CR:
        f->state = FRAMING_DATA_LF;
        return c == '\r' ? SOTTO_OK : SOTTO_EFORMAT;
    case FRAMING_DATA_LF:
        f->state = FRAMING_SIZE;
        f->digits = 0;
        return c == '\n' ? SOTTO_OK : SOTTO_EFORMAT;
    case FRAMING_CHUNK:
    case FRAMING_TRAILERS:
    case FRAMING_LENGTH:
    case FRAMING_CLOSE:
    case FRAMING_DONE:
        break;
    }
    return SOTTO_ESTATE;
}

/* RFC 9110 6.5.1: fields that frame or route a message have no business behind it. */
static bool is_forbidden_trailer(const struct sotto_framing *f)
{
    static const char *const names[] = {"transfer-encoding", "content-length", "host", "connection",
                                        "upgrade"};
    for (size_t i = 0; i < SOTTO_COUNT(names); i++) {
        if (f->word_bytes == strlen(names[i]) && memcmp(f->name, names[i], f->word_bytes) == 0) {
            return true;
        }
    }
    return false;
}

/* A byte that does not end a line: trailers are dropped, but have to be fields. */
static enum sotto_err trailer_text(struct sotto_framing *f, uint8_t c)
{
    if (f->in_value) {
        return SOTTO_OK;
    }
    if (c == ':' && f->word_bytes != 0) {
        f->in_value = true;
        return is_forbidden_trailer(f) ? SOTTO_EFORMAT : SOTTO_OK;
    }
    if (f->word_bytes < sizeof(f->name)) {
        f->name[f->word_bytes] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    f->word_bytes++;
    return sotto_is_token_byte(c) ? SOTTO_OK : SOTTO_EFORMAT;
}

static enum sotto_err trailer_byte(struct sotto_framing *f, uint8_t c)
{
    size_t used = 0;
    enum sotto_err err = sotto_lines_scan(&f->trailers, sotto_span_init(&c, 1), &used);
    if (err != SOTTO_OK) {
        return err;
    }
    if (++f->trailer_bytes > SOTTO_FRAMING_TRAILERS_MAX) {
        return SOTTO_ELIMIT;
    }
    switch (f->trailers.state) {
    case LINES_INSIDE:
        return trailer_text(f, c);
    case LINES_CR:
        err = f->in_value ? SOTTO_OK : SOTTO_EFORMAT;
        f->in_value = false;
        f->word_bytes = 0;
        break;
    case LINES_DONE:
        f->state = FRAMING_DONE;
        break;
    case LINES_START:
    case LINES_NEXT:
    case LINES_LAST:
        break;
    }
    return err;
}

/* Data up to the end of the chunk, the body or the input. */
static size_t data(struct sotto_framing *f, sotto_span in, sotto_span *piece)
{
    size_t n = in.len;
    if (f->state != FRAMING_CLOSE) {
        n = n < f->left ? n : (size_t)f->left;
        f->left -= n;
        if (f->left == 0) {
            f->state = f->state == FRAMING_CHUNK ? FRAMING_DATA_CR : FRAMING_DONE;
        }
    }
    *piece = sotto_span_init(in.base, n);
    return n;
}

static bool in_data(const struct sotto_framing *f)
{
    return f->state == FRAMING_CHUNK || f->state == FRAMING_LENGTH || f->state == FRAMING_CLOSE;
}

enum sotto_err sotto_framing_next(struct sotto_framing *f, sotto_span in, size_t *used,
                                  sotto_span *piece)
{
    size_t i = 0;
    enum sotto_err err = SOTTO_OK;

    *piece = sotto_span_init(NULL, 0);
    while (err == SOTTO_OK && i < in.len && f->state != FRAMING_DONE) {
        if (in_data(f)) {
            i += data(f, sotto_span_skip(in, i), piece);
            break;
        }
        err = f->state == FRAMING_TRAILERS ? trailer_byte(f, in.base[i]) : step(f, in.base[i]);
        i++;
    }
    *used = i;
    return err;
}
