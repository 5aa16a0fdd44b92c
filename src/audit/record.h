/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_AUDIT_RECORD_H
#define SOTTO_AUDIT_RECORD_H

/*
 * What the log says about a request: one JSON object in one form, so that whoever reads and writes
 * it again without white space has the bytes that were committed to.  Members in the order of the
 * structure; what does not apply is left out.  Numbers, names of the configuration and ids that the
 * gateway made: never anything that a client or a provider said in words.
 */

#include "base/buf.h"

/** Longest name that is written; a longer one is left out. */
#define SOTTO_AUDIT_NAME_MAX 200
/** Most counts of one record. */
#define SOTTO_AUDIT_COUNTS_MAX 32

struct sotto_audit_count {
    const char *name; /* a literal */
    uint32_t count;   /* 0: left out */
};

struct sotto_audit_record {
    sotto_span id;    /* 22 symbols; written as "audit_..." */
    const char *kind; /* "request", "unauthenticated", "erasure"; a literal */
    const char *time; /* RFC 3339, UTC */
    sotto_span key;   /* id of the key */
    sotto_span subject;
    sotto_span request; /* "req_..." */
    const char *dialect;
    sotto_span mode;
    sotto_span provider; /* name of the upstream in the configuration */
    sotto_span model;    /* as it was asked for and served */
    int status;          /* of HTTP; 0: none */
    const char *outcome;
    const char *code; /* of a refusal */
    bool stream;
    const struct sotto_audit_count *entities; /* what was replaced, by label; may be NULL */
    size_t entity_count;
    int64_t special;                /* findings of special categories; 0 or -1: left out */
    const char *const *unprotected; /* kinds of content that passed; may be NULL */
    size_t unprotected_count;
    int64_t prompt_tokens, completion_tokens; /* -1: not told */
    int64_t request_bytes, answer_bytes;      /* -1: left out, as the next three */
    int64_t duration_us;
    int64_t count; /* of requests that an entry of another kind is about */
    int64_t slot;  /* number of the subject that was erased */
};

/** One of which nothing is known yet: to begin with. */
struct sotto_audit_record sotto_audit_record_none(void);

/** Appends the record.  Errors of sotto_buf_append(), `out` unchanged. */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_record_write(const struct sotto_audit_record *record,
                                                         struct sotto_buf *out);

/**
 * The string member `name` of a record's text, where it has one; for its reader, who knows the
 * form.
 *
 * @retval SOTTO_ENOTFOUND  no such member
 * @retval SOTTO_EFORMAT, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_record_text(sotto_span record, const char *name,
                                                        char *out, size_t cap);

#endif
