/* SPDX-License-Identifier: Apache-2.0 */

#include <sotto/seal.h>

#include "base/alloc.h"
#include "library/status.h"
#include "seal/native_client.h"

struct sotto_hello {
    struct sotto_native_hello *inner;
};

struct sotto_sealer {
    struct sotto_native_client *inner;
};

struct sotto_opener {
    struct sotto_native_pending *inner;
};

_Static_assert(SOTTO_SIGNING_KEY_BYTES == SOTTO_ED25519_PUBLIC_BYTES, "one key");
_Static_assert(SOTTO_SEAL_PATH_MAX == SOTTO_NATIVE_PATH_MAX, "one limit");
_Static_assert(SOTTO_SEAL_MODEL_MAX == SOTTO_NATIVE_MODEL_MAX, "one limit");
_Static_assert(SOTTO_SEAL_METHOD_MAX == SOTTO_NATIVE_METHOD_MAX, "one limit");

/* --- hello ------------------------------------------------------------------------------------- */

enum sotto_status sotto_hello_new(const char *suite_name, const unsigned char *published,
                                  size_t published_len, char **body, size_t *body_len,
                                  struct sotto_hello **out)
{
    const struct sotto_suite *suite = sotto_suite_find(sotto_span_str(suite_name));
    struct sotto_buf text;
    if (suite == NULL) {
        return SOTTO_STATUS_OPTION;
    }
    struct sotto_hello *h = sotto_calloc(1, sizeof(*h));
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = h == NULL
                             ? SOTTO_ENOMEM
                             : sotto_native_hello(suite, sotto_span_init(published, published_len),
                                                  &text, &h->inner);
    enum sotto_status status = sotto_status_put(err, &text, body, body_len);
    if (status != SOTTO_STATUS_OK) {
        sotto_hello_free(h);
        return status;
    }
    *out = h;
    return SOTTO_STATUS_OK;
}

void sotto_hello_free(struct sotto_hello *h)
{
    if (h != NULL) {
        sotto_native_hello_free(h->inner);
        sotto_free(h);
    }
}

enum sotto_status sotto_hello_finish(struct sotto_hello *h, const char *answer, size_t len,
                                     const unsigned char *signing_key, struct sotto_sealer **out)
{
    struct sotto_sealer *s = sotto_calloc(1, sizeof(*s));
    enum sotto_err err = s == NULL ? SOTTO_ENOMEM
                                   : sotto_native_agreed(h->inner, sotto_span_init(answer, len),
                                                         signing_key, &s->inner);
    if (err != SOTTO_OK) {
        sotto_sealer_free(s);
        return sotto_status_of(err);
    }
    *out = s;
    return SOTTO_STATUS_OK;
}

/* --- sealer ------------------------------------------------------------------------------------ */

void sotto_sealer_free(struct sotto_sealer *s)
{
    if (s != NULL) {
        sotto_native_client_free(s->inner);
        sotto_free(s);
    }
}

uint32_t sotto_sealer_lifetime(const struct sotto_sealer *s)
{
    return sotto_native_lifetime(s->inner);
}

const char *sotto_sealer_environment(const struct sotto_sealer *s)
{
    return sotto_native_tee(s->inner);
}

enum sotto_status sotto_sealer_seal(struct sotto_sealer *s, const char *method, const char *path,
                                    const char *model, const char *text, size_t len, char **body,
                                    size_t *body_len, struct sotto_opener **out)
{
    const struct sotto_native_place place = {sotto_span_str(method), sotto_span_str(path),
                                             sotto_span_str(model)};
    struct sotto_buf sealed;
    if (len > SOTTO_TEXT_MAX) {
        return SOTTO_STATUS_LIMIT;
    }
    struct sotto_opener *o = sotto_calloc(1, sizeof(*o));
    sotto_buf_init(&sealed, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = o == NULL
                             ? SOTTO_ENOMEM
                             : sotto_native_request(s->inner, &place, sotto_span_init(text, len),
                                                    &sealed, &o->inner);
    enum sotto_status status = sotto_status_put(err, &sealed, body, body_len);
    if (status != SOTTO_STATUS_OK) {
        sotto_opener_free(o);
        return status;
    }
    *out = o;
    return SOTTO_STATUS_OK;
}

/* --- opener ------------------------------------------------------------------------------------ */

void sotto_opener_free(struct sotto_opener *o)
{
    if (o != NULL) {
        sotto_native_pending_free(o->inner);
        sotto_free(o);
    }
}

enum sotto_status sotto_opener_answer(struct sotto_opener *o, int http_status, const char *body,
                                      size_t len, char **text, size_t *text_len)
{
    struct sotto_buf opened;
    sotto_buf_init(&opened, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err =
        sotto_native_whole(o->inner, http_status, sotto_span_init(body, len), &opened);
    return sotto_status_put(err, &opened, text, text_len);
}

enum sotto_status sotto_opener_event(struct sotto_opener *o, const char *data, size_t len,
                                     char **text, size_t *text_len, int *last)
{
    struct sotto_buf opened;
    bool is_last = false;
    sotto_buf_init(&opened, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err =
        sotto_native_event(o->inner, sotto_span_init(data, len), &is_last, &opened);
    enum sotto_status status = sotto_status_put(err, &opened, text, text_len);
    if (status == SOTTO_STATUS_OK) {
        *last = is_last ? 1 : 0;
    }
    return status;
}
