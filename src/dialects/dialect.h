/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DIALECTS_DIALECT_H
#define SOTTO_DIALECTS_DIALECT_H

/*
 * A dialect is one wire API on the client's side, as a row of functions.  It turns a request into
 * a call (chat/call.h) and OpenAI-shaped answers into its own form; it knows no upstream, no
 * detection and no keys.  Bytes in, bytes out: no I/O, no clock.  A new dialect is one file and
 * one row in dialects/table.c.
 */

#include "base/buf.h"
#include "chat/call.h"
#include "chat/problem.h"
#include "http/head.h"

/** What the answer to this request is about; for fields that dialects write themselves. */
struct sotto_answer_facts {
    sotto_span id;     /* the answer's id in this dialect; empty: keep the upstream's */
    int64_t created_s; /* seconds since 1970, for answers that have none */
};

/** One way of saying that the gateway itself refuses. */
enum sotto_refusal {
    SOTTO_REFUSE_PROBLEM, /* as `problem` says */
    SOTTO_REFUSE_KEY,     /* the gateway's key is missing or wrong */
    SOTTO_REFUSE_QUOTA,   /* the key's quota for the month is spent */
    SOTTO_REFUSE_RATE,    /* too many requests at once */
};

struct sotto_dialect {
    const char *name; /* as in scopes and logs: "openai", "phi_header", "anonymize" */

    /** Whether this dialect answers the request; asked in the order of the table. */
    bool (*accepts)(const struct sotto_http_head *head);

    /** The gateway key of the request; empty when there is none. */
    sotto_span (*key)(const struct sotto_http_head *head);

    /**
     * Reads the request into `call` (after sotto_call_init(); the caller frees it in any case).
     *
     * @param body       borrowed for the call
     * @param max_depth  greatest nesting of JSON
     * @retval SOTTO_EINVAL  `problem` says why (a parser's trouble too)
     * @retval SOTTO_ENOMEM
     */
    enum sotto_err (*read)(const struct sotto_http_head *head, sotto_span body, size_t max_depth,
                           struct sotto_call *call, struct sotto_problem *problem);

    /** Appends the body of the whole answer; may edit `answer`. */
    enum sotto_err (*write)(const struct sotto_call *call, const struct sotto_answer_facts *facts,
                            yyjson_mut_doc *answer, struct sotto_buf *body);

    /** Appends one event of a stream, framing included; may edit `chunk`; may append nothing. */
    enum sotto_err (*write_event)(const struct sotto_call *call,
                                  const struct sotto_answer_facts *facts, yyjson_mut_doc *chunk,
                                  struct sotto_buf *body);

    /** Appends what ends a complete stream ("data: [DONE]"). */
    enum sotto_err (*write_done)(const struct sotto_call *call, struct sotto_buf *body);

    /**
     * Appends the body of a refusal or an error.
     *
     * @param upstream     the upstream's error object, restored, or NULL: `problem` speaks
     * @param stream       write it as an event of this call's stream; NULL: as a whole answer
     * @param[out] status  HTTP status in this dialect
     */
    enum sotto_err (*write_error)(enum sotto_refusal refusal, const struct sotto_problem *problem,
                                  const yyjson_mut_doc *upstream, const struct sotto_call *stream,
                                  struct sotto_buf *body, int *status);

    const char *stream_type; /* Content-Type of streams */
    const char *id_prefix;   /* "qmchatcmpl-"; NULL: a UUID; "": none is made */
    const char *fixed_mode;  /* "hipaa" for phi_header; NULL: the call's or the key's */
    bool extras;             /* top-level objects `encryption`, `compliance`, `sotto` are welcome */
};

/** All dialects, in the order in which they are asked; ends with NULL. */
extern const struct sotto_dialect *const sotto_dialects[];

/** The dialect that answers a request; never NULL: the last one takes what is left. */
const struct sotto_dialect *sotto_dialect_of(const struct sotto_http_head *head);

#endif
