/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/record.h"

#include <string.h>

#include "crypto/base62.h"
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
