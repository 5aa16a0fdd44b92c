/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Server-sent events.  Oracle: whatever way the stream is cut, the same events come out; and a
 * slow reader that follows the text of the standard finds them too.
 */

#include <stdlib.h>

#include "base/buf.h"
#include "http/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_EVENT 512

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void note(struct sotto_buf *out, sotto_span name, sotto_span data)
{
    must(sotto_buf_printf(out, "[%zu|%zu|", name.len, data.len) == SOTTO_OK);
    must(sotto_buf_append(out, name) == SOTTO_OK && sotto_buf_append(out, data) == SOTTO_OK);
}

static enum sotto_err run(sotto_span in, size_t step, struct sotto_buf *out)
{
    struct sotto_sse sse;
    struct sotto_sse_event event;
    enum sotto_err err = SOTTO_OK;
    sotto_sse_init(&sse, MAX_EVENT);
    for (size_t at = 0; err == SOTTO_OK && at < in.len; at += step) {
        sotto_span piece = sotto_span_sub(in, at, in.len - at < step ? in.len : at + step);
        bool got = true;
        while (got && (err = sotto_sse_next(&sse, &piece, &event, &got)) == SOTTO_OK) {
            if (got) {
                note(out, event.name, event.data);
            }
        }
        must(err != SOTTO_OK || piece.len == 0);
    }
    sotto_sse_free(&sse);
    return err;
}

/* The standard's algorithm, one byte at a time. */
struct slow {
    struct sotto_buf line, name, data, *out;
    bool has_data;
};

static void slow_line(struct slow *s)
{
    sotto_span line = sotto_buf_span(&s->line);
    if (line.len == 0) {
        if (s->has_data) {
            s->data.len--; /* the last LF */
            note(s->out, sotto_buf_span(&s->name), sotto_buf_span(&s->data));
        }
        s->name.len = s->data.len = 0;
        s->has_data = false;
        return;
    }
    size_t n = 0;
    while (n < line.len && line.base[n] != ':') {
        n++;
    }
    sotto_span field = sotto_span_init(line.base, n);
    sotto_span value = sotto_span_skip(line, n < line.len ? n + 1 : n);
    if (value.len != 0 && value.base[0] == ' ') {
        value = sotto_span_skip(value, 1);
    }
    if (sotto_span_eq(field, SOTTO_LIT("data"))) {
        must(sotto_buf_append(&s->data, value) == SOTTO_OK);
        must(sotto_buf_push(&s->data, '\n') == SOTTO_OK);
        s->has_data = true;
    } else if (sotto_span_eq(field, SOTTO_LIT("event"))) {
        s->name.len = 0;
        must(sotto_buf_append(&s->name, value) == SOTTO_OK);
    }
    s->line.len = 0;
}

static void run_slow(sotto_span in, struct sotto_buf *out)
{
    struct slow s = {.out = out};
    bool skip_lf = false;
    sotto_buf_init(&s.line, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s.name, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s.data, SOTTO_BUF_UNBOUNDED);
    if (sotto_span_starts(in, SOTTO_LIT("\xef\xbb\xbf"))) {
        in = sotto_span_skip(in, 3);
    }
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.base[i];
        if (!(skip_lf && c == '\n')) {
            if (c == '\r' || c == '\n') {
                slow_line(&s);
            } else {
                must(sotto_buf_push(&s.line, c) == SOTTO_OK);
            }
        }
        skip_lf = c == '\r';
    }
    sotto_buf_free(&s.line);
    sotto_buf_free(&s.name);
    sotto_buf_free(&s.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sotto_buf whole, pieces;
    if (size == 0) {
        return 0;
    }
    sotto_span in = sotto_span_init(data, size);
    sotto_buf_init(&whole, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&pieces, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = run(in, size, &whole);
    const size_t steps[] = {1, (size_t)data[size / 2] % 31 + 1};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        must(run(in, steps[i], &pieces) == err);
        must(sotto_span_eq(sotto_buf_span(&whole), sotto_buf_span(&pieces)));
        sotto_buf_truncate(&pieces, 0);
    }
    if (err == SOTTO_OK) {
        run_slow(in, &pieces);
        must(sotto_span_eq(sotto_buf_span(&whole), sotto_buf_span(&pieces)));
    }
    sotto_buf_free(&whole);
    sotto_buf_free(&pieces);
    return 0;
}
