/* SPDX-License-Identifier: Apache-2.0 */

#include "http/h2_head.h"

#include "http/lines.h"
#include "http/target.h"

/* What a head may be longer than its limit before the connection ends: it is read to its end, so
 * that it can be answered. */
#define HEAD_OVERRUN 4
/* A field costs this much besides its bytes: a colon, a space, CR and LF. */
#define HEAD_FIELD_EXTRA 4

void sotto_h2_head_init(struct sotto_h2_head *head, size_t most)
{
    *head = (struct sotto_h2_head){.most = most, .reason = ""};
    sotto_buf_init(&head->method, most);
    sotto_buf_init(&head->target, most);
    sotto_buf_init(&head->authority, most);
    sotto_buf_init(&head->fields, most);
}

void sotto_h2_head_init_response(struct sotto_h2_head *head, size_t most)
{
    sotto_h2_head_init(head, most);
    head->response = true;
}

void sotto_h2_head_free(struct sotto_h2_head *head)
{
    sotto_buf_free(&head->method);
    sotto_buf_free(&head->target);
    sotto_buf_free(&head->authority);
    sotto_buf_free(&head->fields);
}

/* The first fault is the one that is told. */
static void refuse(struct sotto_h2_head *head, int status, const char *reason)
{
    if (head->refused == 0) {
        head->refused = status;
        head->reason = reason;
    }
}

static void keep(struct sotto_h2_head *head, struct sotto_buf *to, sotto_span bytes)
{
    if (sotto_buf_append(to, bytes) != SOTTO_OK) {
        refuse(head, 503, "out of memory");
    }
}

/* RFC 9113 8.3: they come in any order, in front of all others, none of them twice. */
static void add_pseudo(struct sotto_h2_head *head, sotto_span name, sotto_span value)
{
    if (sotto_span_eq(name, SOTTO_LIT(":scheme"))) {
        if (!sotto_span_ieq(value, SOTTO_LIT("https")) &&
            !sotto_span_ieq(value, SOTTO_LIT("http"))) {
            refuse(head, 400, "the scheme is not https");
        }
    } else if (sotto_span_eq(name, SOTTO_LIT(":method"))) {
        head->is_head = sotto_span_eq(value, SOTTO_LIT("HEAD"));
        keep(head, &head->method, value);
    } else if (sotto_span_eq(name, SOTTO_LIT(":path"))) {
        keep(head, &head->target, value);
    } else if (sotto_span_eq(name, SOTTO_LIT(":authority"))) {
        keep(head, &head->authority, value);
    } else {
        refuse(head, 400, "the request is not valid HTTP/2");
    }
}

/* Three digits: nghttp2 lets nothing else through. */
static void add_status(struct sotto_h2_head *head, sotto_span name, sotto_span value)
{
    if (!sotto_span_eq(name, SOTTO_LIT(":status")) || value.len != 3) {
        refuse(head, 400, "the answer is not valid HTTP/2");
        return;
    }
    head->status = 0;
    for (size_t i = 0; i < value.len; i++) {
        head->status = head->status * 10 + (value.base[i] - '0');
    }
}

/* What begin_body() and check_expect() of http/request.c look at. */
static void look_at_field(struct sotto_h2_head *head, sotto_span name, sotto_span value)
{
    if (sotto_span_eq(name, SOTTO_LIT("content-length"))) {
        uint64_t n = 0;
        for (size_t i = 0; i < value.len && i < 18; i++) { /* digits: nghttp2 has looked */
            n = n * 10 + (uint64_t)(value.base[i] - '0');
        }
        head->length = value.len > 18 ? UINT64_MAX : n;
        head->has_length = true;
    } else if (sotto_span_eq(name, SOTTO_LIT("content-encoding"))) {
        if (!sotto_span_ieq(value, SOTTO_LIT("identity"))) {
            head->encoded = true;
        }
    } else if (sotto_span_eq(name, SOTTO_LIT("expect"))) {
        if (!sotto_span_ieq(value, SOTTO_LIT("100-continue"))) {
            refuse(head, 417, "only 100-continue can be expected");
        }
        head->expects_continue = true;
    }
}

static void add_field(struct sotto_h2_head *head, sotto_span name, sotto_span value)
{
    if (head->count == SOTTO_HTTP_FIELDS_MAX) {
        refuse(head, 431, "too many header fields");
        return;
    }
    head->count++;
    for (size_t i = 0; i < name.len; i++) {
        if (!sotto_is_token_byte(name.base[i])) {
            refuse(head, 400, "the request is not valid HTTP/2");
        }
    }
    if (name.len == 0 || sotto_text_run(value.base, value.len) != value.len) {
        refuse(head, 400, "the request is not valid HTTP/2");
    }
    if (!head->response) {
        look_at_field(head, name, value);
    }
    if (!head->response &&
        sotto_span_eq(name, SOTTO_LIT("host"))) { /* beside :authority: it has to say the same */
        if (head->has_host || (head->authority.len != 0 &&
                               !sotto_span_ieq(value, sotto_buf_span(&head->authority)))) {
            refuse(head, 400, "more than one Host field");
        } else if (head->authority.len == 0) {
            keep(head, &head->authority, value);
        }
        head->has_host = true;
        return;
    }
    keep(head, &head->fields, name);
    keep(head, &head->fields, SOTTO_LIT(": "));
    keep(head, &head->fields, value);
    keep(head, &head->fields, SOTTO_LIT("\r\n"));
}

enum sotto_err sotto_h2_head_add(struct sotto_h2_head *head, sotto_span name, sotto_span value)
{
    head->bytes += name.len + value.len + HEAD_FIELD_EXTRA;
    if (head->bytes > head->most) {
        refuse(head, 431, "the header fields are too large");
    }
    if (head->refused != 0) {
        return head->bytes > head->most * HEAD_OVERRUN ? SOTTO_ELIMIT : SOTTO_OK;
    }
    if (name.len != 0 && name.base[0] == ':') {
        (head->response ? add_status : add_pseudo)(head, name, value);
    } else {
        add_field(head, name, value);
    }
    return SOTTO_OK;
}

/* --- the end of a head ------------------------------------------------------------------------ */

static void check_request(struct sotto_h2_head *head, size_t body_bytes, sotto_span *target)
{
    struct sotto_http_head seen = {.method = sotto_buf_span(&head->method),
                                   .target = sotto_buf_span(&head->target)};
    for (size_t i = 0; i < head->method.len; i++) {
        if (!sotto_is_token_byte(head->method.base[i])) {
            refuse(head, 400, "the request is not valid HTTP/2");
        }
    }
    if (head->method.len == 0 || !sotto_http_normalise_target(&seen)) {
        refuse(head, 400, "the request target is not valid");
    }
    if (head->authority.len == 0) {
        refuse(head, 400, "the Host field is missing");
    }
    if (!sotto_http_is_host(sotto_buf_span(&head->authority))) {
        refuse(head, 400, "the Host field is not valid");
    }
    if (head->length > body_bytes) {
        refuse(head, 413, "the body is too large");
    }
    if (head->encoded) {
        refuse(head, 415, "a Content-Encoding is not supported in requests");
    }
    *target = seen.target;
}

static enum sotto_err write_parts(struct sotto_buf *block, const sotto_span *parts, size_t count)
{
    size_t mark = block->len;
    for (size_t i = 0; i < count; i++) {
        enum sotto_err err = sotto_buf_append(block, parts[i]);
        if (err != SOTTO_OK) {
            sotto_buf_truncate(block, mark);
            return err;
        }
    }
    return SOTTO_OK;
}

enum sotto_err sotto_h2_head_request(struct sotto_h2_head *head, size_t body_bytes,
                                     struct sotto_buf *block)
{
    sotto_span target;
    check_request(head, body_bytes, &target);
    if (head->refused == 0) {
        const sotto_span parts[] = {
            sotto_buf_span(&head->method),
            SOTTO_LIT(" "),
            target,
            SOTTO_LIT("\r\nhost: "),
            sotto_buf_span(&head->authority),
            SOTTO_LIT("\r\n"),
            sotto_buf_span(&head->fields),
            SOTTO_LIT("\r\n"),
        };
        if (write_parts(block, parts, SOTTO_COUNT(parts)) != SOTTO_OK) {
            refuse(head, 503, "out of memory");
        }
    }
    return head->refused == 0 ? SOTTO_OK : SOTTO_EFORMAT;
}

enum sotto_err sotto_h2_head_response(struct sotto_h2_head *head, int *status,
                                      struct sotto_buf *block)
{
    if (head->refused != 0) {
        return head->refused == 431   ? SOTTO_ELIMIT
               : head->refused == 503 ? SOTTO_ENOMEM
                                      : SOTTO_EFORMAT;
    }
    if (head->status < 100 || head->status > 999) {
        return SOTTO_EFORMAT;
    }
    if (head->status < 200) {
        *status = head->status;
        sotto_buf_free(&head->fields);
        sotto_buf_init(&head->fields, head->most);
        head->count = 0;
        head->status = 0;
        return SOTTO_OK;
    }
    const uint8_t digits[] = {(uint8_t)('0' + head->status / 100),
                              (uint8_t)('0' + head->status / 10 % 10),
                              (uint8_t)('0' + head->status % 10)};
    const sotto_span parts[] = {sotto_span_init(digits, sizeof(digits)), SOTTO_LIT("\r\n"),
                                sotto_buf_span(&head->fields), SOTTO_LIT("\r\n")};
    enum sotto_err err = write_parts(block, parts, SOTTO_COUNT(parts));
    if (err == SOTTO_OK) {
        *status = head->status;
    }
    return err;
}
