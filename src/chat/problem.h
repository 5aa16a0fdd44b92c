/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CHAT_PROBLEM_H
#define SOTTO_CHAT_PROBLEM_H

#include "base/compiler.h"
#include "base/span.h"

/**
 * Why a request cannot be answered, for its client.  The words follow OpenAI's error object; each
 * dialect writes them in its own form.  `message` never holds payload of the request: it names the
 * field, not its value.  (An upstream's own error keeps its message, restored, outside of this.)
 */
struct sotto_problem {
    int status;         /* HTTP status, 400 to 599 */
    const char *type;   /* static: "invalid_request_error", "rate_limit_error", ... */
    const char *code;   /* static or NULL: "model_not_found", "content_not_protected", ... */
    char param[96];     /* path of the field, "messages[2].content"; empty: none */
    char message[256];  /* one sentence */
    int retry_after_s;  /* Retry-After; 0: none */
    int should_retry;   /* x-should-retry: 1 true, -1 false, 0 not sent */
    sotto_span details; /* all that is wrong, as JSON in the dialect's own form, borrowed from the
                            call that was read; empty: `message` says it */
};

/** Fills `problem`.  `type`, `code` and `param` may be NULL; longer texts are cut. */
SOTTO_PRINTF(6, 7)
void sotto_problem_set(struct sotto_problem *problem, int status, const char *type,
                       const char *code, const char *param, const char *fmt, ...);

/** A 400 invalid_request_error about `param`. */
SOTTO_PRINTF(3, 4)
void sotto_problem_invalid(struct sotto_problem *problem, const char *param, const char *fmt, ...);

#endif
