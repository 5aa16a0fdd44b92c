/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/input.h"

#include <errno.h>
#include <unistd.h>

#include "apps/cli.h"
#include "text/utf8.h"

#define INPUT_READ_BYTES ((size_t)64 << 10)

void sotto_input_init(struct sotto_input *in, int fd)
{
    *in = (struct sotto_input){.fd = fd};
    sotto_buf_init(&in->buf, SOTTO_BUF_UNBOUNDED);
}

void sotto_input_free(struct sotto_input *in)
{
    sotto_buf_free(&in->buf);
}

/* Drops what was handed out, when it is most of what is there. */
static void compact(struct sotto_input *in)
{
    if (in->at != 0 && in->at >= in->buf.len / 2) {
        sotto_buf_consume(&in->buf, in->at);
        in->at = 0;
    }
}

static enum sotto_err fill(struct sotto_input *in)
{
    uint8_t *dst;
    size_t mark = in->buf.len;
    enum sotto_err err = sotto_buf_extend(&in->buf, INPUT_READ_BYTES, &dst);
    if (err != SOTTO_OK) {
        return err;
    }
    ssize_t n;
    do {
        n = read(in->fd, dst, INPUT_READ_BYTES);
    } while (n < 0 && errno == EINTR);
    sotto_buf_truncate(&in->buf, mark + (n > 0 ? (size_t)n : 0));
    in->end = n == 0;
    return n < 0 ? SOTTO_EIO : SOTTO_OK;
}

/* Hands out `len` bytes. */
static sotto_span take(struct sotto_input *in, size_t len)
{
    sotto_span taken = sotto_span_init(in->buf.base + in->at, len);
    in->at += len;
    in->line++;
    return taken;
}

enum sotto_err sotto_input_line(struct sotto_input *in, sotto_span *line)
{
    enum sotto_err err = SOTTO_OK;
    size_t seen = 0;
    bool skipped = false;
    compact(in);
    for (;;) {
        size_t have = in->buf.len - in->at;
        const uint8_t *base = in->buf.base;
        const uint8_t *newline =
            have > seen ? memchr(base + in->at + seen, '\n', have - seen) : NULL;
        if (newline == NULL && have == 0 && in->end && !skipped) {
            return SOTTO_ECLOSED;
        }
        if (newline != NULL || in->end) {
            size_t len = newline != NULL ? (size_t)(newline - base) - in->at : have;
            *line = take(in, len);
            in->at += newline != NULL;
            line->len -= len != 0 && line->base[len - 1] == '\r';
            return skipped ? SOTTO_ELIMIT : SOTTO_OK;
        }
        seen = have;
        if (have > SOTTO_INPUT_LINE_MAX) {
            sotto_buf_truncate(&in->buf, in->at);
            seen = 0;
            skipped = true;
        }
        if ((err = fill(in)) != SOTTO_OK) {
            return err;
        }
    }
}

/* How much of `text`, which is full, goes out now. */
static size_t block_len(sotto_span text)
{
    const uint8_t *newline = memrchr(text.base, '\n', text.len);
    if (newline != NULL) {
        return (size_t)(newline - text.base) + 1;
    }
    for (size_t at = text.len; at > text.len / 2; at--) {
        uint8_t c = text.base[at - 1];
        if (c == ' ' || c == '\t') {
            return at;
        }
    }
    size_t at = text.len - 1;
    while (at > text.len - 4 && !sotto_utf8_boundary(text, at)) {
        at--;
    }
    return at;
}

enum sotto_err sotto_input_block(struct sotto_input *in, sotto_span *block)
{
    in->offset += in->at;
    sotto_buf_consume(&in->buf, in->at);
    in->at = 0;
    while (!in->end && in->buf.len < SOTTO_INPUT_BLOCK_MAX) {
        enum sotto_err err = fill(in);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    if (in->buf.len == 0) {
        return SOTTO_ECLOSED;
    }
    *block = take(in, in->end ? in->buf.len : block_len(sotto_buf_span(&in->buf)));
    return SOTTO_OK;
}

enum sotto_err sotto_input_text(struct sotto_input *in, sotto_span *block)
{
    size_t bad_at;
    enum sotto_err err = sotto_input_block(in, block);
    if (err == SOTTO_OK && !sotto_utf8_valid(*block, &bad_at)) {
        in->bad_at = in->offset + bad_at;
        err = SOTTO_EFORMAT;
    }
    return err;
}

int sotto_input_status(const struct sotto_input *in, enum sotto_err err, const char *what)
{
    if (err == SOTTO_OK) {
        return SOTTO_EXIT_OK;
    }
    if (err == SOTTO_EFORMAT && in != NULL) {
        return sotto_cli_fail("%s stopped, the input is not UTF-8 at byte %zu: convert it first, "
                              "for example with iconv",
                              what, in->bad_at);
    }
    return sotto_cli_fail("%s stopped, %s: what came after this was not looked at", what,
                          sotto_err_text(err));
}
