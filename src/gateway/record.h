/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_RECORD_H
#define SOTTO_GATEWAY_RECORD_H

/*
 * The one record of a request, filled from its first byte to its end, for the log, the metrics and
 * the audit log.  Numbers and names of the configuration; nothing that a client or a provider said.
 */

#include "audit/entry.h"
#include "audit/subject.h"
#include "keys/key.h"
#include "pipeline/masking.h"

/** Length of "req_" and 22 symbols of base62. */
#define SOTTO_REQUEST_ID_LEN 26

/** Longest name of a model that is noted. */
#define SOTTO_RECORD_MODEL_MAX 128

/** How a request ended. */
enum sotto_outcome {
    SOTTO_OUTCOME_ANSWERED, /* the upstream's answer went out whole */
    SOTTO_OUTCOME_REFUSED,  /* by the gateway */
    SOTTO_OUTCOME_UPSTREAM, /* the upstream failed or answered with an error */
    SOTTO_OUTCOME_GONE,     /* the client went away */
    SOTTO_OUTCOME_FAILED,   /* the gateway failed */
};

struct sotto_record {
    char request_id[SOTTO_REQUEST_ID_LEN + 1];
    char key_id[SOTTO_KEY_ID_LEN + 1]; /* empty: not authenticated */
    const char *dialect;               /* static */
    sotto_span mode;                   /* of the configuration; empty: not reached */
    sotto_span upstream;               /* of the configuration; empty: not reached */
    const char *operation;             /* static: "chat", "embeddings"; NULL: none of these */
    sotto_span provider;               /* kind of the upstream; empty: not reached */
    sotto_span model;                  /* name of the route, as configured; empty: not reached */
    char user[SOTTO_MASKING_USER_LEN + 1]; /* keyed hash of the caller's `user`; empty: none */
    char asked_model[SOTTO_RECORD_MODEL_MAX + 1]; /* empty: not reached, or too long */
    enum sotto_outcome outcome;
    int status;
    const char *code; /* static: code of the refusal; NULL: none */
    bool stream;
    struct sotto_masking_counts counts;
    int64_t request_bytes;
    int64_t answer_bytes;
    int64_t prompt_tokens;     /* as the provider counted, else estimated; -1: none */
    int64_t completion_tokens; /* likewise */
    int64_t estimated_tokens;  /* how many of both are an estimate: no usage came */
    int64_t cost_nano;         /* by the prices of the configuration */

    /* Microseconds of sotto_clock_us(); 0: not reached. */
    int64_t first_byte_us; /* of the request */
    int64_t opened_us;     /* the request is complete */
    int64_t masked_us;
    int64_t fetched_us;     /* sent to the upstream */
    int64_t answered_us;    /* head of the upstream's answer */
    int64_t first_token_us; /* first text of a streamed answer */
    int64_t last_token_us;
    int64_t done_us;
    int64_t own_us; /* time that the gateway itself took, so far */
};

/** A fresh record with a request id.  @retval SOTTO_ECRYPTO  no random numbers */
SOTTO_MUST_CHECK enum sotto_err sotto_record_init(struct sotto_record *record);

/** Symbols of the request's id, which are those of its audit id, too. */
static inline const char *sotto_record_id(const struct sotto_record *record)
{
    return record->request_id + SOTTO_REQUEST_ID_LEN - SOTTO_AUDIT_ID_SYMBOLS;
}

/** Who the request is about: its key, or that and the hash of `user`. */
void sotto_record_subject(const struct sotto_record *record, char out[SOTTO_AUDIT_SUBJECT_MAX + 1]);

/** Appends the record of the audit log, with the time of now.  Errors of sotto_buf_append(). */
SOTTO_MUST_CHECK enum sotto_err sotto_record_audit(const struct sotto_record *record,
                                                   const char *subject, struct sotto_buf *out);

/** Writes the request's line to the log. */
void sotto_record_log(const struct sotto_record *record);

#endif
