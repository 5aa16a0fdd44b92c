/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/record.h"

#include <stdio.h>
#include <string.h>

#include "audit/record.h"
#include "chat/slots.h"
#include "crypto/base62.h"
#include "sys/clock.h"
#include "sys/log.h"

enum sotto_err sotto_record_init(struct sotto_record *record)
{
    *record = (struct sotto_record){
        .dialect = "none",
        .outcome = SOTTO_OUTCOME_FAILED,
        .prompt_tokens = -1,
        .completion_tokens = -1,
    };
    memcpy(record->request_id, "req_", 4);
    return sotto_base62_random(record->request_id + 4, SOTTO_REQUEST_ID_LEN - 4);
}

static const char *outcome_name(enum sotto_outcome outcome)
{
    switch (outcome) {
    case SOTTO_OUTCOME_ANSWERED:
        return "answered";
    case SOTTO_OUTCOME_REFUSED:
        return "refused";
    case SOTTO_OUTCOME_UPSTREAM:
        return "upstream_failed";
    case SOTTO_OUTCOME_GONE:
        return "client_gone";
    case SOTTO_OUTCOME_FAILED:
        return "failed";
    }
    return "failed";
}

/* Names of the configuration have a checked alphabet and length. */
static const char *name_text(sotto_span name, char *to, size_t cap)
{
    size_t len = name.len < cap ? name.len : cap - 1;
    if (len == 0) {
        return "-";
    }
    memcpy(to, name.base, len);
    to[len] = '\0';
    return to;
}

void sotto_record_log(const struct sotto_record *r)
{
    char mode[SOTTO_MODE_NAME_MAX + 1], upstream[97];
    SOTTO_LOG(
        SOTTO_LOG_INFO, "request", SOTTO_LOG_ID("id", r->request_id),
        SOTTO_LOG_ID("key", r->key_id[0] != '\0' ? r->key_id : "-"),
        SOTTO_LOG_ID("dialect", r->dialect),
        SOTTO_LOG_ID("mode", name_text(r->mode, mode, sizeof(mode))),
        SOTTO_LOG_ID("upstream", name_text(r->upstream, upstream, sizeof(upstream))),
        SOTTO_LOG_ID("outcome", outcome_name(r->outcome)), SOTTO_LOG_INT("status", r->status),
        SOTTO_LOG_ID("code", r->code != NULL ? r->code : "-"), SOTTO_LOG_INT("stream", r->stream),
        SOTTO_LOG_INT("entities", r->counts.replaced_total),
        SOTTO_LOG_INT("request_bytes", r->request_bytes),
        SOTTO_LOG_INT("answer_bytes", r->answer_bytes),
        SOTTO_LOG_INT("prompt_tokens", r->prompt_tokens),
        SOTTO_LOG_INT("completion_tokens", r->completion_tokens),
        SOTTO_LOG_INT("estimated_tokens", r->estimated_tokens), SOTTO_LOG_US("own_us", r->own_us),
        SOTTO_LOG_US("upstream_us", r->answered_us != 0 ? r->answered_us - r->fetched_us : 0),
        SOTTO_LOG_US("total_us", r->done_us - r->first_byte_us));
}

void sotto_record_subject(const struct sotto_record *r, char out[SOTTO_AUDIT_SUBJECT_MAX + 1])
{
    _Static_assert(sizeof(r->key_id) + 1 + sizeof(r->user) <= SOTTO_AUDIT_SUBJECT_MAX, "they fit");
    size_t key_len = strlen(r->key_id), user_len = strlen(r->user);
    memcpy(out, r->key_id, key_len + 1);
    if (user_len != 0) {
        out[key_len] = '/';
        memcpy(out + key_len + 1, r->user, user_len + 1);
    }
}

/* A pattern such as "*" serves names that the caller chose: only what a provider answered to is a
 * model, anything else could be any text: then the pattern stands for it. */
static sotto_span model_of(const struct sotto_record *r)
{
    sotto_span asked = sotto_span_str(r->asked_model);
    bool said = r->outcome == SOTTO_OUTCOME_ANSWERED || sotto_span_eq(asked, r->model);
    return said ? asked : r->model;
}

static size_t unprotected_names(unsigned bits, const char *names[3])
{
    size_t n = 0;
    if ((bits & SOTTO_UNPROTECTED_IMAGE) != 0) {
        names[n++] = "image";
    }
    if ((bits & SOTTO_UNPROTECTED_AUDIO) != 0) {
        names[n++] = "audio";
    }
    if ((bits & SOTTO_UNPROTECTED_FILE) != 0) {
        names[n++] = "file";
    }
    return n;
}

enum sotto_err sotto_record_audit(const struct sotto_record *r, const char *subject,
                                  struct sotto_buf *out)
{
    struct sotto_audit_record a = sotto_audit_record_none();
    struct sotto_audit_count counts[SOTTO_LABEL_COUNT];
    const char *unprotected[3];
    char when[SOTTO_WALL_TEXT_BYTES];
    for (size_t i = 0; i < SOTTO_LABEL_COUNT; i++) {
        counts[i].name = sotto_label_name((enum sotto_label)i);
        counts[i].count = r->counts.replaced[i];
    }
    sotto_wall_text(sotto_wall_ms(), when);
    a.id = sotto_span_init(sotto_record_id(r), SOTTO_AUDIT_ID_SYMBOLS);
    a.kind = "request";
    a.time = when;
    a.key = sotto_span_str(r->key_id);
    a.subject = sotto_span_str(subject);
    a.dialect = r->dialect;
    a.mode = r->mode;
    a.provider = r->upstream;
    a.model = model_of(r);
    a.status = r->status;
    a.outcome = outcome_name(r->outcome);
    a.code = r->code;
    a.stream = r->stream;
    a.entities = counts;
    a.entity_count = SOTTO_LABEL_COUNT;
    a.special = r->counts.special;
    a.unprotected = unprotected;
    a.unprotected_count = unprotected_names(r->counts.unprotected, unprotected);
    a.prompt_tokens = r->prompt_tokens;
    a.completion_tokens = r->completion_tokens;
    a.request_bytes = r->request_bytes;
    a.answer_bytes = r->answer_bytes;
    a.duration_us = r->done_us - r->first_byte_us;
    return sotto_audit_record_write(&a, out);
}
