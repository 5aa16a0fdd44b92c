/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_GATEWAY_ROOM_RIG_H
#define SOTTO_TESTS_GATEWAY_ROOM_RIG_H

/*
 * The real vault room between two doors that the test plays: what comes out of it is kept, what goes
 * in is the test's to choose.  The audit log and the store of a fleet are functions of this file.
 */

#include <stdlib.h>

#include "gateway/room.h"
#include "gateway/room_stream.h"
#include "gateway/trail.h"
#include "tap/tap.h"

#define RIG_SECRET "0123456789ABCDEFGHIJKLMNOPQRSTUV"
#define RIG_KEY    "ql_000000000001_" RIG_SECRET
#define RIG_STREAM 1

#define ASK "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"
#define STREAM                                                                                     \
    "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}"

#define OK_JSON "200\r\ncontent-type: application/json\r\n\r\n"
#define OK_SSE  "200\r\ncontent-type: text/event-stream\r\n\r\n"
#define FAILS   "500\r\ncontent-type: application/json\r\n\r\n"

#define ANSWER                                                                                     \
    "{\"id\":\"x\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":["     \
    "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"good day\"},"                  \
    "\"finish_reason\":\"stop\"}]}"
#define EVENT                                                                                      \
    "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","      \
    "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"good day\"},\"finish_reason\":null}]}\n\n"

struct rig {
    struct sotto_room *room;
    struct sotto_setup *setup;
    struct sotto_key_slot *keys;
    struct sotto_limits *limits;
    struct sotto_metrics *metrics;
    struct sotto_room_job *job; /* given to a worker, not run yet */
    struct sotto_buf reply;     /* bodies that went to the front */
    int status;                 /* of the last head that went there */
    unsigned heads;             /* how many */
    unsigned ends;    /* how often the front was told that an answer is complete, or is none */
    unsigned fetched; /* requests that went to the back */
    unsigned pauses, resumes, hung_up; /* what the back was told of them */
    struct sotto_trail_ticket *ticket; /* an entry that waits for the log */
};

/* --- the audit log: always there, keeps nothing ------------------------------------------------ */

static bool rig_strict; /* whether ends of answers wait for rig_commit_done() */

bool sotto_trail_healthy(const struct sotto_trail *trail)
{
    (void)trail;
    return true;
}

bool sotto_trail_strict(const struct sotto_trail *trail)
{
    (void)trail;
    return rig_strict;
}

struct sotto_trail_ticket *sotto_trail_ticket_new(void)
{
    struct sotto_trail_ticket *ticket = calloc(1, sizeof(*ticket));
    if (ticket != NULL) {
        sotto_buf_init(&ticket->record, SOTTO_BUF_UNBOUNDED);
    }
    return ticket;
}

void sotto_trail_ticket_free(struct sotto_trail_ticket *ticket)
{
    if (ticket != NULL) {
        sotto_buf_free(&ticket->record);
        free(ticket);
    }
}

void sotto_trail_put(struct sotto_trail *trail, struct sotto_trail_ticket *tickets)
{
    (void)trail;
    sotto_trail_ticket_free(tickets);
}

void sotto_trail_count(struct sotto_trail *trail)
{
    (void)trail;
}

void sotto_trail_lost(struct sotto_trail *trail)
{
    (void)trail;
}

struct sotto_audit_log *sotto_trail_log(struct sotto_trail *trail)
{
    (void)trail;
    return NULL;
}

void sotto_trail_settle(struct sotto_trail *trail)
{
    (void)trail;
}

/* --- the store of a fleet: answers when the test says so --------------------------------------- */

static struct sotto_fleet_call *rig_call; /* NULL: nothing is asked */
static sotto_fleet_fn *rig_reply;

static enum sotto_err rig_ask(struct sotto_fleet_call *call, sotto_fleet_fn *fn)
{
    rig_call = call;
    rig_reply = fn;
    return SOTTO_OK;
}

enum sotto_err sotto_fleet_reserve(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                   sotto_fleet_fn *fn, sotto_span id,
                                   const struct sotto_key_quota *quota, int32_t month,
                                   const struct sotto_use *known, struct sotto_fleet_share *share)
{
    (void)fleet, (void)id, (void)quota, (void)month, (void)known, (void)share;
    return rig_ask(call, fn);
}

enum sotto_err sotto_fleet_extend(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                  sotto_fleet_fn *fn, const struct sotto_key_quota *quota,
                                  const struct sotto_limit_ask *need,
                                  struct sotto_fleet_share *share)
{
    (void)fleet, (void)quota, (void)need, (void)share;
    return rig_ask(call, fn);
}

void sotto_fleet_settle(struct sotto_fleet *fleet, struct sotto_fleet_share *share,
                        const struct sotto_use *used)
{
    (void)fleet, (void)share, (void)used;
}

enum sotto_err sotto_fleet_begin(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                 sotto_fleet_fn *fn, const struct sotto_session *session,
                                 int64_t life_s)
{
    (void)fleet, (void)session, (void)life_s;
    return rig_ask(call, fn);
}

enum sotto_err sotto_fleet_find(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                sotto_fleet_fn *fn, const struct sotto_seal_profile *profile,
                                const struct sotto_session_id *id, struct sotto_sessions *sessions)
{
    (void)fleet, (void)profile, (void)id, (void)sessions;
    return rig_ask(call, fn);
}

enum sotto_err sotto_fleet_once(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                sotto_fleet_fn *fn, const struct sotto_session *session,
                                sotto_span nonce)
{
    (void)fleet, (void)session, (void)nonce;
    return rig_ask(call, fn);
}

/* --- the doors --------------------------------------------------------------------------------- */

static void rig_front(void *ctx, const struct sotto_door_msg *msg)
{
    struct rig *rig = ctx;
    if (msg->kind == SOTTO_DOOR_CLOSE) {
        rig->ends++;
        return;
    }
    if (msg->kind != SOTTO_DOOR_REPLY) {
        return;
    }
    if (msg->head.len != 0) {
        rig->status = (int)msg->arg;
        rig->heads++;
    }
    if (sotto_buf_append(&rig->reply, msg->body) != SOTTO_OK) {
        abort();
    }
    rig->ends += (msg->flags & SOTTO_DOOR_LAST) != 0;
}

static void rig_back(void *ctx, const struct sotto_door_msg *msg)
{
    struct rig *rig = ctx;
    rig->fetched += msg->kind == SOTTO_DOOR_FETCH;
    rig->pauses += msg->kind == SOTTO_DOOR_PAUSE;
    rig->resumes += msg->kind == SOTTO_DOOR_RESUME;
    rig->hung_up += msg->kind == SOTTO_DOOR_CLOSE;
}

/* --- the thread -------------------------------------------------------------------------------- */

static void rig_nothing(void *ctx)
{
    (void)ctx;
}

static void rig_work(void *ctx, struct sotto_room_job *job)
{
    struct rig *rig = ctx;
    rig->job = job;
}

static void rig_commit(void *ctx, struct sotto_trail_ticket *ticket)
{
    struct rig *rig = ctx;
    rig->ticket = ticket;
}

static uint64_t rig_generation(void *ctx)
{
    (void)ctx;
    return 1;
}

static bool rig_trusted(void *ctx)
{
    (void)ctx;
    return true;
}

static void rig_key(struct rig *rig)
{
    static const struct sotto_key_quota none;
    struct sotto_key key = {.tenant = SOTTO_LIT("house"), .anonymize = true};
    struct sotto_key_text parts;
    struct sotto_key_table *table = NULL;
    memcpy(key.id, &RIG_KEY[3], sizeof(key.id));
    if (sotto_key_parse(SOTTO_LIT(RIG_KEY), &parts) != SOTTO_OK ||
        sotto_key_hash(&parts, key.hash) != SOTTO_OK ||
        sotto_limits_new(&rig->limits) != SOTTO_OK ||
        sotto_key_table_new(&key, 1, rig->limits, &none, 1, &table) != SOTTO_OK ||
        sotto_key_slot_new(table, &rig->keys) != SOTTO_OK) {
        abort();
    }
}

static const char *rig_env(void *ctx, const char *name)
{
    (void)ctx, (void)name;
    return NULL;
}

/** A room with one key and one upstream for the model "m"; `fleet`: whether it asks a store. */
static void rig_new(struct rig *rig, bool fleet)
{
    static const char yaml[] =
        "detection: {tagger: none}\n"
        "upstreams: {up: {kind: openai, url: 'http://127.0.0.1:1/v1', key: k, models: [m, 'x*']},\n"
        "            two: {kind: openai, url: 'http://127.0.0.1:1/v1', key: k, models: ['y*']}}\n";
    static const uint8_t master[SOTTO_MASTER_BYTES] = {1};
    const struct sotto_config_env env = {.get = rig_env};
    struct sotto_config_problems problems = {0};
    struct sotto_config *config = NULL;
    char why[256] = "";

    *rig = (struct rig){0};
    rig_call = NULL;
    rig_strict = false;
    sotto_buf_init(&rig->reply, SOTTO_BUF_UNBOUNDED);
    rig_key(rig);
    if (sotto_config_read(SOTTO_LIT(yaml), &env, &config, &problems) != SOTTO_OK) {
        fprintf(stderr, "%s\n", problems.count != 0 ? problems.items[0].text : "no memory");
        abort();
    }
    if (sotto_setup_new(config, &rig->setup, why) != SOTTO_OK ||
        sotto_metrics_new(&rig->metrics) != SOTTO_OK) {
        abort();
    }
    const struct sotto_room_options options = {
        .front = {.put = rig_front, .room = rig},
        .back = {.put = rig_back, .room = rig},
        .host = {.ctx = rig,
                 .later = rig_nothing,
                 .work = rig_work,
                 .reload_keys = rig_nothing,
                 .logged = rig_nothing,
                 .commit = rig_commit,
                 .key_generation = rig_generation,
                 .keys_trusted = rig_trusted},
        .keys = rig->keys,
        .metrics = rig->metrics,
        .setup = rig->setup,
        .master = master,
        .fleet = fleet ? (struct sotto_fleet *)rig : NULL, /* only handed to the functions above */
    };
    if (sotto_room_new(&options, &rig->room) != SOTTO_OK) {
        abort();
    }
}

static void rig_free(struct rig *rig)
{
    sotto_room_free(rig->room);
    sotto_setup_unref(rig->setup);
    sotto_metrics_free(rig->metrics);
    sotto_key_slot_free(rig->keys);
    sotto_limits_free(rig->limits);
    sotto_buf_free(&rig->reply);
}

/* --- messages ---------------------------------------------------------------------------------- */

static inline void rig_front_says(struct rig *rig, enum sotto_door_kind kind, const char *head,
                                  const char *body)
{
    struct sotto_door_msg msg = {.kind = kind,
                                 .stream = RIG_STREAM,
                                 .head = sotto_span_str(head),
                                 .body = sotto_span_str(body)};
    sotto_room_from_front(rig->room, &msg);
}

static void rig_open(struct rig *rig, const char *body)
{
    rig_front_says(rig, SOTTO_DOOR_OPEN,
                   "POST /v1/chat/completions\r\nauthorization: Bearer " RIG_KEY
                   "\r\ncontent-type: application/json\r\n\r\n",
                   body);
}

static inline void rig_list_models(struct rig *rig)
{
    rig_front_says(rig, SOTTO_DOOR_OPEN,
                   "GET /v1/models\r\nauthorization: Bearer " RIG_KEY "\r\n\r\n", "");
}

/** The client goes away. */
static inline void rig_leave(struct rig *rig)
{
    rig_front_says(rig, SOTTO_DOOR_CLOSE, "", "");
}

static void rig_chunk(struct rig *rig, const char *head, const char *body, uint32_t flags)
{
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_CHUNK,
                                 .flags = flags,
                                 .stream = RIG_STREAM,
                                 .head = sotto_span_str(head),
                                 .body = sotto_span_str(body)};
    sotto_room_from_back(rig->room, &msg);
}

static void rig_cut(struct rig *rig, enum sotto_err why)
{
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_CLOSE, .stream = RIG_STREAM, .arg = why};
    sotto_room_from_back(rig->room, &msg);
}

/** The store answers what was asked last. */
static void rig_answer(enum sotto_err err)
{
    struct sotto_fleet_call *call = rig_call;
    rig_call = NULL;
    rig_reply(call, err);
}

/** The entry that waits is on disk, or `err` says why not. */
static inline void rig_commit_done(struct rig *rig, enum sotto_err err)
{
    struct sotto_trail_ticket *ticket = rig->ticket;
    rig->ticket = NULL;
    ticket->result = err;
    ticket->done(ticket);
}

static bool rig_told(const struct rig *rig, const char *what)
{
    sotto_span all = sotto_buf_span(&rig->reply);
    return memmem(all.base, all.len, what, strlen(what)) != NULL;
}

#endif
