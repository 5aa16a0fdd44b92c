/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CLIENT_PROFILE_H
#define SOTTO_CLIENT_PROFILE_H

/*
 * The sealing profiles that a client speaks: one row of a table and one file each (profile_native.c,
 * profile_privatemode.c).  A row turns questions and answers into each other; what goes over the
 * network, and when, is up to client/link.h (sessions) and client/proxy_job.h (requests).
 *
 *   agreement_new() begin() take() ...   until there is a session
 *   seal()                               a request of the session
 *   whole(), or event() until the last   its answer
 */

#include "client/known.h"
#include "client/link.h"
#include "http/head.h"

/** Longest path that is asked for, and longest name of a model. */
#define SOTTO_CLIENT_TARGET_MAX 256
#define SOTTO_CLIENT_MODEL_MAX  256

/** What is asked next to agree on a session. */
struct client_ask {
    const char *method; /* static */
    char target[SOTTO_CLIENT_TARGET_MAX];
    struct sotto_buf body; /* JSON; empty: none, and no API key either */
};

/** A try to agree on a session; the first member of a profile's own structure. */
struct client_agreement {
    const struct sotto_link_options *options; /* borrowed */
    const char *gateway;                      /* borrowed: "host:port" */
    char why[SOTTO_LINK_WHY_BYTES];           /* after a failure: one sentence */
};

/** A session; likewise. */
struct client_session {
    uint32_t lifetime_s;
};

/** A request that was sealed and its answer; likewise. */
struct client_pending {
    const struct sotto_client_profile *profile;
};

/** What is sealed. */
struct client_request {
    sotto_span target; /* its path */
    sotto_span model;
    sotto_span text; /* the JSON text */
    bool embeddings; /* else chat completions */
};

struct sotto_client_profile {
    const char *name;
    const char *known_file; /* where the gateways that were seen are kept */
    bool suites;            /* --suite may ask for any; else it is X-Wing */

    /** @retval SOTTO_ENOMEM */
    enum sotto_err (*agreement_new)(struct client_agreement **out);

    /** Wipes and frees; NULL is allowed, in all three of them. */
    void (*agreement_free)(struct client_agreement *agreement);
    void (*session_free)(struct client_session *session);
    void (*pending_free)(struct client_pending *pending);

    /** The first question.  False: `why` says why there is none. */
    bool (*begin)(struct client_agreement *agreement, struct client_ask *ask);

    /**
     * Takes an answer: gives the next question, or a session.
     *
     * @param ask       with an empty body
     * @param[out] out  set where that is agreed on; else `ask` is the next question
     * @return          false: `why` says why there is neither
     */
    bool (*take)(struct client_agreement *agreement, int status, sotto_span answer,
                 struct client_ask *ask, struct client_session **out);

    /**
     * Seals a request.
     *
     * @param fields    gets header lines, each with its CRLF, Content-Type among them
     * @param body      gets what is sent
     * @param[out] out  set only on SOTTO_OK; ends with pending_free()
     *
     * @return anything but SOTTO_OK: nothing may be sent
     */
    enum sotto_err (*seal)(struct client_session *session, const struct sotto_link_options *options,
                           const struct client_request *request, struct sotto_buf *fields,
                           struct sotto_buf *body, struct client_pending **out);

    /** Whether a whole answer with this head says that it is sealed. */
    bool (*is_sealed)(const struct sotto_http_head *head);

    /** Opens a whole answer; appends its text.  Anything but SOTTO_OK: it is none. */
    enum sotto_err (*whole)(struct client_pending *pending, int status, sotto_span body,
                            struct sotto_buf *text);

    /**
     * Opens an event; appends its text, which is empty where it says nothing.
     *
     * @param[out] last  nothing follows; a stream that ends before was cut
     */
    enum sotto_err (*event)(struct client_pending *pending, sotto_span data, bool *last,
                            struct sotto_buf *text);

    /** Whether an answer in the clear says that the gateway did not open the request. */
    bool (*is_forgotten)(int status, sotto_span body);
};

extern const struct sotto_client_profile sotto_client_profile_native;
extern const struct sotto_client_profile sotto_client_profile_privatemode;

/** What a gateway is known by where no evidence vouches for it. */
struct client_credential {
    const char *member;  /* SOTTO_KNOWN_... */
    const char *one;     /* for sentences: "signs with a key" */
    const char *another; /* "signs with another key" */

    /** Errors as sotto_known_pinned(). */
    enum sotto_err (*pinned)(const char *path, const uint8_t shown[SOTTO_KNOWN_BYTES]);
};

/** Whether what the gateway shows is in the file of what is believed, or in that of what was seen
 *  first, which it is put into where the gateway is new.  False: `why` says why not. */
bool client_check_known(struct client_agreement *agreement, const struct client_credential *what,
                        const uint8_t shown[SOTTO_KNOWN_BYTES]);

/** The profile with this name; NULL: none. */
const struct sotto_client_profile *sotto_client_profile_find(sotto_span name);

/** Whether the head's content type is `want`, whatever parameters it has. */
bool client_is_type(const struct sotto_http_head *head, const char *want);

/** Whether the status of an answer refuses the API key; `why` says so then. */
bool client_is_key_refused(struct client_agreement *agreement, int status);

/** Writes the sentence for which begin() or take() fails; returns false. */
SOTTO_PRINTF(2, 3) bool client_fail(struct client_agreement *agreement, const char *fmt, ...);

#endif
