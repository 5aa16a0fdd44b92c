/* SPDX-License-Identifier: Apache-2.0 */

#include "http/h2_exchange.h"

#include "base/alloc.h"

/* A buffer that is this small is kept for the next piece of the answer. */
#define REQUEST_KEEP_BYTES ((size_t)4 << 10)

/* --- the list of a connection ----------------------------------------------------------------- */

static void unlink_request(struct sotto_h2_request *r)
{
    struct sotto_h2_client *h2 = r->h2;
    if (r->prev != NULL) {
        r->prev->next = r->next;
    } else {
        h2->first = r->next;
    }
    if (r->next != NULL) {
        r->next->prev = r->prev;
    } else {
        h2->last = r->prev;
    }
    r->prev = r->next = NULL;
}

static void link_first(struct sotto_h2_request *r)
{
    struct sotto_h2_client *h2 = r->h2;
    r->next = h2->first;
    if (r->next != NULL) {
        r->next->prev = r;
    } else {
        h2->last = r;
    }
    h2->first = r;
}

static void link_last(struct sotto_h2_request *r)
{
    struct sotto_h2_client *h2 = r->h2;
    r->prev = h2->last;
    if (r->prev != NULL) {
        r->prev->next = r;
    } else {
        h2->first = r;
    }
    h2->last = r;
}

void sotto_h2_request_mark(struct sotto_h2_request *r)
{
    if (!r->ready && r->h2 != NULL) {
        r->ready = true;
        unlink_request(r);
        link_first(r);
    }
}

void *sotto_h2_client_next(struct sotto_h2_client *h2)
{
    struct sotto_h2_request *r = h2->first;
    if (r == NULL || !r->ready) {
        return NULL;
    }
    r->ready = false;
    unlink_request(r);
    link_last(r);
    return r->user;
}

/* --- ends ------------------------------------------------------------------------------------- */

void sotto_h2_request_fail(struct sotto_h2_request *r, enum sotto_err err)
{
    if (!r->complete && r->failed == SOTTO_OK) {
        r->failed = err;
        sotto_h2_request_mark(r);
    }
}

void sotto_h2_request_close(struct sotto_h2_request *r)
{
    if (r->id != 0) {
        r->id = 0;
        r->h2->count--;
    }
}

/* Ends an open stream; without memory for it the connection ends. */
static void reset(struct sotto_h2_request *r, uint32_t code)
{
    struct sotto_h2_client *h2 = r->h2;
    if (r->id == 0) {
        return;
    }
    if (nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, r->id, code) != 0) {
        sotto_h2_client_end(h2, SOTTO_ENOMEM);
    }
}

/* The answer cannot be used: no more of it is wanted. */
static void refuse(struct sotto_h2_request *r, enum sotto_err err)
{
    sotto_h2_request_fail(r, err);
    r->h2->ignored -= SOTTO_H2_IGNORED_BYTES;
    reset(r, err == SOTTO_EFORMAT ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_CANCEL);
}

void sotto_h2_request_free(struct sotto_h2_request *r)
{
    if (r == NULL) {
        return;
    }
    if (r->id != 0) {
        /* Only an unknown stream has no place for it, and that is one that nobody names again. */
        sotto_ignore(nghttp2_session_set_stream_user_data(r->h2->session, r->id, NULL) == 0
                         ? SOTTO_OK
                         : SOTTO_ESTATE);
        if (!r->complete) {
            r->h2->ignored -= SOTTO_H2_IGNORED_BYTES;
        }
        reset(r, r->complete ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
        sotto_h2_request_close(r);
    }
    if (r->h2 != NULL) {
        unlink_request(r);
    }
    sotto_h2_head_free(&r->head);
    sotto_buf_free(&r->block);
    sotto_buf_free(&r->in);
    sotto_free(r);
}

/* --- requests --------------------------------------------------------------------------------- */

/* "METHOD target HTTP/1.1\r\n", lines, an empty line. */
struct request_parts {
    sotto_span method, target, authority, lines, body;
};

static bool split_head(sotto_span request, sotto_span *line, struct request_parts *parts)
{
    const uint8_t *end = request.len != 0 ? memmem(request.base, request.len, "\r\n\r\n", 4) : NULL;
    const uint8_t *first = end != NULL ? memmem(request.base, request.len, "\r\n", 2) : NULL;
    if (first == NULL) {
        return false;
    }
    size_t line_len = (size_t)(first - request.base), head_len = (size_t)(end - request.base) + 2;
    *line = sotto_span_sub(request, 0, line_len);
    parts->lines = sotto_span_sub(request, line_len + 2, head_len);
    parts->body = sotto_span_skip(request, head_len + 2);
    return true;
}

static bool split_line(sotto_span line, struct request_parts *parts)
{
    static const char version[] = " HTTP/1.1";
    size_t version_len = sizeof(version) - 1;
    const uint8_t *space = line.len != 0 ? memchr(line.base, ' ', line.len) : NULL;
    if (space == NULL || line.len <= version_len ||
        memcmp(line.base + line.len - version_len, version, version_len) != 0) {
        return false;
    }
    size_t method_len = (size_t)(space - line.base);
    if (method_len == 0 || method_len + 1 >= line.len - version_len) {
        return false;
    }
    parts->method = sotto_span_sub(line, 0, method_len);
    parts->target = sotto_span_sub(line, method_len + 1, line.len - version_len);
    return true;
}

/* The value of a line that begins with `name`, colon included; empty: there is none. */
static sotto_span find_line(sotto_span lines, sotto_span name)
{
    while (lines.len != 0) {
        const uint8_t *lf = memchr(lines.base, '\n', lines.len);
        size_t n = lf != NULL ? (size_t)(lf - lines.base) + 1 : lines.len;
        if (n > name.len && sotto_span_ieq(sotto_span_sub(lines, 0, name.len), name)) {
            sotto_span value = sotto_span_sub(lines, name.len, n);
            while (value.len != 0 && value.base[value.len - 1] <= ' ') {
                value.len--;
            }
            return sotto_span_trim(value);
        }
        lines = sotto_span_skip(lines, n);
    }
    return (sotto_span){NULL, 0};
}

static enum sotto_err read_request(sotto_span request, struct request_parts *parts)
{
    sotto_span line;
    if (!split_head(request, &line, parts) || !split_line(line, parts)) {
        return SOTTO_EINVAL;
    }
    parts->authority = find_line(parts->lines, SOTTO_LIT("host:"));
    return parts->authority.len != 0 &&
                   find_line(parts->lines, SOTTO_LIT("transfer-encoding:")).len == 0
               ? SOTTO_OK
               : SOTTO_EINVAL;
}

/* RFC 9113 8.3.1: the pseudo fields, then the others. */
static enum sotto_err add_fields(struct sotto_h2_fields *fields, const struct request_parts *parts)
{
    enum sotto_err err = SOTTO_OK;
    const sotto_span pseudo[][2] = {
        {SOTTO_LIT(":method"), parts->method},
        {SOTTO_LIT(":scheme"), SOTTO_LIT("https")},
        {SOTTO_LIT(":authority"), parts->authority},
        {SOTTO_LIT(":path"), parts->target},
    };
    fields->count = 0;
    for (size_t i = 0; err == SOTTO_OK && i < SOTTO_COUNT(pseudo); i++) {
        err = sotto_h2_add_field(fields, pseudo[i][0], pseudo[i][1]);
    }
    if (err == SOTTO_OK) {
        err = sotto_h2_add_lines(fields, parts->lines);
    }
    return err == SOTTO_EFORMAT ? SOTTO_EINVAL : err;
}

static enum sotto_err submit(struct sotto_h2_request *r, const struct request_parts *parts)
{
    SOTTO_UNINIT struct sotto_h2_fields fields; /* 5 KiB, of which few are needed */
    const nghttp2_data_provider data = {.read_callback = sotto_h2_request_read};
    enum sotto_err err = add_fields(&fields, parts);
    if (err != SOTTO_OK) {
        return err;
    }
    r->id = nghttp2_submit_request(r->h2->session, NULL, fields.list, fields.count,
                                   r->body.len != 0 ? &data : NULL, r);
    if (r->id < 0) {
        r->id = 0;
        return SOTTO_ENOMEM;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_h2_request_new(struct sotto_h2_client *h2, sotto_span request, void *user,
                                    struct sotto_h2_request **out)
{
    struct request_parts parts;
    enum sotto_err err = read_request(request, &parts);
    if (err != SOTTO_OK) {
        return err;
    }
    if (sotto_h2_client_room(h2) == 0) {
        return SOTTO_ESTATE;
    }
    struct sotto_h2_request *r = sotto_calloc(1, sizeof(*r));
    if (r == NULL) {
        return SOTTO_ENOMEM;
    }
    r->h2 = h2;
    r->user = user;
    r->body = parts.body;
    sotto_h2_head_init_response(&r->head, h2->head_bytes);
    sotto_buf_init(&r->block, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&r->in, SOTTO_H2_STREAM_WINDOW);
    if ((err = submit(r, &parts)) != SOTTO_OK) {
        r->h2 = NULL; /* it is in no list */
        sotto_h2_request_free(r);
        return err;
    }
    h2->count++;
    link_last(r);
    *out = r;
    return SOTTO_OK;
}

ssize_t sotto_h2_request_read(nghttp2_session *session, int32_t id, uint8_t *to, size_t most,
                              uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct sotto_h2_request *r = nghttp2_session_get_stream_user_data(session, id);
    (void)source;
    (void)ctx;
    if (r == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* it was let go of: RST_STREAM waits */
    }
    size_t n = r->body.len - r->sent;
    n = n < most ? n : most;
    memcpy(to, r->body.base + r->sent, n);
    r->sent += n;
    if (r->sent == r->body.len) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    sotto_h2_request_mark(r);
    return (ssize_t)n;
}

/* --- answers ---------------------------------------------------------------------------------- */

void sotto_h2_request_field(struct sotto_h2_request *r, sotto_span name, sotto_span value)
{
    if (r->status == 0 && r->failed == SOTTO_OK && /* trailers are dropped */
        sotto_h2_head_add(&r->head, name, value) != SOTTO_OK) {
        refuse(r, SOTTO_ELIMIT);
    }
}

void sotto_h2_request_head_end(struct sotto_h2_request *r)
{
    int status = 0;
    if (r->status != 0 || r->failed != SOTTO_OK) {
        return;
    }
    enum sotto_err err = sotto_h2_head_response(&r->head, &status, &r->block);
    if (err == SOTTO_OK && status < 200 && ++r->interims > SOTTO_H2_INTERIM_MAX) {
        err = SOTTO_EFORMAT;
    }
    if (err != SOTTO_OK) {
        refuse(r, err);
    } else if (status >= 200) {
        r->status = status;
        sotto_h2_head_free(&r->head);
        sotto_h2_request_mark(r);
    }
}

void sotto_h2_request_data(struct sotto_h2_request *r, sotto_span data)
{
    if (r->failed != SOTTO_OK) {
        return;
    }
    enum sotto_err err = sotto_buf_append(&r->in, data);
    if (err != SOTTO_OK) { /* over the window is against the rules, which nghttp2 has looked at */
        refuse(r, err == SOTTO_ELIMIT ? SOTTO_EFORMAT : err);
        return;
    }
    sotto_h2_request_mark(r);
}

/* What was handed out has been taken: the upstream may send as much again. */
static void settle(struct sotto_h2_request *r)
{
    size_t n = r->given;
    if (n == 0) {
        return;
    }
    r->given = 0;
    if (n == r->in.len && r->in.cap > REQUEST_KEEP_BYTES) {
        sotto_buf_free(&r->in);
        sotto_buf_init(&r->in, SOTTO_H2_STREAM_WINDOW);
    } else {
        sotto_buf_consume(&r->in, n);
    }
    if (r->id != 0 && nghttp2_session_consume_stream(r->h2->session, r->id, n) != 0) {
        refuse(r, SOTTO_ENOMEM);
    }
}

enum sotto_err sotto_h2_request_take(struct sotto_h2_request *r, enum sotto_http_event *event,
                                     sotto_span *piece)
{
    *event = SOTTO_HTTP_MORE;
    *piece = (sotto_span){NULL, 0};
    settle(r);
    if (r->status != 0 && !r->told_head) {
        r->told_head = true;
        *event = SOTTO_HTTP_HEAD;
    } else if (r->in.len != 0) {
        *event = SOTTO_HTTP_BODY;
        *piece = sotto_buf_span(&r->in);
        r->given = r->in.len;
    } else if (r->failed != SOTTO_OK) {
        return r->failed;
    } else if (r->complete && !r->told_done) {
        r->told_done = true;
        *event = SOTTO_HTTP_DONE;
    }
    return SOTTO_OK;
}

int sotto_h2_request_status(const struct sotto_h2_request *r)
{
    return r->status;
}

sotto_span sotto_h2_request_head(const struct sotto_h2_request *r)
{
    return sotto_buf_span(&r->block);
}

bool sotto_h2_request_idle(const struct sotto_h2_request *r)
{
    return !r->begun;
}

size_t sotto_h2_request_progress(const struct sotto_h2_request *r)
{
    return r->sent;
}

bool sotto_h2_request_sent(const struct sotto_h2_request *r)
{
    return r->sent_head && r->sent == r->body.len;
}
