/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_POLICY_VIOLATION_H
#define SOTTO_POLICY_VIOLATION_H

/*
 * One function lists every violation of a mode, in sentences: of a request before it is sent, and of
 * a configuration before it is used.  Rules are rows of a table.
 */

#include "policy/mode.h"

/** What is judged; what is not known yet is left out. */
struct sotto_policy_facts {
    const struct sotto_mode *mode;
    bool require_agreements; /* of the configuration */

    bool has_upstream; /* the fields of this group count */
    bool trusted;      /* an upstream of our own: no rule about providers is for it */
    sotto_span upstream, region;
    struct sotto_mode_words agreements;

    unsigned unprotected;    /* bits of enum sotto_unprotected in the request */
    const uint32_t *blocked; /* findings that the mode blocks, by label; NULL: none */
};

struct sotto_violation {
    const char *code;   /* static: "provider_not_permitted", ... */
    char sentence[240]; /* "The mode hipaa asks for ..."; names no value of a request */
};

/** Told of one violation, borrowed for the call. */
typedef void sotto_violation_fn(void *ctx, const struct sotto_violation *violation);

/** @param fn  may be NULL.  @return how many there are */
size_t sotto_policy_violations(const struct sotto_policy_facts *facts, sotto_violation_fn *fn,
                               void *ctx);

#endif
