/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room_fleet.h"

#include "gateway/room_stream.h"
#include "sys/clock.h"

/* When to come again while the store is away: it is looked for several times a second. */
#define FLEET_RETRY_S 1

static struct sotto_fleet *fleet_of(const struct room_stream *s)
{
    return s->room->options.fleet;
}

bool room_fleet_knows(struct room_stream *s, enum room_ask ask)
{
    if (fleet_of(s) == NULL || (s->fleet.answered & 1U << ask) != 0) {
        return true;
    }
    s->fleet.ask = ask;
    return false;
}

void room_fleet_settle(struct room_stream *s, const struct sotto_use *used)
{
    if (fleet_of(s) != NULL) {
        sotto_fleet_settle(fleet_of(s), &s->fleet.share, used);
    }
}

void room_fleet_free(struct room_stream *s)
{
    sotto_session_unref(s->fleet.session);
    s->fleet.session = NULL;
}

/* --- answers ----------------------------------------------------------------------------------- */

/* A session that the others do not have, or have otherwise, is none. */
static void forget_begun(struct room_stream *s)
{
    if (s->fleet.ask == ROOM_ASK_SHARE && s->fleet.session != NULL) {
        sotto_sessions_drop(s->room->options.seal->sessions, s->fleet.session->profile,
                            &s->fleet.session->id);
    }
}

static void refuse_unavailable(struct room_stream *s)
{
    forget_begun(s);
    if (s->fleet.ask == ROOM_ASK_ONCE) {
        room_seal_unopen(s);
    }
    s->fleet.ask = ROOM_ASK_NOTHING;
    s->refusal = SOTTO_REFUSE_PROBLEM;
    sotto_problem_set(&s->problem, 503, "server_error", "store_unavailable", NULL,
                      "The store that the gateways of this fleet share does not answer, so limits "
                      "and sessions cannot be checked. Try again in %d s.",
                      FLEET_RETRY_S);
    s->problem.retry_after_s = FLEET_RETRY_S;
    s->problem.should_retry = 1;
    room_refuse(s, SOTTO_EIO);
}

/* The gateway's own books: what was used goes into its store of keys, without limits of its own. */
static void book_request(struct room_stream *s)
{
    static const struct sotto_key_quota unlimited;
    if (s->fleet.verdict == SOTTO_LIMIT_OK &&
        sotto_limit_reserve(s->key->usage, &unlimited, sotto_wall_ms(), &s->reservation, NULL) !=
            SOTTO_LIMIT_OK) {
        abort(); /* nothing limits it */
    }
}

static void unbook_request(struct room_stream *s)
{
    static const struct sotto_use nothing;
    if (s->fleet.verdict != SOTTO_LIMIT_OK) {
        sotto_limit_settle(&s->reservation, &nothing, sotto_wall_ms());
    }
}

/* Whether the store did answer, one way or the other. */
static bool is_answer(enum room_ask ask, enum sotto_err err)
{
    switch (ask) {
    case ROOM_ASK_SESSION:
        return err == SOTTO_OK || err == SOTTO_ENOTFOUND;
    case ROOM_ASK_ONCE:
        return err == SOTTO_OK || err == SOTTO_EAUTH || err == SOTTO_ENOTFOUND;
    case ROOM_ASK_SHARE:
        return err == SOTTO_OK || err == SOTTO_EEXISTS;
    case ROOM_ASK_NOTHING:
    case ROOM_ASK_REQUEST:
    case ROOM_ASK_NEED:
        break;
    }
    return err == SOTTO_OK;
}

/* A request that was opened before, or in a session that is gone: its sender may not even learn that
 * the seal was whole. */
static void refuse_opened(struct room_stream *s, enum sotto_err err)
{
    room_seal_unopen(s);
    if (err == SOTTO_ENOTFOUND) { /* its client has to begin another one */
        sotto_session_unref(s->seal.session);
        s->seal.session = NULL;
    }
    room_refuse(s, room_seal_refuse(s));
}

/* Takes an answer; false: the request is refused and over. */
static bool take_answer(struct room_stream *s, enum sotto_err err)
{
    enum room_ask ask = s->fleet.ask;
    if (!is_answer(ask, err)) {
        refuse_unavailable(s);
        return false;
    }
    if (ask == ROOM_ASK_REQUEST || ask == ROOM_ASK_NEED) {
        s->fleet.verdict = s->fleet.call.verdict;
        s->limit = s->fleet.call.state;
    }
    switch (ask) {
    case ROOM_ASK_REQUEST:
        book_request(s);
        break;
    case ROOM_ASK_NEED:
        unbook_request(s);
        break;
    case ROOM_ASK_ONCE:
        if (err != SOTTO_OK) {
            refuse_opened(s, err);
            return false;
        }
        break;
    case ROOM_ASK_SHARE:
        if (err == SOTTO_EEXISTS) {
            forget_begun(s);
            room_refuse(s, room_seal_refuse(s));
            return false;
        }
        break;
    case ROOM_ASK_NOTHING:
    case ROOM_ASK_SESSION:
        break;
    }
    s->fleet.answered |= 1U << ask;
    s->fleet.ask = ROOM_ASK_NOTHING;
    return true;
}

static void answered(struct sotto_fleet_call *call, enum sotto_err err)
{
    struct room_stream *s = SOTTO_CONTAINER(call, struct room_stream, fleet.call);
    enum room_ask ask = s->fleet.ask;
    room_enter(s);
    room_list_remove(s);
    s->state = ROOM_MASKING;
    if (atomic_load(&s->abandoned)) { /* what was taken is settled with its end */
        if (err != SOTTO_OK) {
            forget_begun(s);
        } else if (ask == ROOM_ASK_REQUEST || ask == ROOM_ASK_NEED) {
            (void)take_answer(s, err);
        }
        room_finish(s, SOTTO_OUTCOME_GONE);
    } else if (take_answer(s, err)) {
        if (ask == ROOM_ASK_SHARE) {
            room_seal_send(s);
        } else {
            room_go_on(s);
        }
    }
    room_leave(s);
}

/* --- questions --------------------------------------------------------------------------------- */

static enum sotto_err ask_request(struct room_stream *s)
{
    int32_t month = sotto_limit_month(sotto_wall_ms());
    const struct sotto_use known = sotto_usage_get(s->key->usage, month);
    return sotto_fleet_reserve(fleet_of(s), &s->fleet.call, answered,
                               sotto_span_init(s->key->key.id, SOTTO_KEY_ID_LEN),
                               &s->key->key.quota, month, &known, &s->fleet.share);
}

static enum sotto_err ask_share(struct room_stream *s)
{
    const struct sotto_seal_host *seal = s->room->options.seal;
    room_fleet_free(s);
    s->fleet.session = sotto_sessions_find(seal->sessions, room_seal_keeper(s),
                                           &s->seal.reply.begun, sotto_wall_s());
    return s->fleet.session != NULL ? sotto_fleet_begin(fleet_of(s), &s->fleet.call, answered,
                                                        s->fleet.session, seal->life_s)
                                    : SOTTO_ENOTFOUND;
}

void room_fleet_ask(struct room_stream *s)
{
    struct sotto_fleet *fleet = fleet_of(s);
    struct sotto_fleet_call *call = &s->fleet.call;
    enum sotto_err err = SOTTO_ESTATE;
    room_list_remove(s);
    room_job_give(s);
    switch (s->fleet.ask) {
    case ROOM_ASK_NOTHING:
        break;
    case ROOM_ASK_SESSION:
        err = sotto_fleet_find(fleet, call, answered, room_seal_keeper(s), &s->seal.id,
                               s->room->options.seal->sessions);
        break;
    case ROOM_ASK_REQUEST:
        err = ask_request(s);
        break;
    case ROOM_ASK_ONCE:
        err = sotto_fleet_once(fleet, call, answered, s->seal.session, s->seal.exchange->nonce);
        break;
    case ROOM_ASK_NEED:
        err = sotto_fleet_extend(fleet, call, answered, &s->key->key.quota, &s->fleet.need,
                                 &s->fleet.share);
        break;
    case ROOM_ASK_SHARE:
        err = ask_share(s);
        break;
    }
    if (err == SOTTO_OK) {
        s->state = ROOM_ASKING;
    } else {
        refuse_unavailable(s);
    }
}
