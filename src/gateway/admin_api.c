/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/admin_api.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "config/value.h"
#include "dialects/credentials.h"
#include "gateway/key_json.h"
#include "http/head.h"
#include "sys/log.h"

/* Deepest JSON of a request. */
#define API_DEPTH 8

/* One request while it is answered. */
struct api_run {
    struct sotto_admin_api *api;
    struct sotto_http_head head;
    sotto_span body;
    sotto_span id; /* of the key in the path; empty: none */
    int64_t now_s;
    const struct sotto_key_row *caller;
    struct sotto_admin_answer *answer;
};

static void fail_param(struct sotto_admin_answer *answer, int status, const char *code,
                       const char *param, const char *message)
{
    struct sotto_buf *out = &answer->body;
    answer->status = status;
    sotto_buf_truncate(out, 0);
    if (sotto_buf_append(out, SOTTO_LIT("{\"error\":{\"message\":")) != SOTTO_OK ||
        sotto_json_quote(sotto_span_str(message), true, out) != SOTTO_OK ||
        sotto_buf_printf(out, ",\"type\":\"%s\",\"param\":%s%s%s,\"code\":%s%s%s}}",
                         status < 500 ? "invalid_request_error" : "server_error",
                         param != NULL ? "\"" : "", param != NULL ? param : "null",
                         param != NULL ? "\"" : "", code != NULL ? "\"" : "",
                         code != NULL ? code : "null", code != NULL ? "\"" : "") != SOTTO_OK) {
        sotto_buf_truncate(out, 0); /* the status says enough */
    }
}

void sotto_admin_api_fail(struct sotto_admin_answer *answer, int status, const char *code,
                          const char *fmt, ...)
{
    char message[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    fail_param(answer, status, code, NULL, message);
}

static void fail_store(struct api_run *run, enum sotto_err err)
{
    int status = err == SOTTO_ENOTFOUND ? 404 : err == SOTTO_ESTATE ? 409 : 503;
    sotto_admin_api_fail(run->answer, status, status == 404 ? "key_not_found" : NULL, "%s.",
                         sotto_store_why(run->api->store));
}

static void note(struct api_run *run, const char *action, sotto_span id)
{
    char by[SOTTO_KEY_ID_LEN + 1], key[SOTTO_KEY_ID_LEN + 1];
    snprintf(by, sizeof(by), "%.12s", run->caller->key.id);
    snprintf(key, sizeof(key), "%.*s", SOTTO_FMT(id));
    SOTTO_LOG(SOTTO_LOG_INFO, "administered", SOTTO_LOG_ID("action", action),
              SOTTO_LOG_ID("by", by), SOTTO_LOG_ID("key", key[0] != '\0' ? key : "-"));
}

/* --- keys -------------------------------------------------------------------------------------- */

struct api_list {
    struct sotto_buf *out;
    sotto_span only; /* empty: all */
    size_t count;
};

static enum sotto_err list_one(void *ctx, const struct sotto_key *key)
{
    struct api_list *list = ctx;
    if (list->only.len != 0 &&
        !sotto_span_eq(list->only, sotto_span_init(key->id, sizeof(key->id)))) {
        return SOTTO_OK;
    }
    enum sotto_err err = list->count++ != 0 ? sotto_buf_push(list->out, ',') : SOTTO_OK;
    return err == SOTTO_OK ? sotto_key_json_write(key, list->out) : err;
}

static void list_keys(struct api_run *run)
{
    struct sotto_buf *out = &run->answer->body;
    struct api_list list = {.out = out};
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"object\":\"list\",\"data\":["));
    if (err == SOTTO_OK) {
        err = sotto_store_key_each(run->api->store, list_one, &list);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, SOTTO_LIT("]}"));
    }
    if (err != SOTTO_OK) {
        fail_store(run, err);
    }
}

static void show_key(struct api_run *run)
{
    struct api_list list = {.out = &run->answer->body, .only = run->id};
    enum sotto_err err = sotto_store_key_each(run->api->store, list_one, &list);
    if (err != SOTTO_OK) {
        fail_store(run, err);
    } else if (list.count == 0) {
        sotto_admin_api_fail(run->answer, 404, "key_not_found", "There is no key with this id.");
    }
}

/* Tells a key that was made now: the only time that it can be seen. */
static void tell_secret(struct api_run *run, int status, const char *text)
{
    run->answer->status = status;
    if (sotto_buf_printf(&run->answer->body, "{\"id\":\"%.12s\",\"key\":\"%s\"}", text + 3, text) !=
        SOTTO_OK) {
        sotto_admin_api_fail(run->answer, 503, NULL,
                             "There is no memory: the key is made, and "
                             "cannot be shown.");
    }
}

/* The body as a document; an empty one counts as {}.  False: the answer says what is wrong. */
static bool read_body(struct api_run *run, yyjson_mut_doc **doc)
{
    struct sotto_json_error wrong = {0};
    sotto_span text = run->body.len != 0 ? run->body : SOTTO_LIT("{}");
    enum sotto_err err = sotto_json_read(text, API_DEPTH, doc, &wrong);
    if (err != SOTTO_OK) {
        sotto_admin_api_fail(run->answer, err == SOTTO_ENOMEM ? 503 : 400, "invalid_json",
                             "The body is not a JSON object.");
    }
    return err == SOTTO_OK;
}

static void create_key(struct api_run *run)
{
    char text[SOTTO_KEY_TEXT_BYTES] = "";
    yyjson_mut_doc *doc = NULL;
    struct sotto_key key = {0};
    struct sotto_problem problem = {0};
    if (!read_body(run, &doc)) {
        return;
    }
    enum sotto_err err =
        sotto_key_json_read(yyjson_mut_doc_get_root(doc), run->now_s, &key, &problem);
    if (err != SOTTO_OK) {
        fail_param(run->answer, 400, NULL, problem.param[0] != '\0' ? problem.param : NULL,
                   problem.message);
    } else if ((err = sotto_store_key_create(run->api->store, &key, text)) != SOTTO_OK) {
        fail_store(run, err);
    } else {
        tell_secret(run, 201, text);
        note(run, "create", sotto_span_init(text + 3, SOTTO_KEY_ID_LEN));
    }
    sotto_wipe(text, sizeof(text));
    sotto_json_free(doc);
}

/* {"grace": "48h"}; without it, that of the configuration. */
static bool read_grace(struct api_run *run, int64_t *grace_s)
{
    yyjson_mut_doc *doc = NULL;
    uint64_t ms = 0;
    if (!read_body(run, &doc)) {
        return false;
    }
    yyjson_mut_val *grace = sotto_json_get(yyjson_mut_doc_get_root(doc), "grace");
    bool good = true;
    if (grace == NULL) {
        enum sotto_err err = sotto_store_grace(run->api->store, grace_s);
        good = err == SOTTO_OK;
        if (!good) {
            fail_store(run, err);
        }
    } else if (!yyjson_mut_is_str(grace) ||
               config_parse_duration(sotto_json_text(grace), &ms) != SOTTO_OK ||
               ms / 1000 > SOTTO_KEY_TIME_MAX_S) {
        fail_param(run->answer, 400, NULL, "grace", "grace must be a duration such as \"48h\".");
        good = false;
    } else {
        *grace_s = (int64_t)(ms / 1000);
    }
    sotto_json_free(doc);
    return good;
}

static void rotate_key(struct api_run *run)
{
    char text[SOTTO_KEY_TEXT_BYTES] = "";
    int64_t grace_s = 0;
    if (!read_grace(run, &grace_s)) {
        return;
    }
    enum sotto_err err =
        sotto_store_key_rotate(run->api->store, run->id, run->now_s + grace_s, text);
    if (err != SOTTO_OK) {
        fail_store(run, err);
    } else {
        tell_secret(run, 200, text);
        note(run, "rotate", run->id);
    }
    sotto_wipe(text, sizeof(text));
}

static void revoke_key(struct api_run *run)
{
    enum sotto_err err = sotto_store_key_revoke(run->api->store, run->id, run->now_s);
    if (err == SOTTO_OK) {
        note(run, "revoke", run->id);
        err = sotto_buf_printf(&run->answer->body, "{\"id\":\"%.*s\",\"revoked\":true}",
                               SOTTO_FMT(run->id));
    }
    if (err != SOTTO_OK) {
        fail_store(run, err);
    }
}

/* --- use --------------------------------------------------------------------------------------- */

static enum sotto_err list_use(void *ctx, sotto_span key, const struct sotto_use *used)
{
    struct api_list *list = ctx;
    enum sotto_err err = sotto_buf_printf(list->out, "%s{", list->count++ != 0 ? "," : "");
    if (err == SOTTO_OK) {
        err = sotto_key_json_use(key, used, list->out);
    }
    return err == SOTTO_OK ? sotto_buf_push(list->out, '}') : err;
}

/* "month=2026-11" behind the path; without it, the present one.  False: it is no month. */
static bool read_month(const struct api_run *run, int32_t *month)
{
    sotto_span path = sotto_http_path(&run->head);
    sotto_span query = sotto_span_skip(run->head.target, path.len);
    *month = sotto_limit_month(run->now_s * 1000);
    if (query.len == 0) {
        return true;
    }
    return sotto_span_starts(query, SOTTO_LIT("?month=")) &&
           sotto_month_parse(sotto_span_skip(query, 7), month) == SOTTO_OK;
}

static void show_usage(struct api_run *run)
{
    struct sotto_buf *out = &run->answer->body;
    struct api_list list = {.out = out};
    char text[SOTTO_MONTH_TEXT_BYTES];
    int32_t month = 0;
    if (!read_month(run, &month)) {
        fail_param(run->answer, 400, NULL, "month", "month must be a month such as 2026-11.");
        return;
    }
    enum sotto_err err = sotto_store_usage_save(run->api->store, run->api->limits);
    if (err == SOTTO_OK) {
        sotto_month_text(month, text);
        err = sotto_buf_printf(out, "{\"object\":\"list\",\"month\":\"%s\",\"data\":[", text);
    }
    if (err == SOTTO_OK) {
        err = sotto_store_usage_each(run->api->store, month, list_use, &list);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, SOTTO_LIT("]}"));
    }
    if (err != SOTTO_OK) {
        fail_store(run, err);
    }
}

static void ask_reload(struct api_run *run)
{
    run->answer->reload = true;
    note(run, "reload", SOTTO_LIT(""));
}

/* --- routes ------------------------------------------------------------------------------------ */

/* In the path, "*" stands for the id of a key. */
static const struct api_route {
    const char *method, *path;
    void (*run)(struct api_run *run);
} routes[] = {
    {"GET", "/admin/v1/keys", list_keys},
    {"POST", "/admin/v1/keys", create_key},
    {"GET", "/admin/v1/keys/*", show_key},
    {"DELETE", "/admin/v1/keys/*", revoke_key},
    {"POST", "/admin/v1/keys/*/rotate", rotate_key},
    {"POST", "/admin/v1/keys/*/revoke", revoke_key},
    {"GET", "/admin/v1/usage", show_usage},
    {"POST", "/admin/v1/reload", ask_reload},
};

/* Whether a path is that of a route; `id` is set where the route has one. */
static bool is_path(const char *want, sotto_span path, sotto_span *id)
{
    sotto_span pattern = sotto_span_str(want);
    const uint8_t *star = memchr(pattern.base, '*', pattern.len);
    *id = sotto_span_init(NULL, 0);
    if (star == NULL) {
        return sotto_span_eq(pattern, path);
    }
    size_t at = (size_t)(star - pattern.base);
    if (path.len != pattern.len - 1 + SOTTO_KEY_ID_LEN ||
        !sotto_span_starts(path, sotto_span_sub(pattern, 0, at)) ||
        !sotto_span_ends(path, sotto_span_skip(pattern, at + 1))) {
        return false;
    }
    *id = sotto_span_sub(path, at, at + SOTTO_KEY_ID_LEN);
    return sotto_key_id_valid(*id);
}

/* The key has to be there, to work and to administer. */
static bool check_caller(struct api_run *run)
{
    struct sotto_admin_api *api = run->api;
    sotto_span key = {NULL, 0};
    if (sotto_key_slot_generation(api->keys) < sotto_store_generation(api->store)) {
        api->read_keys(api->ctx);
    }
    if (!sotto_store_trusted(api->store)) {
        sotto_admin_api_fail(run->answer, 503, "keys_unavailable",
                             "API keys cannot be checked at the moment: PostgreSQL does not "
                             "answer.");
        return false;
    }
    const struct sotto_key_table *table = sotto_key_slot_get(api->keys, &api->handle);
    enum sotto_err err = sotto_credentials(&run->head, NULL, &key);
    if (err == SOTTO_OK) {
        err = sotto_key_table_verify(table, key, run->now_s, &run->caller);
    }
    if (err != SOTTO_OK) {
        sotto_admin_api_fail(run->answer, err == SOTTO_EAUTH ? 401 : 503, "invalid_api_key",
                             "Send a key with the scope admin as `Authorization: Bearer`. "
                             "`sotto keys create --scopes admin` makes one.");
        return false;
    }
    if (!sotto_key_is_admin(&run->caller->key)) {
        sotto_admin_api_fail(run->answer, 403, "permission_denied",
                             "This API key may not administer: its scopes lack admin.");
        return false;
    }
    return true;
}

static void dispatch(struct api_run *run)
{
    sotto_span path = sotto_http_path(&run->head);
    bool known = false;
    for (size_t i = 0; i < SOTTO_COUNT(routes); i++) {
        if (is_path(routes[i].path, path, &run->id)) {
            known = true;
            if (sotto_span_eq(run->head.method, sotto_span_str(routes[i].method))) {
                routes[i].run(run);
                return;
            }
        }
    }
    if (known) {
        sotto_admin_api_fail(run->answer, 405, "method_not_allowed",
                             "This route does not take the method.");
    } else {
        sotto_admin_api_fail(run->answer, 404, "unknown_url",
                             "There is no such route: see /admin/v1/keys, /admin/v1/usage and "
                             "/admin/v1/reload.");
    }
}

void sotto_admin_api_run(struct sotto_admin_api *api, sotto_span head, sotto_span body,
                         int64_t now_s, struct sotto_admin_answer *answer)
{
    struct api_run run = {.api = api, .body = body, .now_s = now_s, .answer = answer};
    answer->status = 200;
    answer->reload = false;
    if (sotto_http_head_index(head, true, &run.head) != SOTTO_OK) {
        sotto_admin_api_fail(answer, 500, NULL, "The request cannot be read.");
    } else if (check_caller(&run)) {
        dispatch(&run);
    }
}
