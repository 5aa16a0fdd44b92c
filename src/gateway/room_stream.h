/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ROOM_STREAM_H
#define SOTTO_GATEWAY_ROOM_STREAM_H

/*
 * One request inside the vault room; shared by the files room*.c alone.
 *
 *   OPEN -> admit -> [PARKED: the keys are being read] -> prepare -> [MASKING | WORKER]
 *        (from admit on with [ASKING], in a fleet)
 *        -> [LISTING] -> dispatch -> WAITING -> WHOLE | STREAMING | FAILING -> [COMMITTING] -> over
 *
 * A step that refuses the request ends in room_refuse(), any other end in room_finish().
 */

#include <stdatomic.h>

#include "dialects/dialect.h"
#include "gateway/record.h"
#include "gateway/room.h"
#include "gateway/room_fleet.h"
#include "gateway/streams.h"
#include "http/sse.h"
#include "pipeline/restoring.h"
#include "presidio/presidio.h"
#include "seal/keeper.h"

/** Most of the body of an upstream's error that is read. */
#define ROOM_ERROR_BODY_MAX ((size_t)1 << 20)

enum room_state {
    ROOM_PARKED,     /* waits for the newest keys */
    ROOM_MASKING,    /* between two turns */
    ROOM_WORKER,     /* a worker has it */
    ROOM_ASKING,     /* the store that the fleet shares is asked */
    ROOM_UNKEPT,     /* waits for the key pair under which it will be kept */
    ROOM_LISTING,    /* an upstream is asked for its list of models; it may be broken off */
    ROOM_WAITING,    /* sent to the upstream, no answer yet */
    ROOM_WHOLE,      /* collects the body of an answer */
    ROOM_STREAMING,  /* passes events on */
    ROOM_FAILING,    /* collects the body of an upstream's error */
    ROOM_COMMITTING, /* the end of the answer waits for the entry in the audit log */
    ROOM_OVER,
};

/** What a sealed request has beside others; zero-initialised: it is not sealed. */
struct room_seal {
    const struct sotto_seal_profile *profile; /* NULL: not sealed */
    const struct sotto_seal_route *route;     /* a route of the profile itself; NULL: a request */
    struct sotto_session_id id;
    struct sotto_session *session; /* a reference; NULL: unknown */
    struct sotto_seal_exchange *exchange;
    struct sotto_buf plain; /* what was opened, until it is read */
    struct sotto_buf head;  /* of the request: what the form of an error depends on */
    struct sotto_seal_reply reply;
    bool keyed;      /* the request bears an API key */
    bool told;       /* `encryption` went out */
    int64_t took_us; /* opening and sealing, so far */
};

/** What waits for the upstream, sealed; zero-initialised: nothing. */
struct room_keep {
    const struct sotto_suite *suite; /* NULL: not yet decided */
    int64_t waits_ms;                /* since when there is no pair of it; 0: it did not wait */
    struct sotto_kept kept;
    bool values;                               /* those of the vault are in it */
    size_t explanation_at;                     /* behind them stands the explanation */
    char key_id[SOTTO_SESSION_KEY_ID_LEN + 1]; /* empty: nothing was kept */
    bool told;                                 /* `encryption` went out */
    int64_t took_ns;
};

struct room_stream {
    struct sotto_room *room;
    uint64_t id;
    enum room_state state;
    unsigned entered; /* calls on the stack that use this stream */

    struct sotto_setup *setup;       /* a reference */
    struct sotto_key_table *table;   /* a reference; keeps `key` alive */
    const struct sotto_key_row *key; /* NULL: not authenticated */
    const struct sotto_dialect *dialect;
    const struct sotto_mode *mode;
    const struct sotto_setup_upstream *upstream;
    const struct sotto_config_model *route; /* NULL: not decided */
    sotto_span upstream_model;              /* the upstream's name of the model */
    struct sotto_masking_keys tenant;       /* the tenant's keys */
    struct room_seal seal;
    struct room_keep keep;
    struct room_fleet fleet;
    struct sotto_reservation reservation;
    struct sotto_limit_state limit;
    uint64_t prompt_estimate;   /* tokens */
    uint64_t answer_text_bytes; /* of the provider's answer, so far */
    bool waited_in_vain;        /* given up before the provider's answer began */
    bool sent;                  /* the request went to a provider */
    atomic_bool abandoned;      /* the client went away while a worker or the store had it */
    bool admitted;              /* room_admit() is done */
    bool read;                  /* the request was read, and where it goes is decided */
    bool loopback;              /* client and listener are on loopback */

    struct sotto_buf open_head, open_body; /* kept only while PARKED, ASKING or in WORKER */
    struct sotto_call call;
    struct sotto_masking_options masking_options;
    struct sotto_masking *masking;
    struct sotto_detect_job *job; /* lent from the room while masking */
    struct sotto_vault *vault;    /* NULL: nothing was masked */
    yyjson_mut_doc *explanation;
    enum sotto_presidio_route presidio_route;
    struct sotto_presidio *presidio; /* NULL: not a request of Presidio's API */
    struct sotto_buf request;        /* for the upstream */

    enum sotto_err verdict; /* of preparing: SOTTO_OK, or why not */
    enum sotto_refusal refusal;
    struct sotto_problem problem;

    int upstream_status;
    struct sotto_buf pass;   /* header lines of the upstream that are passed on */
    struct sotto_buf answer; /* body of a whole answer or an error */
    struct sotto_restoring *restoring;
    struct sotto_provider_stream *reader;
    struct sotto_sse sse;
    struct sotto_buf out; /* what is written for the client in this call */
    char answer_id[64];
    struct sotto_answer_facts facts;
    size_t catalog_at; /* the next upstream to ask for its models */
    int finished_choices;
    bool complied;  /* the object `compliance` went out */
    bool explained; /* the extra objects went out */
    bool head_sent;
    bool paused;

    bool of_log; /* gateway/room_log.h serves it */
    int log_status;
    const char *log_type;
    bool unaudited; /* refused because the audit log cannot be written */
    bool held;      /* the last message to front waits for the audit log */
    uint32_t held_flags;
    int64_t held_status;
    struct sotto_buf held_head, held_body;

    struct sotto_record record;
    int64_t turn_us; /* since when time is not booked yet */
    int64_t last_sent_ms;
    struct room_stream *next, **link; /* in one of the room's lists */
    struct room_list *list;
};

/** Streams in the order in which they came; zero-initialised is empty and valid. */
struct room_list {
    struct room_stream *first;
    struct room_stream **end; /* where the next one goes; NULL: at `first` */
};

struct room_catalog; /* gateway/room_catalog.h */

struct sotto_room {
    struct sotto_room_options options;
    struct sotto_keeper *keeper; /* NULL: nothing is kept */
    struct sotto_setup *setup;
    struct sotto_key_table *table; /* this thread's handle */
    struct sotto_tenants *tenants;
    struct sotto_streams streams;
    struct room_list masking;
    struct room_list parked;
    struct room_list unkept;
    struct room_list silent;          /* streams that may need a comment */
    struct sotto_detect_job *jobs[8]; /* idle jobs of `jobs_of` */
    size_t job_count;
    const struct sotto_detector *jobs_of;
    struct room_list listing;      /* streams that wait for an upstream's list of models */
    struct room_catalog *catalogs; /* as many as `setup` has upstreams; NULL: nothing known */
    struct sotto_buf lines;        /* scratch for header lines */
    atomic_bool ending;
};

/* room.c */

/** Puts a stream at the end of a list, out of the one it was in. */
void room_list_add(struct room_list *list, struct room_stream *s);
void room_list_remove(struct room_stream *s);

/** Ends a request: books it, logs it, forgets it.  `s` may be gone after the outermost call. */
void room_finish(struct room_stream *s, enum sotto_outcome outcome);

/** The entry of a request that ended is on disk, or `err` says why not. */
void room_committed(struct room_stream *s, enum sotto_err err);

/**
 * Every call that works on a stream stands between these two: what it takes is booked, and a stream
 * that ended on the way is freed by the outermost one.
 */
void room_enter(struct room_stream *s);
void room_leave(struct room_stream *s);

/** Goes on with a request that waited, from what was kept of it. */
void room_go_on(struct room_stream *s);

/** Books the time since the call began as the gateway's own. */
void room_book_time(struct room_stream *s);

/** Lends a detection job of the stream's setup.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err room_job_take(struct room_stream *s);
void room_job_give(struct room_stream *s);

/* room_admit.c */

/**
 * Route, key, scope of the dialect.
 *
 * @retval SOTTO_OK      go on
 * @retval SOTTO_ESTATE  the keys have changed, or there is something to ask: wait
 * @retval others        `s->refusal` and `s->problem` say why
 */
SOTTO_MUST_CHECK enum sotto_err room_admit(struct room_stream *s,
                                           const struct sotto_http_head *head, sotto_span body);

/** Takes one request of the key's limits.  Errors as room_admit(). */
SOTTO_MUST_CHECK enum sotto_err room_take(struct room_stream *s);

/**
 * Reserves what the request may need.  Uses the stream alone, in any thread.  Errors as
 * room_admit().
 */
SOTTO_MUST_CHECK enum sotto_err room_reserve(struct room_stream *s);

/* room_use.c */

/** What the request may need, by its document. */
void room_foresee(struct room_stream *s, struct sotto_limit_ask *ask);

/** Takes the provider's count; a later one takes the place of an earlier one. */
void room_note_usage(struct room_stream *s, yyjson_mut_val *usage);

/** Counts the text of choices, for the case that no usage comes. */
void room_note_text(struct room_stream *s, yyjson_mut_val *choices);

/** Books what was used, exactly once: what was reserved is empty afterwards. */
void room_settle(struct room_stream *s);

/* room_prepare.c: uses the stream alone, in any thread */

/** Reads the request, decides mode and upstream, begins masking.  Errors as room_admit(). */
SOTTO_MUST_CHECK enum sotto_err room_read(struct room_stream *s, const struct sotto_http_head *head,
                                          sotto_span body);

/** Whether there is text to go over: to be masked, or analyzed for Presidio's API. */
bool room_has_text(const struct room_stream *s);

/** One step over that text.  Errors as room_admit(). */
SOTTO_MUST_CHECK enum sotto_err room_mask(struct room_stream *s, size_t budget, bool *done);

/** Writes the request for the upstream.  Errors as room_admit(). */
SOTTO_MUST_CHECK enum sotto_err room_build(struct room_stream *s);

/* room_reply.c */

/** Answers with `s->refusal` and `s->problem`, made from `err` where they are empty; finishes. */
void room_refuse(struct room_stream *s, enum sotto_err err);

/**
 * Sends status, header lines and a body; `flags` as in the REPLY message.
 *
 * @param type  Content-Type; NULL: it is among the header lines already
 */
void room_reply(struct room_stream *s, int status, const char *type, sotto_span body,
                uint32_t flags);

/** Says that a stream still runs: its head, where that is due, or a comment. */
void room_reply_idle(struct room_stream *s);

/** Sends a piece of a stream, and its head before the first one. */
void room_reply_more(struct room_stream *s, sotto_span body, uint32_t flags);

/** Writes an error into the stream, or as the whole answer, and finishes. */
void room_fail(struct room_stream *s, enum sotto_outcome outcome,
               const yyjson_mut_doc *upstream_error);

/* room_seal.c */

/**
 * Whether the request is sealed, or one by which a secret is exchanged: sets the dialect and
 * `s->seal`.  Errors as room_admit().
 */
SOTTO_MUST_CHECK enum sotto_err room_seal_find(struct room_stream *s,
                                               const struct sotto_http_head *head, sotto_span body);

/** The id of the API key that exchanged the secret of this request; empty: there is none. */
sotto_span room_seal_owner(const struct room_stream *s);

/** Fills `s->problem` with the one refusal for whatever is wrong with a seal.  SOTTO_EAUTH. */
SOTTO_MUST_CHECK enum sotto_err room_seal_refuse(struct room_stream *s);

/** Opens the request, once, into `s->seal.plain`.  Errors as room_admit(). */
SOTTO_MUST_CHECK enum sotto_err room_seal_open(struct room_stream *s,
                                               const struct sotto_http_head *head, sotto_span body);

/** As if the request had not been opened: what answers it is not sealed. */
void room_seal_unopen(struct room_stream *s);

/** Under whose name the sessions of the request's profile are kept. */
const struct sotto_seal_profile *room_seal_keeper(const struct room_stream *s);

/** Checks what the client bound the request to, and asked its seal for.  Errors as room_admit(). */
SOTTO_MUST_CHECK enum sotto_err room_seal_check(struct room_stream *s);

/** Answers a route of a profile into `s->seal.reply`; in any thread.  Errors as room_admit(). */
SOTTO_MUST_CHECK enum sotto_err
room_seal_answer(struct room_stream *s, const struct sotto_http_head *head, sotto_span body);

/** Sends that answer; finishes. */
void room_seal_send(struct room_stream *s);

/**
 * Appends an error to `s->out`, sealed where the request was opened.
 *
 * @param[out] type  its Content-Type; NULL: it is among `s->pass`
 */
SOTTO_MUST_CHECK enum sotto_err room_seal_error(struct room_stream *s,
                                                const yyjson_mut_doc *upstream, bool in_stream,
                                                const char **type);

/** Puts `encryption` into an answer, once.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err room_seal_extra(struct room_stream *s, yyjson_mut_doc *doc);

/** Gives back what the request holds of it. */
void room_seal_free(struct room_stream *s);

/** Sends a refusal past the audit log: `s->refusal` and `s->problem` say what. */
void room_fail_unheld(struct room_stream *s);

/* room_audit.c */

/** Whether the audit log can be written; if not, the refusal is prepared. */
bool room_audit_ready(struct room_stream *s);

/** Keeps a message that ends an answer until its entry is on disk; false: send it now. */
bool room_audit_hold(struct room_stream *s, const struct sotto_door_msg *msg);

/** Makes the entry of a request that ended.  True: room_committed() will be called. */
bool room_audit(struct room_stream *s);

/** Sends what was held back, or a refusal where there is no entry. */
void room_audit_release(struct room_stream *s, enum sotto_err err);

/* room_keep.c */

/** Whether the pair of the request's suite is still being made and may be waited for. */
bool room_keep_waits(struct room_stream *s);

/**
 * Seals what waits for the upstream: scope `gateway`.  Errors as room_admit().
 */
SOTTO_MUST_CHECK enum sotto_err room_keep(struct room_stream *s);

/**
 * Opens it again, once; to be called before anything is restored.
 *
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO, SOTTO_EAUTH, SOTTO_EFORMAT
 */
SOTTO_MUST_CHECK enum sotto_err room_recall(struct room_stream *s);

/** Puts `encryption` into an answer to a request that came in the clear, once.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err room_keep_extra(struct room_stream *s, yyjson_mut_doc *doc);

/* room_models.c */

/** Answers the list of models or one model; finishes. */
void room_models(struct room_stream *s);

/* room_answer.c */

/** Sends the prepared request off: to the back, or to the mirror. */
void room_dispatch(struct room_stream *s);

/** Takes a piece of the upstream's answer. */
void room_answer(struct room_stream *s, const struct sotto_door_msg *msg);

/** The upstream's answer ended early. */
void room_answer_cut(struct room_stream *s, enum sotto_err why);

#endif
