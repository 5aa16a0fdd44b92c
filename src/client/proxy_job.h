/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CLIENT_PROXY_JOB_H
#define SOTTO_CLIENT_PROXY_JOB_H

/* One request of the proxy, from the client's to the end of its answer.  For this folder. */

#include "client/link.h"
#include "client/veil.h"
#include "net/server.h"

struct proxy_job;

/** What all requests have in common. */
struct proxy_shared {
    struct sotto_link_options options; /* where the gateway is */
    struct sotto_link *link;
    struct sotto_veil *veil; /* NULL: none */
    struct proxy_job *first;
};

/** Takes a request; answers at once or later. */
void proxy_job_begin(struct proxy_shared *shared, struct sotto_exchange *x, sotto_span head,
                     sotto_span body);

/** The client went away.  NULL is allowed in both. */
void proxy_job_gone(struct proxy_job *job);

/** The client reads slowly, or goes on. */
void proxy_job_flow(struct proxy_job *job, bool full);

/** Frees what is still under way. */
void proxy_jobs_free(struct proxy_shared *shared);

/** Appends an error object as OpenAI writes it.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT */
SOTTO_MUST_CHECK enum sotto_err proxy_write_error(const char *type, const char *code,
                                                  const char *message, struct sotto_buf *out);

#endif
