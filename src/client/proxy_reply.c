/* SPDX-License-Identifier: Apache-2.0 */

#include "client/proxy_parts.h"
#include "http/write.h"
#include "json/json.h"

enum sotto_err proxy_write_error(const char *type, const char *code, const char *message,
                                 struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"error\":{\"message\":"));
    if (err == SOTTO_OK) {
        err = sotto_json_quote(sotto_span_str(message), true, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_printf(out, ",\"type\":\"%s\",\"param\":null,\"code\":%s%s%s}}", type,
                               code != NULL ? "\"" : "", code != NULL ? code : "null",
                               code != NULL ? "\"" : "");
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

void proxy_job_reply(struct proxy_job *job, int status, sotto_span body)
{
    struct sotto_exchange *x = job->exchange;
    if (sotto_http_write_field(&job->lines, "Content-Type", SOTTO_LIT("application/json")) !=
        SOTTO_OK) {
        sotto_exchange_set_user(x, NULL);
        sotto_exchange_abort(x);
        proxy_job_free(job);
        return;
    }
    sotto_exchange_set_user(x, NULL);
    sotto_exchange_reply(x, status, sotto_buf_span(&job->lines), body);
    proxy_job_free(job);
}

void proxy_job_refuse(struct proxy_job *job, int status, const char *code, const char *message)
{
    struct sotto_buf body;
    sotto_buf_init(&body, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = job->streaming ? sotto_buf_append(&body, SOTTO_LIT("data: ")) : SOTTO_OK;
    if (err == SOTTO_OK) {
        err = proxy_write_error(status < 500 ? "invalid_request_error" : "server_error", code,
                                message, &body);
    }
    if (err == SOTTO_OK && job->streaming) {
        err = sotto_buf_append(&body, SOTTO_LIT("\n\n"));
    }
    if (job->streaming || err != SOTTO_OK) {
        struct sotto_exchange *x = job->exchange;
        sotto_exchange_set_user(x, NULL);
        if (err != SOTTO_OK || !job->streaming) {
            sotto_exchange_abort(x);
        } else {
            (void)sotto_exchange_write(x, sotto_buf_span(&body), true);
        }
        proxy_job_free(job);
    } else {
        proxy_job_reply(job, status, sotto_buf_span(&body));
    }
    sotto_buf_free(&body);
}
