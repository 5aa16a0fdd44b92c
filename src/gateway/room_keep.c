/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "base/alloc.h"
#include "base/decimal.h"
#include "gateway/room_stream.h"
#include "sys/clock.h"

/* For so long a request waits for the first pair of its suite: RSA's takes a second or so. */
#define ROOM_KEEP_WAIT_MS 10000

/* The suite under which a request is kept: the one it asked for, or its session's. */
static const struct sotto_suite *suite_of(const struct room_stream *s)
{
    const struct sotto_session *session = s->seal.session;
    sotto_span word = s->call.encryption;
    if (word.len == 0 && session != NULL) {
        word = sotto_span_str(session->algorithm);
    }
    const struct sotto_suite *suite = sotto_suite_find(word);
    return suite != NULL ? suite : sotto_suite_find(SOTTO_LIT("kyber512"));
}

/* Values of the vault, then the explanation.  Both are gone from where they were. */
static enum sotto_err collect(struct room_stream *s, struct sotto_buf *plain)
{
    enum sotto_err err = SOTTO_OK;
    if (s->vault != NULL) {
        err = sotto_vault_take_out(s->vault, plain);
        s->keep.values = err == SOTTO_OK;
    }
    s->keep.explanation_at = plain->len;
    if (err == SOTTO_OK && s->explanation != NULL && !s->explained) {
        err = sotto_json_write(yyjson_mut_doc_get_root(s->explanation), plain);
    }
    if (err == SOTTO_OK && plain->len > s->keep.explanation_at) {
        sotto_json_free(s->explanation);
        s->explanation = NULL;
    }
    return err;
}

static enum sotto_err not_ready(struct room_stream *s)
{
    s->refusal = SOTTO_REFUSE_PROBLEM;
    sotto_problem_set(&s->problem, 503, "server_error", "encryption_not_ready", "encryption",
                      "The gateway is making its %s key pair. Try again in a moment.",
                      s->keep.suite->name);
    s->problem.retry_after_s = 1;
    return SOTTO_ENOTFOUND;
}

static bool has_pair(const struct room_stream *s)
{
    return sotto_keyring_serial(s->room->options.seal->keyring, s->keep.suite) != 0;
}

bool room_keep_waits(struct room_stream *s)
{
    if (s->room->keeper == NULL) {
        return false;
    }
    s->keep.suite = suite_of(s);
    if (has_pair(s)) {
        return false;
    }
    int64_t now_ms = sotto_clock_ms();
    s->keep.waits_ms = s->keep.waits_ms != 0 ? s->keep.waits_ms : now_ms;
    return now_ms - s->keep.waits_ms < ROOM_KEEP_WAIT_MS;
}

enum sotto_err room_keep(struct room_stream *s)
{
    struct sotto_buf plain;
    int64_t begun = sotto_clock_ns();
    if (s->room->keeper == NULL) {
        return SOTTO_OK;
    }
    if (!has_pair(s)) {
        return not_ready(s);
    }
    sotto_buf_init(&plain, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = collect(s, &plain);
    if (err == SOTTO_OK) {
        err = sotto_keeper_seal(s->room->keeper, s->keep.suite, &plain, &s->keep.kept);
    }
    sotto_buf_free(&plain);
    if (err == SOTTO_OK) {
        memcpy(s->keep.key_id, sotto_kept_key_id(&s->keep.kept), sizeof(s->keep.key_id));
    }
    if (s->call.upstream_key.len != 0) { /* it stands in the request that goes out now */
        sotto_wipe(
            (uint8_t *)(uintptr_t)s->call.upstream_key.base, /* NOLINT(performance-no-int-to-ptr) */
            s->call.upstream_key.len);
    }
    s->keep.took_ns += sotto_clock_ns() - begun;
    return err;
}

static enum sotto_err put_back(struct room_stream *s, sotto_span plain)
{
    enum sotto_err err = SOTTO_OK;
    if (s->keep.values) {
        err = sotto_vault_put_back(s->vault, plain);
    }
    sotto_span explanation = sotto_span_skip(plain, s->keep.explanation_at);
    if (err == SOTTO_OK && explanation.len != 0) {
        err = sotto_json_read(explanation, s->setup->config->limits.depth, &s->explanation, NULL);
    }
    return err;
}

enum sotto_err room_recall(struct room_stream *s)
{
    struct sotto_buf plain;
    if (s->keep.kept.key == NULL) {
        return SOTTO_OK;
    }
    int64_t begun = sotto_clock_ns();
    sotto_buf_init(&plain, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_kept_open(&s->keep.kept, &plain);
    if (err == SOTTO_OK) {
        err = put_back(s, sotto_buf_span(&plain));
    }
    sotto_buf_free(&plain);
    sotto_kept_free(&s->keep.kept);
    s->keep.took_ns += sotto_clock_ns() - begun;
    return err;
}

enum sotto_err room_keep_extra(struct room_stream *s, yyjson_mut_doc *doc)
{
    char took[SOTTO_DECIMAL_POINT_BYTES];
    enum sotto_err err;
    if (s->keep.key_id[0] == '\0' || s->keep.told || !s->dialect->extras ||
        s->call.kind != SOTTO_CALL_CHAT) {
        return SOTTO_OK;
    }
    s->keep.told = true;
    sotto_decimal_point((uint64_t)s->keep.took_ns, 6, took);
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    if (object == NULL ||
        (err = sotto_json_put_text(doc, object, "algorithm",
                                   sotto_span_str(s->keep.suite->name))) != SOTTO_OK ||
        (err = sotto_json_put(doc, object, "overhead_ms", yyjson_mut_rawcpy(doc, took))) !=
            SOTTO_OK ||
        (err = sotto_json_put_text(doc, object, "key_id", sotto_span_str(s->keep.key_id))) !=
            SOTTO_OK ||
        (err = sotto_json_put_text(doc, object, "scope", SOTTO_LIT("gateway"))) != SOTTO_OK) {
        return SOTTO_ENOMEM;
    }
    return sotto_json_put(doc, yyjson_mut_doc_get_root(doc), "encryption", object);
}
