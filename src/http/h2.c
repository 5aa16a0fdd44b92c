/* SPDX-License-Identifier: Apache-2.0 */

#include "http/h2.h"

#include "base/alloc.h"

/* --- fields ----------------------------------------------------------------------------------- */

/* What every message has and tells nothing about anybody.  All else may be a credential. */
static bool is_harmless(sotto_span name)
{
    static const char *const names[] = {
        ":method",           ":scheme", ":path",         ":authority",
        ":status",           "accept",  "cache-control", "content-length",
        "content-type",      "date",    "retry-after",   "user-agent",
        "x-accel-buffering",
    };
    for (size_t i = 0; i < SOTTO_COUNT(names); i++) {
        if (sotto_span_ieq(name, sotto_span_str(names[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_of_connection(sotto_span name)
{
    static const char *const names[] = {"connection",        "keep-alive", "proxy-connection",
                                        "transfer-encoding", "upgrade",    "host"};
    for (size_t i = 0; i < SOTTO_COUNT(names); i++) {
        if (sotto_span_ieq(name, sotto_span_str(names[i]))) {
            return true;
        }
    }
    return false;
}

enum sotto_err sotto_h2_add_field(struct sotto_h2_fields *fields, sotto_span name, sotto_span value)
{
    if (fields->count == SOTTO_H2_FIELDS_MAX) {
        return SOTTO_ELIMIT;
    }
    nghttp2_nv *nv = &fields->list[fields->count++];
    /* nghttp2 copies both, and writes names in lower case; its type has no const. */
    memcpy(&nv->name, &name.base, sizeof(nv->name));
    memcpy(&nv->value, &value.base, sizeof(nv->value));
    nv->namelen = name.len;
    nv->valuelen = value.len;
    nv->flags = is_harmless(name) ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX;
    return SOTTO_OK;
}

enum sotto_err sotto_h2_add_lines(struct sotto_h2_fields *fields, sotto_span lines)
{
    while (lines.len != 0) {
        const uint8_t *lf = memchr(lines.base, '\n', lines.len);
        size_t n = lf != NULL ? (size_t)(lf - lines.base) : 0;
        const uint8_t *colon = n != 0 ? memchr(lines.base, ':', n) : NULL;
        if (colon == NULL || colon == lines.base || lines.base[n - 1] != '\r') {
            return SOTTO_EFORMAT;
        }
        size_t name_len = (size_t)(colon - lines.base);
        sotto_span name = sotto_span_init(lines.base, name_len);
        sotto_span value = sotto_span_trim(sotto_span_sub(lines, name_len + 1, n - 1));
        enum sotto_err err =
            is_of_connection(name) ? SOTTO_OK : sotto_h2_add_field(fields, name, value);
        if (err != SOTTO_OK) {
            return err;
        }
        lines = sotto_span_skip(lines, n + 1);
    }
    return SOTTO_OK;
}

/* --- allowances ------------------------------------------------------------------------------- */

void sotto_h2_earn(struct sotto_h2_allowance *a, int64_t n, int64_t most)
{
    a->left = a->left + n < most ? a->left + n : most;
}

bool sotto_h2_spend(struct sotto_h2_allowance *a, int64_t now_us, int64_t most, int64_t per_s)
{
    int64_t fill = (now_us - a->filled_us) * per_s / 1000000;
    if (fill > 0) {
        sotto_h2_earn(a, fill, most);
        a->filled_us = now_us;
    }
    return --a->left >= 0;
}

/* --- memory ----------------------------------------------------------------------------------- */

static void *h2_malloc(size_t size, void *unused)
{
    (void)unused;
    return sotto_alloc(size);
}

static void h2_free(void *block, void *unused)
{
    (void)unused;
    sotto_free(block);
}

static void *h2_calloc(size_t count, size_t size, void *unused)
{
    (void)unused;
    return sotto_calloc(count, size);
}

static void *h2_realloc(void *block, size_t size, void *unused)
{
    (void)unused;
    return sotto_resize(block, size);
}

nghttp2_mem *sotto_h2_memory(void)
{
    static nghttp2_mem memory = {NULL, h2_malloc, h2_free, h2_calloc, h2_realloc};
    return &memory;
}

/* --- sessions --------------------------------------------------------------------------------- */

enum sotto_err sotto_h2_setup_new(struct sotto_h2_setup *setup)
{
    *setup = (struct sotto_h2_setup){0};
    if (nghttp2_session_callbacks_new(&setup->callbacks) != 0 ||
        nghttp2_option_new(&setup->option) != 0) {
        sotto_h2_setup_free(setup);
        return SOTTO_ENOMEM;
    }
    nghttp2_option_set_no_auto_window_update(setup->option, 1);
    nghttp2_option_set_max_deflate_dynamic_table_size(setup->option, 0);
    /* It counts the calls that read a frame's head of nine bytes, not the frames: the limit itself
     * is kept by who reads. */
    nghttp2_option_set_max_continuations(setup->option, 9 * (SOTTO_H2_CONTINUATIONS_MAX + 1));
    nghttp2_option_set_max_settings(setup->option, SOTTO_H2_SETTINGS_MAX);
    nghttp2_option_set_max_outbound_ack(setup->option, SOTTO_H2_ACKS_MAX);
    nghttp2_option_set_no_closed_streams(setup->option, 1);
    return SOTTO_OK;
}

void sotto_h2_setup_free(struct sotto_h2_setup *setup)
{
    nghttp2_session_callbacks_del(setup->callbacks);
    nghttp2_option_del(setup->option);
    *setup = (struct sotto_h2_setup){0};
}

/*
 * The bytes lie in a buffer that nghttp2 keeps as long as the connection and does not look at
 * again; there may be credentials among them.
 */
static void wipe_sent(const uint8_t *bytes, size_t len)
{
    void *to;
    memcpy(&to, &bytes, sizeof(to));
    sotto_wipe(to, len);
}

enum sotto_err sotto_h2_take_output(nghttp2_session *session, struct sotto_buf *out)
{
    while (out->len < SOTTO_H2_SEND_BYTES) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(session, &bytes);
        if (n == 0) {
            return SOTTO_OK;
        }
        if (n < 0) {
            return SOTTO_ENOMEM;
        }
        enum sotto_err err = sotto_buf_append(out, sotto_span_init(bytes, (size_t)n));
        wipe_sent(bytes, (size_t)n);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    return SOTTO_OK;
}
