/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_PROFILE_H
#define SOTTO_SEAL_PROFILE_H

/*
 * A profile is one wire format of sealed conversations, as a row of functions: how a client and the
 * gateway come to share a secret (its routes), how a sealed request is opened and how answers,
 * events and errors are sealed.  It knows no API key, no upstream and no clock.  A new profile is
 * one file and one row in sotto_seal_profiles.
 *
 * What the vault room does with a request:
 *
 *   sotto_seal_profile_route()   a route of a profile: run its `answer` in a side thread, reply
 *   sotto_seal_profile_of()      NULL: not sealed
 *   profile->find()              the session it names; cheap, no parsing of the payload
 *   sotto_sessions_find()        its owner is the API key of the request if it bears no other one
 *   profile->open()              plain text and an exchange; once the request is admitted
 *   profile->answer() | event()..., end() | fail()       from now on all errors are sealed too
 *   sotto_seal_exchange_free()
 *
 * Whatever goes wrong before or in open() is answered with profile->refusal() and refuse(): one
 * sentence that does not say which check failed (docs/threat-model.md: no oracle).
 *
 * Rows are immutable and may be used by all threads; an exchange belongs to one thread at a time.
 */

#include "base/buf.h"
#include "http/head.h"
#include "seal/session.h"
#include "json/json.h"

struct sotto_keyring;
struct sotto_seal_profile;

/* --- what the gateway lends to profiles -------------------------------------------------------- */

/** Longest data that evidence is asked to vouch for (SEV-SNP and TDX: REPORTDATA). */
#define SOTTO_SEAL_REPORT_DATA_BYTES 64

/** Who can say in what kind of machine this runs. */
struct sotto_seal_attestor {
    const char *tee; /* "none", "sev-snp", "tdx" */
    void *ctx;
    /**
     * Appends evidence, in its binary form, that vouches for `report_data`; any thread.
     * NULL for "none": there is no evidence, and nobody claims that there were.
     *
     * @retval SOTTO_EIO, SOTTO_ELIMIT, SOTTO_ENOMEM  `out` unchanged
     */
    enum sotto_err (*evidence)(void *ctx, const uint8_t report_data[SOTTO_SEAL_REPORT_DATA_BYTES],
                               struct sotto_buf *out);
};

/** What is made once at the start and shared by all threads.  Owned by the gateway. */
struct sotto_seal_host {
    struct sotto_sessions *sessions;            /* thread-safe */
    struct sotto_keyring *keyring;              /* thread-safe: the gateway's own key pairs */
    const struct sotto_signer *signer;          /* profile native: the gateway's identity */
    const struct sotto_mesh *mesh;              /* profile privatemode: CA and leaf */
    const struct sotto_seal_attestor *attestor; /* never NULL */
    int64_t life_s;                             /* of a session */
};

/* --- routes: coming to share a secret ---------------------------------------------------------- */

struct sotto_seal_asked {
    const struct sotto_http_head *head; /* borrowed for the call */
    sotto_span body;                    /* borrowed for the call */
    sotto_span owner;                   /* id of the API key, at most SOTTO_SESSION_OWNER_MAX */
    int64_t now_s;                      /* seconds since 1970 */
};

/** The caller has initialised the buffers and frees them. */
struct sotto_seal_reply {
    int status;
    const char *type;        /* static: Content-Type */
    struct sotto_buf fields; /* further header lines, each with its CRLF */
    struct sotto_buf body;
    struct sotto_session_id begun; /* the session that was agreed on; its length 0: none */
};

struct sotto_seal_route {
    const char *method;
    const char *path;
    bool needs_key; /* false: `owner` may be empty */
    /**
     * Answers, also where it refuses.  May take some milliseconds: not for an event loop's thread.
     *
     * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO, SOTTO_EIO  nothing was shared; `reply` is not to be sent
     */
    enum sotto_err (*answer)(const struct sotto_seal_host *host,
                             const struct sotto_seal_asked *asked, struct sotto_seal_reply *reply);
};

/* --- requests ---------------------------------------------------------------------------------- */

/** An error as a profile writes it.  All texts are free of payload. */
struct sotto_seal_error {
    int status;
    const char *type;  /* static: "invalid_request_error", ... */
    const char *code;  /* static or NULL */
    char message[256]; /* one sentence */
};

/**
 * One sealed request and its answer.  Profiles embed it as the first member of a structure of their
 * own; it is made by open() and ends with sotto_seal_exchange_free().
 */
struct sotto_seal_exchange {
    const struct sotto_seal_profile *profile;
    struct sotto_session *session; /* a reference */
    sotto_span model; /* to which the client bound the request, borrowed from the exchange; the
                         caller refuses the request (as open() would) when the document's own
                         `model` is another.  Empty: the profile binds no model */
    sotto_span nonce; /* under which it was opened, borrowed from the exchange */
    bool lines;       /* events are bare lines of JSON: application/x-ndjson */
};

struct sotto_seal_profile {
    const char *name; /* "native", "privatemode", "continuum-2024" */

    const struct sotto_seal_route *routes;
    size_t route_count;

    /**
     * Whether a request is in this profile, by its head and a look at its body; asked in the order
     * of the table.  Must cost next to nothing for requests that are not sealed, and must not
     * accept what no client of this profile sends: it then is refused, never passed on.
     */
    bool (*accepts)(const struct sotto_http_head *head, sotto_span body);

    /**
     * The id of the session that the request names.  Without parsing the body whole: it runs
     * before the request is admitted, and open() checks what it says.
     *
     * @retval SOTTO_EFORMAT  it names none
     */
    enum sotto_err (*find)(const struct sotto_http_head *head, sotto_span body,
                           struct sotto_session_id *id);

    /**
     * Opens a request: checks every seal, that it was not seen before, and appends its plain body,
     * one JSON text of the OpenAI API that nobody has parsed yet.
     *
     * @param session    found by the id that find() gave; another reference is taken
     * @param max_depth  greatest nesting of JSON in the sealed form itself
     * @param[out] out   set only on SOTTO_OK; ended with sotto_seal_exchange_free()
     *
     * @retval SOTTO_EAUTH   refused, for a reason that nobody is told; `plain` unchanged
     * @retval SOTTO_EQUOTA  the session has opened as many requests as it may: it is gone now,
     *                       and the answer is that for an unknown session
     * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO, SOTTO_ELIMIT  `plain` unchanged
     */
    enum sotto_err (*open)(struct sotto_session *session, const struct sotto_http_head *head,
                           sotto_span body, size_t max_depth, struct sotto_seal_exchange **out,
                           struct sotto_buf *plain);

    /*
     * The answer: either answer(), or event() any number of times and then end() or fail().
     * Each appends to `out` and may edit the document; each fails with SOTTO_ENOMEM, SOTTO_ELIMIT
     * or SOTTO_ECRYPTO and `out` unchanged, after which the exchange is of no more use, and with
     * SOTTO_ESTATE when it was called out of that order.
     */

    /** A whole body: an answer, or an error object with its status. */
    enum sotto_err (*answer)(struct sotto_seal_exchange *exchange, int status, yyjson_mut_doc *doc,
                             struct sotto_buf *out);

    /** One event of a stream, framing included. */
    enum sotto_err (*event)(struct sotto_seal_exchange *exchange, yyjson_mut_doc *chunk,
                            struct sotto_buf *out);

    /** What ends a complete stream. */
    enum sotto_err (*end)(struct sotto_seal_exchange *exchange, struct sotto_buf *out);

    /** An error in the middle of a stream (`{"error":…}`), and the end of the stream. */
    enum sotto_err (*fail)(struct sotto_seal_exchange *exchange, yyjson_mut_doc *error,
                           struct sotto_buf *out);

    /** What a silent stream says so that nobody in between gives up on it; may append nothing. */
    enum sotto_err (*idle)(struct sotto_seal_exchange *exchange, struct sotto_buf *out);

    /** Wipes and frees what the profile added; the exchange itself is freed by the caller. */
    void (*close)(struct sotto_seal_exchange *exchange);

    /**
     * The error with which a request is answered that could not be opened.
     *
     * @param id       as find() gave it; its length is 0 where there is none
     * @param session  whether there is a session with this id; only profiles whose clients depend
     *                 on it let it show
     * @param keyed    whether the request bears a valid API key of its own
     */
    void (*refusal)(const struct sotto_session_id *id, bool session, bool keyed,
                    struct sotto_seal_error *error);

    /**
     * Appends an error that is not sealed, because there is no exchange: refusal()'s, or any that
     * the gateway has before (no key, quota, body too large).
     *
     * @param fields  gets header lines, each with its CRLF, Content-Type among them
     * @retval SOTTO_ENOMEM, SOTTO_ELIMIT  both unchanged
     */
    enum sotto_err (*refuse)(const struct sotto_http_head *head,
                             const struct sotto_seal_error *error, struct sotto_buf *fields,
                             struct sotto_buf *body);

    const char *answer_type;   /* Content-Type of answer() */
    const char *stream_type;   /* Content-Type of event() */
    const char *answer_fields; /* further header lines of sealed answers, each with its CRLF */
    bool extras;               /* `encryption`, `compliance`, `sotto` are welcome in answers */
    bool tells_usage;          /* streams bear usage, asked for or not */
    bool no_images;            /* `image_url` is refused */

    /** Under whose name sessions are kept; NULL: this profile's own. */
    const struct sotto_seal_profile *sessions_of;
};

/* The rows, each in its file. */
extern const struct sotto_seal_profile sotto_seal_profile_native;
extern const struct sotto_seal_profile sotto_seal_profile_privatemode;
extern const struct sotto_seal_profile sotto_seal_profile_continuum;

/** All profiles, in the order in which they are asked; ends with NULL. */
extern const struct sotto_seal_profile *const sotto_seal_profiles[];

/** The profile of a request; NULL: it is not sealed. */
const struct sotto_seal_profile *sotto_seal_profile_of(const struct sotto_http_head *head,
                                                       sotto_span body);

/**
 * The route of a profile with this path; NULL: none.
 *
 * @param[out] profile  whose route it is; set with it
 */
const struct sotto_seal_route *sotto_seal_profile_route(sotto_span path,
                                                        const struct sotto_seal_profile **profile);

/** Gives the session back, wipes and frees; NULL is allowed. */
void sotto_seal_exchange_free(struct sotto_seal_exchange *exchange);

/**
 * Header lines by which clients of Privatemode know that an error is not sealed, and whether a
 * request is one of theirs; such clients expect 501 of a route that there is not.
 */
#define SOTTO_PRIVATEMODE_CLEAR                                                                    \
    "Privatemode-Encrypted: false\r\nX-Content-Type-Options: nosniff\r\n"
bool sotto_seal_is_privatemode(const struct sotto_http_head *head);

#endif
