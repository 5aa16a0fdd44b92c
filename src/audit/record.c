/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/record.h"

#include <inttypes.h>

#include "json/json.h"

struct sotto_audit_record sotto_audit_record_none(void)
{
    return (struct sotto_audit_record){
        .prompt_tokens = -1,
        .completion_tokens = -1,
        .request_bytes = -1,
        .answer_bytes = -1,
        .duration_us = -1,
        .count = -1,
        .slot = -1,
    };
}

/* Writing is sticky: the first failure is the result, and what comes after it is nothing. */
struct record_out {
    struct sotto_buf *buf;
    enum sotto_err err;
};

static void put(struct record_out *o, sotto_span text)
{
    if (o->err == SOTTO_OK) {
        o->err = sotto_buf_append(o->buf, text);
    }
}

/* As one piece: it comes with each member. */
static void put_name(struct record_out *o, const char *name)
{
    size_t len = strlen(name);
    uint8_t *to;
    if (o->err != SOTTO_OK) {
        return;
    }
    o->err = sotto_buf_extend(o->buf, len + 4, &to);
    if (o->err == SOTTO_OK) {
        to[0] = ',';
        to[1] = '"';
        memcpy(to + 2, name, len);
        to[len + 2] = '"';
        to[len + 3] = ':';
    }
}

static void put_text(struct record_out *o, const char *name, sotto_span text)
{
    if (text.len == 0 || text.len > SOTTO_AUDIT_NAME_MAX) {
        return;
    }
    put_name(o, name);
    if (o->err == SOTTO_OK) {
        o->err = sotto_json_quote(text, true, o->buf);
    }
}

static void put_number(struct record_out *o, int64_t n)
{
    uint8_t digits[24];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (uint8_t)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    put(o, sotto_span_init(digits + at, sizeof(digits) - at));
}

static void put_int(struct record_out *o, const char *name, int64_t n)
{
    if (n >= 0) {
        put_name(o, name);
        put_number(o, n);
    }
}

static void put_counts(struct record_out *o, const struct sotto_audit_record *r)
{
    bool any = false;
    put_name(o, "entities");
    put(o, SOTTO_LIT("{"));
    for (size_t i = 0; i < r->entity_count; i++) {
        if (r->entities[i].count != 0) {
            put(o, any ? SOTTO_LIT(",\"") : SOTTO_LIT("\""));
            put(o, sotto_span_str(r->entities[i].name));
            put(o, SOTTO_LIT("\":"));
            put_number(o, r->entities[i].count);
            any = true;
        }
    }
    put(o, SOTTO_LIT("}"));
}

static void put_unprotected(struct record_out *o, const struct sotto_audit_record *r)
{
    if (r->unprotected_count == 0) {
        return;
    }
    put_name(o, "unprotected");
    for (size_t i = 0; i < r->unprotected_count; i++) {
        put(o, i == 0 ? SOTTO_LIT("[\"") : SOTTO_LIT(",\""));
        put(o, sotto_span_str(r->unprotected[i]));
        put(o, SOTTO_LIT("\""));
    }
    put(o, SOTTO_LIT("]"));
}

static void put_who(struct record_out *o, const struct sotto_audit_record *r)
{
    put(o, SOTTO_LIT("{\"v\":1,\"id\":\"audit_"));
    put(o, r->id);
    put(o, SOTTO_LIT("\""));
    put_text(o, "kind", sotto_span_str(r->kind));
    put_text(o, "time", sotto_span_str(r->time));
    put_text(o, "key", r->key);
    put_text(o, "subject", r->subject);
    put_text(o, "request", r->request);
    put_text(o, "dialect", sotto_span_str(r->dialect));
    put_text(o, "mode", r->mode);
    put_text(o, "provider", r->provider);
    put_text(o, "model", r->model);
}

static void put_what(struct record_out *o, const struct sotto_audit_record *r)
{
    if (r->status != 0) {
        put_int(o, "status", r->status);
    }
    put_text(o, "outcome", sotto_span_str(r->outcome));
    put_text(o, "code", sotto_span_str(r->code));
    if (r->stream) {
        put_name(o, "stream");
        put(o, SOTTO_LIT("true"));
    }
    if (r->entities != NULL) {
        put_counts(o, r);
    }
    if (r->special > 0) {
        put_int(o, "special", r->special);
    }
    put_unprotected(o, r);
    put_int(o, "prompt_tokens", r->prompt_tokens);
    put_int(o, "completion_tokens", r->completion_tokens);
    put_int(o, "request_bytes", r->request_bytes);
    put_int(o, "answer_bytes", r->answer_bytes);
    put_int(o, "duration_us", r->duration_us);
    put_int(o, "count", r->count);
    put_int(o, "slot", r->slot);
    put(o, SOTTO_LIT("}"));
}

enum sotto_err sotto_audit_record_write(const struct sotto_audit_record *record,
                                        struct sotto_buf *out)
{
    size_t mark = out->len;
    struct record_out o = {.buf = out, .err = SOTTO_OK};
    put_who(&o, record);
    put_what(&o, record);
    if (o.err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return o.err;
}

enum sotto_err sotto_audit_record_text(sotto_span record, const char *name, char *out, size_t cap)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(record, 4, &doc, NULL);
    if (err != SOTTO_OK) {
        return err;
    }
    const yyjson_mut_val *val = sotto_json_get(yyjson_mut_doc_get_root(doc), name);
    sotto_span text = sotto_json_text(val);
    if (text.len == 0 || text.len >= cap) {
        err = SOTTO_ENOTFOUND;
    } else {
        memcpy(out, text.base, text.len);
        out[text.len] = '\0';
    }
    sotto_json_free(doc);
    return err;
}
