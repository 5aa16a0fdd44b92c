/* SPDX-License-Identifier: Apache-2.0 */

#include "fleet/resp.h"

enum sotto_err sotto_resp_write(const sotto_span *words, size_t count, struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = sotto_buf_printf(out, "*%zu\r\n", count);
    for (size_t i = 0; i < count && err == SOTTO_OK; i++) {
        err = sotto_buf_printf(out, "$%zu\r\n", words[i].len);
        if (err == SOTTO_OK) {
            err = sotto_buf_append(out, words[i]);
        }
        if (err == SOTTO_OK) {
            err = sotto_buf_append(out, SOTTO_LIT("\r\n"));
        }
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

/* --- reading ----------------------------------------------------------------------------------- */

/* Where the reading stands; `whole` becomes false where bytes are missing. */
struct resp_cursor {
    sotto_span in;
    size_t at;
    bool whole;
};

/* The line from here on, without its CRLF. */
static enum sotto_err take_line(struct resp_cursor *c, sotto_span *out)
{
    sotto_span rest = sotto_span_skip(c->in, c->at);
    size_t look = rest.len < SOTTO_RESP_LINE_MAX + 2 ? rest.len : SOTTO_RESP_LINE_MAX + 2;
    const uint8_t *end = look != 0 ? memchr(rest.base, '\r', look) : NULL;
    if (end == NULL || (size_t)(end - rest.base) + 1 >= rest.len) {
        c->whole = false;
        return end == NULL && look == SOTTO_RESP_LINE_MAX + 2 ? SOTTO_EFORMAT : SOTTO_OK;
    }
    if (end[1] != '\n') {
        return SOTTO_EFORMAT;
    }
    *out = sotto_span_sub(rest, 0, (size_t)(end - rest.base));
    c->at += out->len + 2;
    return SOTTO_OK;
}

/* A decimal number with an optional sign, in the range of int64_t. */
static enum sotto_err parse_number(sotto_span text, int64_t *out)
{
    bool negative = text.len != 0 && text.base[0] == '-';
    text = sotto_span_skip(text, negative ? 1 : 0);
    uint64_t n = 0;
    if (text.len == 0 || text.len > 19) {
        return SOTTO_EFORMAT;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.base[i] < '0' || text.base[i] > '9') {
            return SOTTO_EFORMAT;
        }
        n = n * 10 + (uint64_t)(text.base[i] - '0');
    }
    if (n > (uint64_t)INT64_MAX) { /* the least number of all is none that a server counts to */
        return SOTTO_EFORMAT;
    }
    *out = negative ? -(int64_t)n : (int64_t)n;
    return SOTTO_OK;
}

/* Bytes behind "$n"; n -1: there are none. */
static enum sotto_err take_bulk(struct resp_cursor *c, int64_t n, struct sotto_resp_value *out)
{
    if (n == -1) {
        out->kind = SOTTO_RESP_NULL;
        return SOTTO_OK;
    }
    if (n < 0 || n > (int64_t)SOTTO_RESP_BULK_MAX) {
        return SOTTO_EFORMAT;
    }
    sotto_span rest = sotto_span_skip(c->in, c->at);
    size_t len = (size_t)n;
    if (rest.len < len + 2) {
        c->whole = false;
        return SOTTO_OK;
    }
    if (rest.base[len] != '\r' || rest.base[len + 1] != '\n') {
        return SOTTO_EFORMAT;
    }
    out->kind = SOTTO_RESP_BULK;
    out->text = sotto_span_sub(rest, 0, len);
    c->at += len + 2;
    return SOTTO_OK;
}

/* One value; of a list its head alone, with the count of its items as the number. */
static enum sotto_err take_value(struct resp_cursor *c, struct sotto_resp_value *out)
{
    sotto_span line;
    *out = (struct sotto_resp_value){.kind = SOTTO_RESP_NULL};
    enum sotto_err err = take_line(c, &line);
    if (err != SOTTO_OK || !c->whole) {
        return err;
    }
    if (line.len == 0) {
        return SOTTO_EFORMAT;
    }
    sotto_span rest = sotto_span_skip(line, 1);
    switch (line.base[0]) {
    case '+':
    case '-':
        out->kind = line.base[0] == '+' ? SOTTO_RESP_TEXT : SOTTO_RESP_ERROR;
        out->text = rest;
        return SOTTO_OK;
    case ':':
        out->kind = SOTTO_RESP_INT;
        return parse_number(rest, &out->number);
    case '$':
        err = parse_number(rest, &out->number);
        return err == SOTTO_OK ? take_bulk(c, out->number, out) : err;
    case '*':
        out->kind = SOTTO_RESP_LIST;
        return parse_number(rest, &out->number);
    default:
        return SOTTO_EFORMAT;
    }
}

static enum sotto_err take_items(struct resp_cursor *c, struct sotto_resp_reply *reply)
{
    int64_t count = reply->value.number;
    if (count == -1) {
        reply->value.kind = SOTTO_RESP_NULL;
        return SOTTO_OK;
    }
    if (count < 0 || count > SOTTO_RESP_ITEMS_MAX) {
        return SOTTO_EFORMAT;
    }
    reply->count = (size_t)count;
    for (size_t i = 0; i < reply->count && c->whole; i++) {
        enum sotto_err err = take_value(c, &reply->items[i]);
        if (err != SOTTO_OK) {
            return err;
        }
        if (c->whole && reply->items[i].kind == SOTTO_RESP_LIST) {
            return SOTTO_EFORMAT;
        }
    }
    return SOTTO_OK;
}

enum sotto_err sotto_resp_read(sotto_span in, struct sotto_resp_reply *reply, size_t *used)
{
    struct resp_cursor c = {.in = in, .whole = true};
    reply->count = 0;
    *used = 0;
    enum sotto_err err = take_value(&c, &reply->value);
    if (err == SOTTO_OK && c.whole && reply->value.kind == SOTTO_RESP_LIST) {
        err = take_items(&c, reply);
    }
    if (err == SOTTO_OK && c.whole) {
        *used = c.at;
    }
    return err;
}
