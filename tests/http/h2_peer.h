/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_H2_PEER_H
#define SOTTO_TESTS_H2_PEER_H

/*
 * The other side of an HTTP/2 connection, frame by frame: writes what a test says, also what no
 * library would, and reads what comes back.
 */

#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#include "base/buf.h"

#define PEER_MAGIC "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

enum {
    PEER_DATA,
    PEER_HEADERS,
    PEER_PRIORITY,
    PEER_RST,
    PEER_SETTINGS,
    PEER_PUSH,
    PEER_PING,
    PEER_GOAWAY,
    PEER_WINDOW,
    PEER_CONTINUATION,
};

/* What came back so far. */
struct peer {
    int frames[10];
    int settings_acks, ping_acks;
    int64_t goaway; /* its last code; -1: none */
    int64_t rst;
    int32_t rst_stream;
    int ends;                /* END_STREAM flags */
    struct sotto_buf fields; /* "name: value\n", heads one behind the other */
    struct sotto_buf data;
    struct sotto_buf left; /* of a frame that is not complete */
    nghttp2_hd_inflater *inflater;
    bool never_indexed; /* the last head had such a field: RFC 7541 6.2.3 */
};

static inline void peer_must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static inline struct peer peer_new(void)
{
    struct peer p = {.goaway = -1, .rst = -1};
    sotto_buf_init(&p.fields, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&p.data, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&p.left, SOTTO_BUF_UNBOUNDED);
    peer_must(nghttp2_hd_inflate_new(&p.inflater) == 0);
    return p;
}

static inline void peer_free(struct peer *p)
{
    nghttp2_hd_inflate_del(p->inflater);
    sotto_buf_free(&p->fields);
    sotto_buf_free(&p->data);
    sotto_buf_free(&p->left);
}

static inline void peer_frame(struct sotto_buf *out, int type, int flags, int32_t stream,
                              sotto_span body)
{
    const uint8_t head[9] = {(uint8_t)(body.len >> 16),
                             (uint8_t)(body.len >> 8),
                             (uint8_t)body.len,
                             (uint8_t)type,
                             (uint8_t)flags,
                             (uint8_t)((uint32_t)stream >> 24),
                             (uint8_t)((uint32_t)stream >> 16),
                             (uint8_t)((uint32_t)stream >> 8),
                             (uint8_t)stream};
    peer_must(sotto_buf_append(out, sotto_span_init(head, sizeof(head))) == SOTTO_OK);
    peer_must(sotto_buf_append(out, body) == SOTTO_OK);
}

static inline void peer_number(struct sotto_buf *out, int type, int32_t stream, uint32_t number)
{
    const uint8_t body[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
                             (uint8_t)(number >> 8), (uint8_t)number};
    peer_frame(out, type, 0, stream, sotto_span_init(body, sizeof(body)));
}

static inline void peer_settings(struct sotto_buf *out, int id, uint32_t value)
{
    const uint8_t body[6] = {0,
                             (uint8_t)id,
                             (uint8_t)(value >> 24),
                             (uint8_t)(value >> 16),
                             (uint8_t)(value >> 8),
                             (uint8_t)value};
    peer_frame(out, PEER_SETTINGS, 0, 0, sotto_span_init(body, id != 0 ? sizeof(body) : 0));
}

/* A block of "name: value\n" lines, each literal and without an index, behind the change of the
 * table's size that our settings ask for (RFC 7541 4.2). */
static inline void peer_block(struct sotto_buf *out, const char *lines)
{
    if (out->len == 0) {
        peer_must(sotto_buf_push(out, 0x20) == SOTTO_OK);
    }
    while (*lines != '\0') {
        const char *end = strchr(lines, '\n');
        const char *colon = strchr(lines + 1, ':');
        size_t name_len = (size_t)(colon - lines), value_len = (size_t)(end - colon) - 2;
        const sotto_span parts[] = {sotto_span_init(lines, name_len),
                                    sotto_span_init(colon + 2, value_len)};
        peer_must(sotto_buf_push(out, 0) == SOTTO_OK);
        for (size_t i = 0; i < 2; i++) { /* RFC 7541 5.1: seven bits and more */
            size_t n = parts[i].len;
            if (n < 127) {
                peer_must(sotto_buf_push(out, (uint8_t)n) == SOTTO_OK);
            } else {
                peer_must(sotto_buf_push(out, 127) == SOTTO_OK);
                for (n -= 127; n >= 128; n >>= 7) {
                    peer_must(sotto_buf_push(out, (uint8_t)(n % 128 + 128)) == SOTTO_OK);
                }
                peer_must(sotto_buf_push(out, (uint8_t)n) == SOTTO_OK);
            }
            peer_must(sotto_buf_append(out, parts[i]) == SOTTO_OK);
        }
        lines = end + 1;
    }
}

/* HEADERS with the whole block; `end`: END_STREAM. */
static inline void peer_head(struct sotto_buf *out, int32_t stream, const char *lines, bool end)
{
    struct sotto_buf block;
    sotto_buf_init(&block, SOTTO_BUF_UNBOUNDED);
    peer_block(&block, lines);
    peer_frame(out, PEER_HEADERS, end ? 5 : 4, stream, sotto_buf_span(&block));
    sotto_buf_free(&block);
}

static inline void peer_data(struct sotto_buf *out, int32_t stream, const char *text, bool end)
{
    peer_frame(out, PEER_DATA, end ? 1 : 0, stream, sotto_span_str(text));
}

static inline void peer_read_block(struct peer *p, sotto_span block)
{
    int flags = 0;
    p->never_indexed = false;
    for (size_t i = 0; i < block.len; i++) {
        p->never_indexed = p->never_indexed || (block.base[i] & 0xf0U) == 0x10;
    }
    for (;;) {
        nghttp2_nv nv;
        ssize_t n = nghttp2_hd_inflate_hd2(p->inflater, &nv, &flags, block.base, block.len, 1);
        peer_must(n >= 0);
        block = sotto_span_skip(block, (size_t)n);
        if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
            peer_must(sotto_buf_printf(&p->fields, "%.*s: %.*s\n", (int)nv.namelen, nv.name,
                                       (int)nv.valuelen, nv.value) == SOTTO_OK);
        }
        if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) {
            nghttp2_hd_inflate_end_headers(p->inflater);
            return;
        }
    }
}

static inline uint32_t peer_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void peer_read_frame(struct peer *p, int type, int flags, int32_t stream,
                                   sotto_span body)
{
    peer_must(type < 10);
    p->frames[type]++;
    if (type == PEER_HEADERS) {
        peer_read_block(p, body);
    } else if (type == PEER_DATA) {
        peer_must(sotto_buf_append(&p->data, body) == SOTTO_OK);
    } else if (type == PEER_RST) {
        p->rst = peer_u32(body.base);
        p->rst_stream = stream;
    } else if (type == PEER_GOAWAY) {
        p->goaway = peer_u32(body.base + 4);
    } else if (type == PEER_SETTINGS) {
        p->settings_acks += flags & 1;
    } else if (type == PEER_PING) {
        p->ping_acks += flags & 1;
    }
    p->ends += (type == PEER_DATA || type == PEER_HEADERS) ? flags & 1 : 0;
}

/* Takes bytes in; a server's, without a preface. */
static inline void peer_read(struct peer *p, sotto_span in)
{
    peer_must(sotto_buf_append(&p->left, in) == SOTTO_OK);
    while (p->left.len >= 9) {
        const uint8_t *head = p->left.base;
        size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        if (p->left.len < 9 + len) {
            return;
        }
        peer_read_frame(p, head[3], head[4], (int32_t)(peer_u32(head + 5) & INT32_MAX),
                        sotto_span_init(head + 9, len));
        sotto_buf_consume(&p->left, 9 + len);
    }
}

/* Whether the text occurs in the heads that came. */
static inline bool peer_has(const struct peer *p, const char *text)
{
    return p->fields.len != 0 && memmem(p->fields.base, p->fields.len, text, strlen(text)) != NULL;
}

#endif
