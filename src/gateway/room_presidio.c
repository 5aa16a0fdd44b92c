/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room_presidio.h"

#include "base/alloc.h"
#include "base/ct.h"
#include "crypto/base64.h"
#include "dialects/credentials.h"
#include "http/request.h"

#define PREFIX "/presidio/"

/* --- routes ------------------------------------------------------------------------------------ */

static const struct {
    const char *path; /* below /presidio/ */
    const char *method;
    enum sotto_presidio_route route;
} presidio_routes[] = {
    {"analyze", "POST", SOTTO_PRESIDIO_ANALYZE},
    {"anonymize", "POST", SOTTO_PRESIDIO_ANONYMIZE},
    {"deanonymize", "POST", SOTTO_PRESIDIO_DEANONYMIZE},
    {"recognizers", "GET", SOTTO_PRESIDIO_RECOGNIZERS},
    {"supportedentities", "GET", SOTTO_PRESIDIO_SUPPORTED_ENTITIES},
    {"anonymizers", "GET", SOTTO_PRESIDIO_ANONYMIZERS},
    {"deanonymizers", "GET", SOTTO_PRESIDIO_DEANONYMIZERS},
    {"health", "GET", SOTTO_PRESIDIO_HEALTH},
};

bool room_presidio_accepts(const struct sotto_http_head *head)
{
    return sotto_span_starts(sotto_http_path(head), SOTTO_LIT(PREFIX));
}

enum sotto_err room_presidio_route(struct room_stream *s, const struct sotto_http_head *head)
{
    sotto_span name = sotto_span_skip(sotto_http_path(head), sizeof(PREFIX) - 1);
    s->refusal = SOTTO_REFUSE_PROBLEM;
    for (size_t i = 0; i < SOTTO_COUNT(presidio_routes); i++) {
        if (!sotto_span_eq(name, sotto_span_str(presidio_routes[i].path))) {
            continue;
        }
        s->presidio_route = presidio_routes[i].route;
        if (sotto_span_eq(head->method, sotto_span_str(presidio_routes[i].method))) {
            return SOTTO_OK;
        }
        sotto_problem_set(&s->problem, 405, "invalid_request_error", "method_not_allowed", NULL,
                          "The method is not allowed for the requested URL.");
        sotto_ignore(
            sotto_buf_printf(&s->pass, "Allow: %s\r\n", presidio_routes[i].method)); /* a hint */
        return SOTTO_EINVAL;
    }
    sotto_problem_set(&s->problem, 404, "invalid_request_error", "unknown_url", NULL,
                      "The requested URL was not found on the server. If you entered the URL "
                      "manually please check your spelling and try again.");
    return SOTTO_EINVAL;
}

/* --- who may call ------------------------------------------------------------------------------ */

static sotto_span plain_key(const struct sotto_http_head *head)
{
    sotto_span key = {NULL, 0};
    return sotto_credentials(head, NULL, &key) == SOTTO_OK ? key : sotto_span_init(NULL, 0);
}

/* The user of "Basic BASE64(user:password)", if it has the length of a key. */
static sotto_span basic_key(const struct sotto_http_head *head, char store[SOTTO_KEY_TEXT_LEN])
{
    static const size_t scheme = sizeof("Basic ") - 1;
    sotto_span value = sotto_http_get(head, "authorization"), key = {NULL, 0};
    if (value.len <= scheme ||
        !sotto_span_ieq(sotto_span_sub(value, 0, scheme), SOTTO_LIT("Basic "))) {
        return key;
    }
    struct sotto_buf user;
    sotto_buf_init(&user, SOTTO_HTTP_HEAD_MAX);
    if (sotto_base64_read(sotto_span_trim(sotto_span_skip(value, scheme)), &user) == SOTTO_OK) {
        size_t len = 0;
        while (len < user.len && user.base[len] != ':') {
            len++;
        }
        if (len == SOTTO_KEY_TEXT_LEN) {
            memcpy(store, user.base, len);
            key = sotto_span_init(store, len);
        }
    }
    sotto_buf_free(&user);
    return key;
}

sotto_span room_presidio_key(const struct sotto_http_head *head, char store[SOTTO_KEY_TEXT_LEN])
{
    sotto_span plain = plain_key(head), basic = basic_key(head, store);
    if (plain.len == 0 || basic.len == 0) {
        return plain.len != 0 ? plain : basic;
    }
    return plain.len == basic.len && sotto_ct_equal(plain.base, basic.base, plain.len)
               ? plain
               : sotto_span_init(NULL, 0);
}

/* The host of "host:port", "[host]:port" or "host". */
static sotto_span host_of(sotto_span value)
{
    size_t end = 0;
    bool bracket = value.len != 0 && value.base[0] == '[';
    while (end < value.len && value.base[end] != (bracket ? ']' : ':')) {
        end++;
    }
    return sotto_span_sub(value, 0, end + (bracket && end < value.len ? 1 : 0));
}

/* "127." and digits and dots: a name like 127.example.org is none. */
static bool is_loopback_host(sotto_span host)
{
    if (sotto_span_ieq(host, SOTTO_LIT("localhost")) || sotto_span_eq(host, SOTTO_LIT("[::1]"))) {
        return true;
    }
    for (size_t i = 0; i < host.len; i++) {
        if (host.base[i] != '.' && (host.base[i] < '0' || host.base[i] > '9')) {
            return false;
        }
    }
    return sotto_span_starts(host, SOTTO_LIT("127."));
}

/* A field by which a proxy or a credential shows. */
static bool is_telling(sotto_span name)
{
    static const char *const names[] = {
        "authorization",       "x-api-key",     "api-key",
        "proxy-authorization", "forwarded",     "via",
        "x-real-ip",           "x-client-ip",   "true-client-ip",
        "cf-connecting-ip",    "fly-client-ip", "x-cluster-client-ip",
        "x-original-host",
    };
    static const sotto_span prefix = SOTTO_LIT_INIT("x-forwarded");
    if (name.len >= prefix.len && sotto_span_ieq(sotto_span_sub(name, 0, prefix.len), prefix)) {
        return true;
    }
    for (size_t i = 0; i < SOTTO_COUNT(names); i++) {
        if (sotto_span_ieq(name, sotto_span_str(names[i]))) {
            return true;
        }
    }
    return false;
}

bool room_presidio_is_local(const struct room_stream *s, const struct sotto_http_head *head)
{
    for (size_t i = 0; i < head->field_count; i++) {
        if (is_telling(head->fields[i].name)) {
            return false;
        }
    }
    return s->loopback && sotto_http_count(head, "host") == 1 &&
           is_loopback_host(host_of(sotto_http_get(head, "host")));
}

/* --- the way of a request ---------------------------------------------------------------------- */

bool room_presidio_is_heavy(const struct room_stream *s, sotto_span body)
{
    return s->dialect == &room_presidio_face && sotto_presidio_is_heavy(s->presidio_route, body);
}

/* The parameter `language` of "path?language=en"; the codes that count need no escapes. */
static sotto_span language_of(sotto_span target)
{
    static const sotto_span name = SOTTO_LIT_INIT("language=");
    for (size_t at = 0; at + 1 < target.len; at++) {
        if (target.base[at] != '?' && target.base[at] != '&') {
            continue;
        }
        sotto_span rest = sotto_span_skip(target, at + 1);
        if (sotto_span_starts(rest, name)) {
            size_t end = name.len;
            while (end < rest.len && rest.base[end] != '&') {
                end++;
            }
            return sotto_span_sub(rest, name.len, end);
        }
    }
    return sotto_span_init(NULL, 0);
}

enum sotto_err room_presidio_read(struct room_stream *s, const struct sotto_http_head *head,
                                  sotto_span body)
{
    const struct sotto_presidio_request request = {
        .route = s->presidio_route,
        .content_type = sotto_http_get(head, "content-type"),
        .language = language_of(head->target),
        .body = body,
        .max_depth = s->setup->config->limits.depth,
        .detector = s->setup->detector,
        .job = s->job,
    };
    return sotto_presidio_new(&request, &s->presidio);
}

void room_presidio(struct room_stream *s)
{
    int status;
    const char *type;
    sotto_span body;
    sotto_presidio_answer(s->presidio, &status, &type, &body);
    s->sent = true; /* it counts as a request */
    room_reply(s, status, type, body, SOTTO_DOOR_LAST);
    room_finish(s, status < 400 ? SOTTO_OUTCOME_ANSWERED : SOTTO_OUTCOME_REFUSED);
}

/* --- as a dialect ------------------------------------------------------------------------------ */

static enum sotto_err write_error(enum sotto_refusal refusal, const struct sotto_problem *problem,
                                  const yyjson_mut_doc *upstream, const struct sotto_call *stream,
                                  struct sotto_buf *body, int *status)
{
    (void)refusal;
    (void)upstream;
    (void)stream;
    *status = problem->status;
    enum sotto_err err = sotto_buf_append(body, SOTTO_LIT("{\"error\":"));
    if (err == SOTTO_OK) {
        err = sotto_json_quote(sotto_span_str(problem->message), true, body);
    }
    return err == SOTTO_OK ? sotto_buf_append(body, SOTTO_LIT("}\n")) : err;
}

const struct sotto_dialect room_presidio_face = {
    .name = "presidio",
    .accepts = room_presidio_accepts,
    .key = plain_key,
    .write_error = write_error,
};
