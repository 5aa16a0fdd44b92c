/* SPDX-License-Identifier: Apache-2.0 */

#include "http/sse.h"

/* A buffer up to this size is kept between events. */
#define SSE_KEEP_BYTES ((size_t)16 << 10)

/*
 * Finds line ends.  The place of the next LF is remembered: without that, a stream that ends its
 * lines in CR would have the rest of the input searched for an LF once a line.
 */
struct line_finder {
    const uint8_t *end;
    const uint8_t *lf; /* next LF at or behind where it was last asked; `end`: none */
};

static struct line_finder finder_init(sotto_span in)
{
    return (struct line_finder){.end = in.base + in.len, .lf = NULL};
}

/* The next CR or LF at or behind `at`, or the end. */
static const uint8_t *find_line_end(struct line_finder *f, const uint8_t *at)
{
    if (at == f->end) {
        return at;
    }
    if (f->lf == NULL || f->lf < at) {
        f->lf = memchr(at, '\n', (size_t)(f->end - at));
        f->lf = f->lf != NULL ? f->lf : f->end;
    }
    const uint8_t *cr = memchr(at, '\r', (size_t)(f->lf - at));
    return cr != NULL ? cr : f->lf;
}

void sotto_sse_init(struct sotto_sse *sse, size_t max)
{
    *sse = (struct sotto_sse){.max = max};
    sotto_buf_init(&sse->held, max);
    sotto_buf_init(&sse->data, max);
}

void sotto_sse_free(struct sotto_sse *sse)
{
    sotto_buf_free(&sse->held);
    sotto_buf_free(&sse->data);
    sotto_sse_init(sse, sse->max);
}

static void release(struct sotto_buf *buf)
{
    if (buf->cap > SSE_KEEP_BYTES) {
        sotto_buf_free(buf);
    } else {
        sotto_buf_truncate(buf, 0);
    }
}

/* What is being gathered from the lines of one event. */
struct sse_block {
    sotto_span name;
    sotto_span data; /* of the first data line */
    size_t data_lines;
};

static enum sotto_err add_data(struct sotto_sse *sse, struct sse_block *block, sotto_span value)
{
    enum sotto_err err = SOTTO_OK;
    if (block->data_lines++ == 0) {
        block->data = value;
        return SOTTO_OK;
    }
    if (block->data_lines == 2) {
        err = sotto_buf_append(&sse->data, block->data);
    }
    if (err == SOTTO_OK && (err = sotto_buf_push(&sse->data, '\n')) == SOTTO_OK) {
        err = sotto_buf_append(&sse->data, value);
    }
    return err;
}

static enum sotto_err read_line(struct sotto_sse *sse, struct sse_block *block, sotto_span line)
{
    const uint8_t *colon = line.len != 0 ? memchr(line.base, ':', line.len) : NULL;
    size_t n = colon != NULL ? (size_t)(colon - line.base) : line.len;
    sotto_span field = sotto_span_init(line.base, n);
    sotto_span value = sotto_span_skip(line, colon != NULL ? n + 1 : n);
    if (value.len != 0 && value.base[0] == ' ') {
        value = sotto_span_skip(value, 1);
    }
    if (sotto_span_eq(field, SOTTO_LIT("data"))) {
        return add_data(sse, block, value);
    }
    if (sotto_span_eq(field, SOTTO_LIT("event"))) {
        block->name = value;
    }
    return SOTTO_OK;
}

/* Reads the complete lines of one event. */
static enum sotto_err read_block(struct sotto_sse *sse, sotto_span lines,
                                 struct sotto_sse_event *event, bool *got)
{
    struct sse_block block = {0};
    enum sotto_err err = lines.len <= sse->max ? SOTTO_OK : SOTTO_ELIMIT;

    if (!sse->begun && sotto_span_starts(lines, SOTTO_LIT("\xef\xbb\xbf"))) {
        lines = sotto_span_skip(lines, 3);
    }
    sse->begun = true;
    if (lines.len == 0) {
        return err;
    }
    struct line_finder finder = finder_init(lines);
    const uint8_t *at = lines.base;
    while (err == SOTTO_OK && at != finder.end) {
        const uint8_t *end = find_line_end(&finder, at);
        err = read_line(sse, &block, sotto_span_init(at, (size_t)(end - at)));
        at = end != finder.end ? end + 1 : end; /* behind CRLF: an empty line, which is no field */
    }
    if (err == SOTTO_OK && block.data_lines != 0) {
        event->name = block.name;
        event->data = block.data_lines == 1 ? block.data : sotto_buf_span(&sse->data);
        *got = true;
    }
    return err;
}

/*
 * Looks for the empty line that ends an event.  SOTTO_OK and *found: `*len` bytes of `in` belong
 * to the event, the byte behind them is the line end.  Not found: all of them belong to it.
 */
static bool find_event_end(struct sotto_sse *sse, sotto_span in, size_t *len)
{
    struct line_finder finder = finder_init(in);
    const uint8_t *at = in.base;

    while (at != finder.end) {
        if (sse->skip_lf) {
            sse->skip_lf = false;
            if (*at == '\n') {
                at++;
                continue;
            }
        }
        const uint8_t *end = find_line_end(&finder, at);
        if (end == finder.end) {
            sse->in_line = true;
            break;
        }
        sse->skip_lf = *end == '\r';
        if (end == at && !sse->in_line) {
            *len = (size_t)(at - in.base);
            return true;
        }
        sse->in_line = false;
        at = end + 1;
    }
    *len = in.len;
    return false;
}

static enum sotto_err next_block(struct sotto_sse *sse, sotto_span *in,
                                 struct sotto_sse_event *event, bool *got)
{
    size_t n;
    if (sse->skip_lf && sse->held.len == 0) { /* the LF of the CRLF that ended the event before */
        sse->skip_lf = false;
        if (in->base[0] == '\n') {
            *in = sotto_span_skip(*in, 1);
            return SOTTO_OK;
        }
    }
    bool found = find_event_end(sse, *in, &n);
    sotto_span part = sotto_span_init(in->base, n);
    *in = sotto_span_skip(*in, found ? n + 1 : n);
    if (found && sse->held.len == 0) {
        return read_block(sse, part, event, got);
    }
    enum sotto_err err = sotto_buf_append(&sse->held, part);
    if (err == SOTTO_OK && found) {
        err = read_block(sse, sotto_buf_span(&sse->held), event, got);
        sse->clear = true;
    }
    return err;
}

/* Every public call starts here: what was handed out by the last one is wiped. */
static void settle(struct sotto_sse *sse)
{
    release(&sse->data);
    if (sse->clear) {
        release(&sse->held);
        sse->clear = false;
    }
}

enum sotto_err sotto_sse_next(struct sotto_sse *sse, sotto_span *in, struct sotto_sse_event *event,
                              bool *got)
{
    enum sotto_err err = sse->dead ? SOTTO_ESTATE : SOTTO_OK;

    *got = false;
    while (err == SOTTO_OK && !*got && in->len != 0) {
        settle(sse);
        err = next_block(sse, in, event, got);
    }
    if (err != SOTTO_OK && !sse->dead) {
        sotto_sse_free(sse);
        sse->dead = true;
        *got = false;
    }
    if (!*got) {
        settle(sse);
    }
    return err;
}

enum sotto_err sotto_sse_end(struct sotto_sse *sse, struct sotto_sse_event *event, bool *got)
{
    *got = false;
    if (sse->dead) {
        return SOTTO_ESTATE;
    }
    settle(sse);
    size_t n = sse->held.len;
    while (n != 0 && sse->held.base[n - 1] != '\n' && sse->held.base[n - 1] != '\r') {
        n--;
    }
    enum sotto_err err = read_block(sse, sotto_span_init(sse->held.base, n), event, got);
    sse->clear = true;
    sse->skip_lf = sse->in_line = sse->begun = false;
    if (err != SOTTO_OK) {
        sotto_sse_free(sse);
        sse->dead = true;
        *got = false;
    }
    return err;
}
