/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room_fleet.h"

#include "gateway/room_stream.h"
#include "keys/limit.h"
#include "tap/tap.h"

/*
 * What the room makes of each answer of the store.  The store and the rest of the room are the
 * functions below, which write down that they were called: each answer, in each order, can be given.
 */

#define CASE(n) printf("# %s\n", n)
#define ID      "k1234567890123456789"

static char seen[200];
static enum sotto_err asked; /* what a question to the store returns */
static sotto_fleet_fn *reply;
static bool no_session;

static struct sotto_session session;
static struct sotto_seal_exchange exchange;
static struct sotto_seal_host host = {.life_s = 60};
static struct sotto_room room;
static struct sotto_limits *limits;
static struct sotto_key_row key;
static struct room_stream stream;

static void see(const char *what)
{
    size_t n = strlen(seen);
    snprintf(seen + n, sizeof(seen) - n, "%s%s", n != 0 ? " " : "", what);
}

/* --- the store -------------------------------------------------------------------------------- */

static enum sotto_err ask(const char *what, sotto_fleet_fn *fn)
{
    see(what);
    reply = fn;
    return asked;
}

enum sotto_err sotto_fleet_reserve(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                   sotto_fleet_fn *fn, sotto_span id,
                                   const struct sotto_key_quota *quota, int32_t month,
                                   const struct sotto_use *known, struct sotto_fleet_share *share)
{
    (void)fleet, (void)call, (void)quota, (void)month, (void)known, (void)share;
    OK(sotto_span_eq(id, sotto_span_init((const uint8_t *)key.key.id, SOTTO_KEY_ID_LEN)),
       "the request's key is meant");
    return ask("reserve", fn);
}

enum sotto_err sotto_fleet_extend(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                  sotto_fleet_fn *fn, const struct sotto_key_quota *quota,
                                  const struct sotto_limit_ask *need,
                                  struct sotto_fleet_share *share)
{
    (void)fleet, (void)call, (void)quota, (void)need, (void)share;
    return ask("extend", fn);
}

void sotto_fleet_settle(struct sotto_fleet *fleet, struct sotto_fleet_share *share,
                        const struct sotto_use *used)
{
    (void)fleet, (void)share, (void)used;
    see("settle");
}

enum sotto_err sotto_fleet_begin(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                 sotto_fleet_fn *fn, const struct sotto_session *begun,
                                 int64_t life_s)
{
    (void)fleet, (void)call;
    OK(begun == &session && life_s == host.life_s, "the session that was begun is shared");
    return ask("begin", fn);
}

enum sotto_err sotto_fleet_find(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                sotto_fleet_fn *fn, const struct sotto_seal_profile *profile,
                                const struct sotto_session_id *id, struct sotto_sessions *sessions)
{
    (void)fleet, (void)call, (void)profile, (void)id, (void)sessions;
    return ask("find", fn);
}

enum sotto_err sotto_fleet_once(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                sotto_fleet_fn *fn, const struct sotto_session *of,
                                sotto_span nonce)
{
    (void)fleet, (void)call, (void)of, (void)nonce;
    return ask("once", fn);
}

/* --- sessions, and the rest of the room ------------------------------------------------------- */

struct sotto_session *sotto_sessions_find(struct sotto_sessions *sessions,
                                          const struct sotto_seal_profile *profile,
                                          const struct sotto_session_id *id, int64_t now_s)
{
    (void)sessions, (void)profile, (void)id, (void)now_s;
    return no_session ? NULL : &session;
}

void sotto_sessions_drop(struct sotto_sessions *sessions, const struct sotto_seal_profile *profile,
                         const struct sotto_session_id *id)
{
    (void)sessions, (void)profile, (void)id;
    see("drop");
}

void sotto_session_unref(struct sotto_session *of)
{
    if (of != NULL) {
        see("unref");
    }
}

const struct sotto_seal_profile *room_seal_keeper(const struct room_stream *s)
{
    (void)s;
    return NULL;
}

void room_enter(struct room_stream *s)
{
    s->entered++;
}

void room_leave(struct room_stream *s)
{
    s->entered--;
}

void room_list_remove(struct room_stream *s)
{
    (void)s;
}

void room_job_give(struct room_stream *s)
{
    (void)s;
}

void room_go_on(struct room_stream *s)
{
    OK(s->state == ROOM_MASKING && s->entered == 1, "a request that goes on is at work");
    see("go_on");
}

void room_finish(struct room_stream *s, enum sotto_outcome outcome)
{
    (void)s;
    see(outcome == SOTTO_OUTCOME_GONE ? "gone" : "finish");
}

void room_refuse(struct room_stream *s, enum sotto_err err)
{
    (void)s;
    see(err == SOTTO_EAUTH ? "refuse_seal" : "refuse");
}

enum sotto_err room_seal_refuse(struct room_stream *s)
{
    (void)s;
    return SOTTO_EAUTH;
}

void room_seal_unopen(struct room_stream *s)
{
    (void)s;
    see("unopen");
}

void room_seal_send(struct room_stream *s)
{
    (void)s;
    see("send");
}

/* --- tests ------------------------------------------------------------------------------------ */

static void begin(void)
{
    if (sotto_limits_new(&limits) != SOTTO_OK) {
        abort();
    }
    memset(&stream, 0, sizeof(stream));
    memset(&key, 0, sizeof(key));
    memcpy(key.key.id, ID, SOTTO_KEY_ID_LEN);
    if (sotto_limits_usage(limits, sotto_span_init((const uint8_t *)ID, SOTTO_KEY_ID_LEN),
                           &key.usage) != SOTTO_OK) {
        abort();
    }
    room.options.fleet = (struct sotto_fleet *)&room; /* nobody looks at it */
    room.options.seal = &host;
    stream.room = &room;
    stream.key = &key;
    stream.seal.session = &session;
    stream.seal.exchange = &exchange;
    seen[0] = '\0';
    asked = SOTTO_OK;
    reply = NULL;
    no_session = false;
}

static void end(void)
{
    sotto_limits_free(limits);
}

static int64_t booked(void)
{
    return sotto_usage_get(key.usage, stream.reservation.month).requests;
}

static bool is_unavailable(void)
{
    return stream.problem.status == 503 && strcmp(stream.problem.code, "store_unavailable") == 0 &&
           stream.problem.retry_after_s == 1 && stream.problem.should_retry == 1 &&
           stream.refusal == SOTTO_REFUSE_PROBLEM && stream.fleet.ask == ROOM_ASK_NOTHING;
}

static void test_questions(void)
{
    static const struct {
        enum room_ask ask;
        const char *fine, *failed; /* what was called */
    } rows[] = {
        {ROOM_ASK_SESSION, "find", "find refuse"},
        {ROOM_ASK_REQUEST, "reserve", "reserve refuse"},
        {ROOM_ASK_ONCE, "once", "once unopen refuse"},
        {ROOM_ASK_NEED, "extend", "extend refuse"},
        {ROOM_ASK_SHARE, "begin", "begin drop refuse"},
    };
    CASE("questions");
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        begin();
        OK(!room_fleet_knows(&stream, rows[i].ask), "question %d has to be asked", rows[i].ask);
        room_fleet_ask(&stream);
        IS_TEXT(seen, strlen(seen), rows[i].fine, "it is");
        OK(stream.state == ROOM_ASKING && reply != NULL, "and the request waits");
        end();
        begin();
        asked = SOTTO_ENOMEM;
        OK(!room_fleet_knows(&stream, rows[i].ask), "where it cannot be asked");
        room_fleet_ask(&stream);
        IS_TEXT(seen, strlen(seen), rows[i].failed, "the request is refused");
        OK(is_unavailable() && stream.state != ROOM_ASKING, "as one that may come again");
        end();
    }
    begin();
    room_fleet_ask(&stream);
    OK(is_unavailable(), "no question is no way to go on");
    end();
    begin();
    no_session = true;
    OK(!room_fleet_knows(&stream, ROOM_ASK_SHARE), "a session that is gone already");
    room_fleet_ask(&stream);
    IS_TEXT(seen, strlen(seen), "refuse", "cannot be shared");
    OK(is_unavailable(), "and its client begins anew");
    end();
    begin();
    room.options.fleet = NULL;
    for (int i = ROOM_ASK_SESSION; i <= ROOM_ASK_SHARE; i++) {
        OK(room_fleet_knows(&stream, (enum room_ask)i), "alone there is nobody to ask: %d", i);
    }
    room_fleet_settle(&stream, NULL);
    IS_TEXT(seen, strlen(seen), "", "nor to tell");
    end();
}

/* An answer and what comes of it. */
struct answer {
    enum room_ask ask;
    enum sotto_err err;
    const char *then;      /* what is called */
    const char *abandoned; /* the same where the client has left */
    bool refused;          /* 503 */
};

static void give(const struct answer *a, bool abandoned)
{
    begin();
    OK(!room_fleet_knows(&stream, a->ask), "question %d", a->ask);
    room_fleet_ask(&stream);
    seen[0] = '\0';
    stream.fleet.call.verdict = SOTTO_LIMIT_OK;
    atomic_store(&stream.abandoned, abandoned);
    reply(&stream.fleet.call, a->err);
    IS_TEXT(seen, strlen(seen), abandoned ? a->abandoned : a->then, "answer %d%s", a->err,
            abandoned ? ", when nobody waits" : "");
    IS_INT(stream.entered, 0, "entered and left");
    OK(abandoned || is_unavailable() == a->refused, "refused: %d", a->refused);
}

static void test_answers(void)
{
    static const struct answer rows[] = {
        {ROOM_ASK_SESSION, SOTTO_OK, "go_on", "gone", false},
        {ROOM_ASK_SESSION, SOTTO_ENOTFOUND, "go_on", "gone", false},
        {ROOM_ASK_SESSION, SOTTO_EIO, "refuse", "gone", true},
        {ROOM_ASK_SESSION, SOTTO_EAUTH, "refuse", "gone", true},
        {ROOM_ASK_REQUEST, SOTTO_OK, "go_on", "gone", false},
        {ROOM_ASK_REQUEST, SOTTO_EIO, "refuse", "gone", true},
        {ROOM_ASK_REQUEST, SOTTO_ENOTFOUND, "refuse", "gone", true},
        {ROOM_ASK_ONCE, SOTTO_OK, "go_on", "gone", false},
        {ROOM_ASK_ONCE, SOTTO_EAUTH, "unopen refuse_seal", "gone", false},
        {ROOM_ASK_ONCE, SOTTO_ENOTFOUND, "unopen unref refuse_seal", "gone", false},
        {ROOM_ASK_ONCE, SOTTO_EIO, "unopen refuse", "gone", true},
        {ROOM_ASK_NEED, SOTTO_OK, "go_on", "gone", false},
        {ROOM_ASK_NEED, SOTTO_ENOMEM, "refuse", "gone", true},
        {ROOM_ASK_SHARE, SOTTO_OK, "send", "gone", false},
        {ROOM_ASK_SHARE, SOTTO_EEXISTS, "drop refuse_seal", "drop gone", false},
        {ROOM_ASK_SHARE, SOTTO_EIO, "drop refuse", "drop gone", true},
    };
    CASE("answers");
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        give(&rows[i], false);
        OK(strcmp(rows[i].then, "go_on") != 0 || room_fleet_knows(&stream, rows[i].ask),
           "what was answered is not asked again");
        end();
        give(&rows[i], true);
        IS_INT((int)booked(), rows[i].ask == ROOM_ASK_REQUEST && rows[i].err == SOTTO_OK ? 1 : 0,
               "what was taken is booked, to be settled with the end");
        end();
    }
}

static void test_limits(void)
{
    static const struct answer request = {ROOM_ASK_REQUEST, SOTTO_OK, "go_on", "gone", false};
    CASE("limits");
    give(&request, false);
    OK(booked() == 1 && stream.reservation.usage != NULL, "a request that may be made is booked");
    OK(!room_fleet_knows(&stream, ROOM_ASK_NEED), "then what it needs");
    room_fleet_ask(&stream);
    stream.fleet.call.verdict = SOTTO_LIMIT_TOKENS;
    stream.fleet.call.state.retry_after_s = 9;
    reply(&stream.fleet.call, SOTTO_OK);
    OK(stream.fleet.verdict == SOTTO_LIMIT_TOKENS && stream.limit.retry_after_s == 9,
       "what it may not have is told");
    OK(booked() == 0 && stream.reservation.usage == NULL, "and it was never there");
    end();
    begin();
    OK(!room_fleet_knows(&stream, ROOM_ASK_REQUEST), "a request");
    room_fleet_ask(&stream);
    stream.fleet.call.verdict = SOTTO_LIMIT_MONTH;
    reply(&stream.fleet.call, SOTTO_OK);
    OK(booked() == 0 && stream.fleet.verdict == SOTTO_LIMIT_MONTH, "that may not be made is not");
    end();
    begin();
    static const struct sotto_use used;
    room_fleet_settle(&stream, &used);
    IS_TEXT(seen, strlen(seen), "settle", "what was used is told");
    end();
}

static void test_once(void)
{
    static const struct {
        enum sotto_err answer;
        bool keeps; /* the session */
        const char *calls;
    } rows[] = {
        {SOTTO_OK, true, "go_on"},
        {SOTTO_EAUTH, true, "unopen refuse_seal"},
        {SOTTO_ENOTFOUND, false, "unopen unref refuse_seal"},
    };
    CASE("once");
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        const struct answer a = {ROOM_ASK_ONCE, rows[i].answer, rows[i].calls, "gone", false};
        give(&a, false);
        OK((stream.seal.session != NULL) == rows[i].keeps, "a session that is none is forgotten");
        end();
    }
    begin();
    stream.fleet.session = &session;
    room_fleet_free(&stream);
    room_fleet_free(&stream);
    IS_TEXT(seen, strlen(seen), "unref", "a reference is given back once");
    end();
}

int main(void)
{
    test_questions();
    test_answers();
    test_limits();
    test_once();
    return done_testing();
}
