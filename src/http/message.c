/* SPDX-License-Identifier: Apache-2.0 */

#include "http/message.h"

#include <llhttp.h>

/* A buffer up to this size is kept between messages of a connection. */
#define MESSAGE_KEEP_BYTES 2048

enum sotto_err sotto_collect(struct sotto_collector *c, sotto_span in, size_t *used,
                             sotto_span *raw)
{
    size_t n = 0;
    size_t room = c->max - c->held.len;
    sotto_span visible = sotto_span_init(in.base, in.len < room ? in.len : room);
    enum sotto_err err = sotto_lines_scan(&c->lines, visible, &n);
    if (err != SOTTO_OK) {
        return err;
    }

    *raw = sotto_span_init(NULL, 0);
    bool done = c->lines.state == LINES_DONE;
    if (!done && visible.len == room) {
        return SOTTO_ELIMIT;
    }
    if (done && c->held.len == 0) {
        *raw = sotto_span_init(in.base, n); /* the common case: all of it in one piece */
    } else if ((err = sotto_buf_append(&c->held, sotto_span_init(in.base, n))) != SOTTO_OK) {
        return err;
    } else if (done) {
        *raw = sotto_buf_span(&c->held);
    }
    *used = n;
    return SOTTO_OK;
}

void sotto_collect_next(struct sotto_collector *c)
{
    c->lines = (struct sotto_lines){0};
    if (c->held.cap > MESSAGE_KEEP_BYTES) {
        sotto_buf_free(&c->held);
    } else {
        sotto_buf_truncate(&c->held, 0);
    }
}

/* --- llhttp ------------------------------------------------------------------------------- */

struct message_reading {
    llhttp_t parser; /* first, so that callbacks find the rest */
    struct sotto_http_head *head;
    size_t started; /* fields begun */
    bool in_value;
    bool too_many;
};

static struct message_reading *reading(llhttp_t *parser)
{
    return (struct message_reading *)(void *)parser;
}

/* llhttp may report one element in several adjacent pieces. */
static int extend(sotto_span *span, const char *at, size_t len)
{
    if (span->len == 0) {
        *span = sotto_span_init(at, len);
        return 0;
    }
    if (span->base + span->len != (const uint8_t *)at) {
        return -1;
    }
    span->len += len;
    return 0;
}

static int on_method(llhttp_t *parser, const char *at, size_t len)
{
    return extend(&reading(parser)->head->method, at, len);
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    return extend(&reading(parser)->head->target, at, len);
}

static int on_field(llhttp_t *parser, const char *at, size_t len)
{
    struct message_reading *rd = reading(parser);
    if (rd->in_value || rd->started == 0) {
        if (rd->started == SOTTO_HTTP_FIELDS_MAX) {
            rd->too_many = true;
            return -1;
        }
        rd->head->fields[rd->started++] = (struct sotto_http_field){0};
        rd->in_value = false;
    }
    return extend(&rd->head->fields[rd->started - 1].name, at, len);
}

static int on_field_complete(llhttp_t *parser)
{
    reading(parser)->in_value = true;
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct message_reading *rd = reading(parser);
    return rd->in_value ? extend(&rd->head->fields[rd->started - 1].value, at, len) : -1;
}

static int on_complete(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t message_settings = {
    .on_method = on_method,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_field_complete = on_field_complete,
    .on_header_value = on_value,
    .on_headers_complete = on_complete,
};

/* llhttp skips white space and reads versions that we do not speak. */
static bool start_line_is_exact(sotto_span raw, const struct sotto_http_head *head, bool request)
{
    const uint8_t *end = memchr(raw.base, '\r', raw.len);
    size_t len = end != NULL ? (size_t)(end - raw.base) : 0;
    if (!request) {
        static const size_t code = sizeof("HTTP/1.1 200") - 1;
        return len >= code && memcmp(raw.base, "HTTP/1.", 7) == 0 && raw.base[8] == ' ' &&
               (len == code || raw.base[code] == ' ');
    }
    sotto_span line = sotto_span_init(raw.base, len);
    static const size_t rest = sizeof("  HTTP/1.1") - 1;
    return len == head->method.len + head->target.len + rest && line.base == head->method.base &&
           line.base + head->method.len + 1 == head->target.base &&
           memcmp(line.base + len - 8, "HTTP/1.", 7) == 0;
}

enum sotto_err sotto_message_read(sotto_span raw, bool request, struct sotto_http_head *head,
                                  int *minor)
{
    struct message_reading rd = {.head = head};

    head->method = head->target = sotto_span_init(NULL, 0);
    head->field_count = 0;
    llhttp_init(&rd.parser, request ? HTTP_REQUEST : HTTP_RESPONSE, &message_settings);
    llhttp_errno_t result = llhttp_execute(&rd.parser, (const char *)raw.base, raw.len);
    if (rd.too_many) {
        return SOTTO_ELIMIT;
    }
    if (result != HPE_PAUSED ||
        (const uint8_t *)llhttp_get_error_pos(&rd.parser) != raw.base + raw.len ||
        llhttp_get_http_major(&rd.parser) != 1 || llhttp_get_http_minor(&rd.parser) > 1 ||
        !start_line_is_exact(raw, head, request)) {
        return SOTTO_EFORMAT;
    }
    for (size_t i = 0; i < rd.started; i++) {
        head->fields[i].value = sotto_span_trim(head->fields[i].value);
    }
    head->field_count = rd.started;
    head->status = request ? 0 : llhttp_get_status_code(&rd.parser);
    *minor = llhttp_get_http_minor(&rd.parser);
    return SOTTO_OK;
}

/* --- what fields mean ------------------------------------------------------------------------ */

static enum sotto_err read_length(sotto_span value, uint64_t *out)
{
    uint64_t n = 0;
    if (value.len == 0 || value.len > 18) { /* 18 digits cannot overflow */
        return SOTTO_EFORMAT;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.base[i] < '0' || value.base[i] > '9') {
            return SOTTO_EFORMAT;
        }
        n = n * 10 + (uint64_t)(value.base[i] - '0');
    }
    *out = n;
    return SOTTO_OK;
}

enum sotto_err sotto_message_framing(const struct sotto_http_head *head, int minor,
                                     struct sotto_message_framing *out)
{
    *out = (struct sotto_message_framing){0};
    for (size_t i = 0; i < head->field_count; i++) {
        const struct sotto_http_field *field = &head->fields[i];
        if (sotto_span_ieq(field->name, SOTTO_LIT("content-length"))) {
            if (out->has_length || read_length(field->value, &out->length) != SOTTO_OK) {
                return SOTTO_EFORMAT;
            }
            out->has_length = true;
        } else if (sotto_span_ieq(field->name, SOTTO_LIT("transfer-encoding"))) {
            if (out->chunked || minor == 0 || !sotto_span_ieq(field->value, SOTTO_LIT("chunked"))) {
                return SOTTO_EFORMAT;
            }
            out->chunked = true;
        }
    }
    return out->chunked && out->has_length ? SOTTO_EFORMAT : SOTTO_OK;
}

/* Takes the next element off a comma-separated list. */
static sotto_span take_element(sotto_span *list)
{
    const uint8_t *comma = memchr(list->base, ',', list->len);
    size_t n = comma != NULL ? (size_t)(comma - list->base) : list->len;
    sotto_span element = sotto_span_trim(sotto_span_init(list->base, n));
    *list = sotto_span_skip(*list, comma != NULL ? n + 1 : n);
    return element;
}

bool sotto_message_keep_alive(const struct sotto_http_head *head, int minor)
{
    bool keep = minor == 1;
    for (size_t i = 0; i < head->field_count; i++) {
        if (!sotto_span_ieq(head->fields[i].name, SOTTO_LIT("connection"))) {
            continue;
        }
        sotto_span list = head->fields[i].value;
        while (list.len != 0) {
            sotto_span element = take_element(&list);
            if (sotto_span_ieq(element, SOTTO_LIT("close"))) {
                return false;
            }
            keep = keep || sotto_span_ieq(element, SOTTO_LIT("keep-alive"));
        }
    }
    return keep;
}

enum sotto_err sotto_message_fields(const struct sotto_http_head *head, struct sotto_buf *block)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const struct sotto_http_field *field = &head->fields[i];
        enum sotto_err err;
        if ((err = sotto_buf_append(block, field->name)) != SOTTO_OK ||
            (err = sotto_buf_append(block, SOTTO_LIT(": "))) != SOTTO_OK ||
            (err = sotto_buf_append(block, field->value)) != SOTTO_OK ||
            (err = sotto_buf_append(block, SOTTO_LIT("\r\n"))) != SOTTO_OK) {
            return err;
        }
    }
    return sotto_buf_append(block, SOTTO_LIT("\r\n"));
}
