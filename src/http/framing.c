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
        f->state = FRAMING_EXTENSION;
        return SOTTO_OK;
    }
    return size_digit(f, c);
}

static enum sotto_err extension(struct sotto_framing *f, uint8_t c)
{
    if (c == '\r') {
        f->state = FRAMING_SIZE_LF;
        return SOTTO_OK;
    }
    if ((c < 0x20 && c != '\t') || c == 0x7f) {
        return SOTTO_EFORMAT;
    }
    return ++f->extension_bytes > SOTTO_FRAMING_EXTENSIONS_MAX ? SOTTO_ELIMIT : SOTTO_OK;
}

static enum sotto_err size_lf(struct sotto_framing *f, uint8_t c)
{
    f->state = f->left != 0 ? FRAMING_CHUNK : FRAMING_TRAILERS;
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
    case FRAMING_EXTENSION:
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

/* Trailers are dropped, but have to look like fields: a line without a colon is an attempt. */
static enum sotto_err trailer_byte(struct sotto_framing *f, uint8_t c)
{
    size_t used = 0, lines = f->trailers.count;
    enum sotto_err err = sotto_lines_scan(&f->trailers, sotto_span_init(&c, 1), &used);
    if (err != SOTTO_OK) {
        return err;
    }
    if (++f->trailer_bytes > SOTTO_FRAMING_TRAILERS_MAX) {
        return SOTTO_ELIMIT;
    }
    if (f->trailers.count != lines) {
        err = f->line_has_name ? SOTTO_OK : SOTTO_EFORMAT;
        f->line_has_name = false;
        return err;
    }
    f->line_has_name = f->line_has_name || c == ':';
    if (f->trailers.state == LINES_DONE) {
        f->state = FRAMING_DONE;
    }
    return SOTTO_OK;
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
