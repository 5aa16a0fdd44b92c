/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CLIENT_PROXY_PARTS_H
#define SOTTO_CLIENT_PROXY_PARTS_H

/*
 * What the parts of a proxied request share: proxy_job.c takes it and sends it on, proxy_answer.c
 * reads what the gateway says, proxy_reply.c tells the client.  For these files.
 */

#include "client/profile.h"
#include "client/proxy_job.h"
#include "http/sse.h"

/** Nesting of JSON in requests. */
#define JOB_DEPTH_MAX 128

/** Longest whole answer, and longest event of a stream, sealed. */
#define JOB_ANSWER_MAX ((size_t)64 << 20)
#define JOB_EVENT_MAX  ((size_t)32 << 20)

struct proxy_job {
    struct proxy_shared *shared;
    struct proxy_job *prev, *next;
    struct sotto_exchange *exchange;
    struct sotto_link_wish wish;
    struct sotto_fetch *fetch;
    struct client_pending *pending; /* NULL: the request was not sealed (models) */
    struct sotto_veil_answer *veil; /* NULL: nothing to restore */
    struct sotto_buf text;          /* the plain request, until its answer begins */
    struct sotto_buf target;
    struct sotto_buf model;
    struct sotto_buf lines;  /* header lines of the answer */
    struct sotto_buf answer; /* as far as it has come; events that were opened */
    struct sotto_sse sse;
    int status;
    bool embeddings;   /* it asks for these */
    bool wants_stream; /* it asks for one */
    bool sealed;       /* the answer is */
    bool streaming;    /* it goes to the client as it comes */
    bool ended;        /* its last record was there */
    bool retried;
};

/** Frees everything; the exchange is over or somebody else's. */
void proxy_job_free(struct proxy_job *job);

/** Seals the request and sends it, once there is a session. */
void proxy_job_send(struct proxy_job *job);

/** Ends the job with a whole answer. */
void proxy_job_reply(struct proxy_job *job, int status, sotto_span body);

/** Ends the job with an error: whole, or in the stream that has begun.  `code` may be NULL. */
void proxy_job_refuse(struct proxy_job *job, int status, const char *code, const char *message);

/** Reads the gateway's answer; its context is the job. */
extern const struct sotto_fetch_handler proxy_answer_handler;

#endif
