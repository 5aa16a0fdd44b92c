/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room.h"

#include "base/alloc.h"
#include "gateway/room_catalog.h"
#include "gateway/room_log.h"
#include "gateway/room_presidio.h"
#include "gateway/room_stream.h"
#include "http/request.h"
#include "sys/clock.h"

/* Bytes of text between two looks at the clock. */
#define ROOM_STEP_BYTES 2048
/* The same in a worker thread, between two looks at whether the end has come. */
#define ROOM_JOB_STEP_BYTES ((size_t)16 << 10)

void room_list_remove(struct room_stream *s)
{
    if (s->link == NULL) {
        return;
    }
    *s->link = s->next;
    if (s->next != NULL) {
        s->next->link = s->link;
    } else {
        s->list->end = s->link;
    }
    s->next = NULL;
    s->link = NULL;
}

void room_list_add(struct room_list *list, struct room_stream *s)
{
    room_list_remove(s);
    s->list = list;
    s->link = list->end != NULL ? list->end : &list->first;
    *s->link = s;
    list->end = &s->next;
}

static void stream_free(struct room_stream *s)
{
    room_list_remove(s);
    room_job_give(s);
    sotto_buf_free(&s->open_head);
    sotto_buf_free(&s->open_body);
    sotto_buf_free(&s->request);
    sotto_buf_free(&s->pass);
    sotto_buf_free(&s->answer);
    sotto_buf_free(&s->out);
    sotto_buf_free(&s->held_head);
    sotto_buf_free(&s->held_body);
    sotto_masking_free(s->masking);
    sotto_restoring_free(s->restoring);
    sotto_vault_free(s->vault);
    sotto_json_free(s->explanation);
    sotto_presidio_free(s->presidio);
    if (s->reader != NULL) {
        s->upstream->provider->stream_free(s->reader);
    }
    sotto_sse_free(&s->sse);
    sotto_call_free(&s->call);
    room_seal_free(s);
    room_fleet_free(s);
    sotto_kept_free(&s->keep.kept);
    sotto_key_table_unref(s->table);
    sotto_setup_unref(s->setup);
    sotto_free(s);
}

void room_book_time(struct room_stream *s)
{
    int64_t now = sotto_clock_us();
    s->record.own_us += now - s->turn_us;
    s->turn_us = now;
}

void room_enter(struct room_stream *s)
{
    if (s->entered++ == 0) {
        s->turn_us = sotto_clock_us();
    }
}

void room_leave(struct room_stream *s)
{
    if (--s->entered == 0 && s->state != ROOM_WORKER && s->state != ROOM_OVER) {
        room_book_time(s);
    }
    if (s->entered == 0 && s->state == ROOM_OVER) {
        stream_free(s);
    }
}

static struct room_stream *stream_new(struct sotto_room *room, const struct sotto_door_msg *msg)
{
    struct room_stream *s = sotto_calloc(1, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    s->room = room;
    s->id = msg->stream;
    s->entered = 1;
    s->loopback = (msg->flags & SOTTO_DOOR_LOOPBACK) != 0;
    s->setup = sotto_setup_ref(room->setup);
    sotto_call_init(&s->call);
    sotto_sse_init(&s->sse, room->setup->config->limits.event_bytes);
    sotto_buf_init(&s->open_head, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s->open_body, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s->request, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s->pass, SOTTO_HTTP_HEAD_MAX);
    sotto_buf_init(&s->answer, room->setup->config->limits.answer_bytes);
    sotto_buf_init(&s->out, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s->held_head, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s->held_body, SOTTO_BUF_UNBOUNDED);
    if (sotto_record_init(&s->record) != SOTTO_OK ||
        sotto_streams_put(&room->streams, s->id, s) != SOTTO_OK) {
        s->state = ROOM_OVER;
        room_leave(s);
        return NULL;
    }
    sotto_metrics_begin(room->options.metrics);
    s->turn_us = s->record.opened_us = sotto_clock_us();
    s->record.first_byte_us = s->record.opened_us - msg->arg;
    s->record.request_bytes = (int64_t)(msg->head.len + msg->body.len);
    return s;
}

/* Everything is done: the request is logged and forgotten. */
static void end(struct room_stream *s)
{
    struct sotto_room *room = s->room;
    s->state = ROOM_OVER;
    s->record.done_us = sotto_clock_us();
    sotto_metrics_end(room->options.metrics, &s->record);
    sotto_record_log(&s->record);
    room->options.host.logged(room->options.host.ctx);
    sotto_streams_drop(&room->streams, s->id);
    if (s->entered == 0) {
        stream_free(s);
    }
}

void room_committed(struct room_stream *s, enum sotto_err err)
{
    room_enter(s);
    room_audit_release(s, err);
    end(s);
    room_leave(s);
}

void room_finish(struct room_stream *s, enum sotto_outcome outcome)
{
    struct sotto_room *room = s->room;
    if (s->state >= ROOM_COMMITTING) {
        return;
    }
    if (s->state == ROOM_WORKER || s->state == ROOM_ASKING) { /* whoever has it ends it */
        atomic_store(&s->abandoned, true);
        sotto_streams_drop(&room->streams, s->id);
        return;
    }
    s->state = ROOM_COMMITTING;
    room_list_remove(s);
    s->record.outcome = outcome;
    room_book_time(s);
    s->record.done_us = s->turn_us;
    room_settle(s);
    if (!room_audit(s)) {
        end(s);
    }
}

enum sotto_err room_job_take(struct room_stream *s)
{
    struct sotto_room *room = s->room;
    if (room->jobs_of == s->setup->detector && room->job_count != 0) {
        s->job = room->jobs[--room->job_count];
        return SOTTO_OK;
    }
    return sotto_detect_job_new(s->setup->detector, &s->job);
}

void room_job_give(struct room_stream *s)
{
    struct sotto_room *room = s->room;
    if (s->job == NULL) {
        return;
    }
    if (room->jobs_of == s->setup->detector && room->job_count < SOTTO_COUNT(room->jobs)) {
        sotto_detect_forget(s->job);
        room->jobs[room->job_count++] = s->job;
    } else {
        sotto_detect_job_free(s->job);
    }
    s->job = NULL;
}

static void drop_jobs(struct sotto_room *room)
{
    while (room->job_count != 0) {
        sotto_detect_job_free(room->jobs[--room->job_count]);
    }
}

/* The request is masked, or there is a reason why not. */
static void prepared(struct room_stream *s, enum sotto_err err)
{
    room_list_remove(s);
    room_job_give(s);
    if (err != SOTTO_OK) {
        room_refuse(s, err);
    } else if (s->presidio != NULL) {
        room_presidio(s);
    } else if (s->of_log) {
        room_log(s);
    } else if (s->seal.reply.begun.len != 0 && !room_fleet_knows(s, ROOM_ASK_SHARE)) {
        room_fleet_ask(s);
    } else if (s->seal.route != NULL) {
        room_seal_send(s);
    } else if (s->call.kind == SOTTO_CALL_MODELS || s->call.kind == SOTTO_CALL_MODEL) {
        room_models(s);
    } else {
        room_dispatch(s);
    }
}

/* Masks for one turn; then others get theirs. */
static void mask_turn(struct room_stream *s)
{
    int64_t begun = sotto_clock_us();
    enum sotto_err err = SOTTO_OK;
    bool done = !room_has_text(s);

    while (err == SOTTO_OK && !done && sotto_clock_us() - begun < SOTTO_ROOM_TURN_US) {
        err = room_mask(s, ROOM_STEP_BYTES, &done);
    }
    if (err == SOTTO_OK && done) {
        err = room_build(s);
    }
    if (err == SOTTO_OK && !done) {
        s->state = ROOM_MASKING;
        room_list_add(&s->room->masking, s);
        s->room->options.host.later(s->room->options.host.ctx);
        return;
    }
    prepared(s, err);
}

static enum sotto_err keep_open(struct room_stream *s, sotto_span head, sotto_span body)
{
    enum sotto_err err = sotto_buf_append(&s->open_head, head);
    return err == SOTTO_OK ? sotto_buf_append(&s->open_body, body) : err;
}

/* Large requests take milliseconds to parse alone: not on the loop's thread. */
static void hand_to_worker(struct room_stream *s, sotto_span head, sotto_span body)
{
    enum sotto_err err = SOTTO_OK;
    if (s->open_head.len == 0) {
        err = keep_open(s, head, body);
    }
    if (err != SOTTO_OK) {
        prepared(s, err);
        return;
    }
    s->state = ROOM_WORKER;
    s->room->options.host.work(s->room->options.host.ctx, (struct sotto_room_job *)s);
}

/* Until the newest keys are there, or the fleet has answered. */
static void park(struct room_stream *s, sotto_span block, sotto_span body)
{
    if (s->open_head.len == 0 && keep_open(s, block, body) != SOTTO_OK) {
        if (s->fleet.ask == ROOM_ASK_ONCE) {
            room_seal_unopen(s); /* perhaps it was opened before: nobody has said yet */
        }
        prepared(s, SOTTO_ENOMEM);
    } else if (s->fleet.ask != ROOM_ASK_NOTHING) {
        room_fleet_ask(s);
    } else {
        s->state = ROOM_PARKED;
        room_list_add(&s->room->parked, s);
        s->room->options.host.reload_keys(s->room->options.host.ctx);
    }
}

/* Who may go on: once for each request. */
static enum sotto_err admit(struct room_stream *s, const struct sotto_http_head *head,
                            sotto_span body)
{
    enum sotto_err err = s->admitted ? SOTTO_OK : room_admit(s, head, body);
    s->admitted = err == SOTTO_OK;
    return err == SOTTO_OK && s->key != NULL ? room_take(s) : err;
}

static void open_request(struct room_stream *s, sotto_span block, sotto_span body)
{
    SOTTO_UNINIT struct sotto_http_head head;
    enum sotto_err err = sotto_http_head_index(block, true, &head);
    if (err == SOTTO_OK) {
        err = admit(s, &head, body);
    }
    if (err == SOTTO_ESTATE) {
        park(s, block, body);
        return;
    }
    if (err == SOTTO_OK && (body.len > SOTTO_ROOM_INLINE_BYTES || s->seal.route != NULL ||
                            s->of_log || room_presidio_is_heavy(s, body))) {
        hand_to_worker(s, block, body);
        return;
    }
    if (err == SOTTO_OK) {
        err = room_job_take(s);
    }
    if (err == SOTTO_OK) {
        err = room_read(s, &head, body);
    }
    if (err == SOTTO_ESTATE && s->fleet.ask != ROOM_ASK_NOTHING) {
        park(s, block, body);
    } else if (err != SOTTO_OK) {
        prepared(s, err);
    } else {
        mask_turn(s);
    }
}

void room_go_on(struct room_stream *s)
{
    open_request(s, sotto_buf_span(&s->open_head), sotto_buf_span(&s->open_body));
    if (s->state != ROOM_PARKED && s->state != ROOM_ASKING && s->state != ROOM_WORKER) {
        sotto_buf_free(&s->open_head);
        sotto_buf_free(&s->open_body);
    }
}

/* What a worker does for a request that nobody waits for keeps it from the others. */
static bool is_given_up(struct room_stream *s)
{
    return atomic_load(&s->abandoned) || atomic_load(&s->room->ending);
}

/* Reads a request and masks it whole. */
static enum sotto_err prepare(struct room_stream *s, const struct sotto_http_head *head,
                              sotto_span body)
{
    bool done = false;
    enum sotto_err err = sotto_detect_job_new(s->setup->detector, &s->job);
    if (err == SOTTO_OK) {
        err = room_read(s, head, body);
    }
    while (err == SOTTO_OK && room_has_text(s) && !done) {
        err = is_given_up(s) ? SOTTO_ECLOSED : room_mask(s, ROOM_JOB_STEP_BYTES, &done);
    }
    return err == SOTTO_OK ? room_build(s) : err;
}

/* Whether a worker's part ended with a question. */
static bool asks(const struct room_stream *s)
{
    return s->verdict == SOTTO_ESTATE && s->fleet.ask != ROOM_ASK_NOTHING;
}

void sotto_room_job_run(struct sotto_room_job *job)
{
    struct room_stream *s = (struct room_stream *)job;
    struct sotto_http_head head;
    sotto_span body = sotto_buf_span(&s->open_body);
    int64_t begun = sotto_clock_us();

    s->verdict = is_given_up(s) ? SOTTO_ECLOSED
                                : sotto_http_head_index(sotto_buf_span(&s->open_head), true, &head);
    if (s->verdict == SOTTO_OK) {
        s->verdict =
            s->seal.route != NULL ? room_seal_answer(s, &head, body) : prepare(s, &head, body);
    }
    if (!asks(s)) {
        sotto_buf_free(&s->open_head);
        sotto_buf_free(&s->open_body);
    }
    s->record.own_us += sotto_clock_us() - begun;
}

void sotto_room_job_done(struct sotto_room_job *job)
{
    struct room_stream *s = (struct room_stream *)job;
    room_enter(s);
    s->state = ROOM_MASKING;
    if (atomic_load(&s->abandoned)) {
        room_job_give(s);
        room_finish(s, SOTTO_OUTCOME_GONE);
    } else if (asks(s)) {
        room_fleet_ask(s);
    } else {
        prepared(s, s->verdict);
    }
    room_leave(s);
}

static void close_front(struct room_stream *s)
{
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_CLOSE, .stream = s->id, .arg = SOTTO_ECLOSED};
    if (s->state == ROOM_COMMITTING) { /* its end comes with the entry */
        s->held = false;
        sotto_streams_drop(&s->room->streams, s->id); /* the front gives its place to another */
        return;
    }
    if (s->state >= ROOM_LISTING && s->upstream->provider != NULL) {
        sotto_door_put(&s->room->options.back, &msg);
        s->waited_in_vain = s->state == ROOM_WAITING;
    }
    room_finish(s, SOTTO_OUTCOME_GONE);
}

/* The client's buffer is full or empty again: so is the upstream held back or let go. */
static void flow(struct room_stream *s, const struct sotto_door_msg *msg)
{
    bool pause = msg->kind == SOTTO_DOOR_PAUSE;
    if (s->state >= ROOM_WAITING && s->state < ROOM_COMMITTING && s->upstream->provider != NULL &&
        s->paused != pause) {
        s->paused = pause;
        sotto_door_put(&s->room->options.back, msg);
    }
}

void sotto_room_from_front(void *ctx, const struct sotto_door_msg *msg)
{
    struct sotto_room *room = ctx;
    struct room_stream *s;
    if (msg->kind == SOTTO_DOOR_OPEN) {
        s = stream_new(room, msg);
        if (s == NULL) {
            struct sotto_door_msg gone = {
                .kind = SOTTO_DOOR_CLOSE, .stream = msg->stream, .arg = SOTTO_ENOMEM};
            sotto_door_put(&room->options.front, &gone);
            return;
        }
        open_request(s, msg->head, msg->body);
        room_leave(s);
        return;
    }
    s = sotto_streams_find(&room->streams, msg->stream);
    if (s == NULL) {
        return;
    }
    room_enter(s);
    if (msg->kind == SOTTO_DOOR_CLOSE) {
        close_front(s);
    } else {
        flow(s, msg);
    }
    room_leave(s);
}

/* A piece of an upstream's list of models, or the news that there is none. */
static void listed(struct room_stream *s, const struct sotto_door_msg *msg)
{
    bool over = msg->kind == SOTTO_DOOR_CLOSE;
    if (over) {
        room_catalog_fail(s);
    } else if (msg->kind == SOTTO_DOOR_CHUNK) {
        over = room_catalog_answer(s, msg);
    }
    if (over) {
        room_models(s);
    }
}

/* Whether the back was asked for something and has not finished: it may be in a stranger's hands and
 * say what it likes of requests that it was never given. */
static bool is_with_back(const struct room_stream *s)
{
    return s->state == ROOM_LISTING ||
           (s->state > ROOM_LISTING && s->state < ROOM_COMMITTING && s->upstream->provider != NULL);
}

void sotto_room_from_back(void *ctx, const struct sotto_door_msg *msg)
{
    struct sotto_room *room = ctx;
    struct room_stream *s = sotto_streams_find(&room->streams, msg->stream);
    if (s == NULL || !is_with_back(s)) {
        return;
    }
    room_enter(s);
    if (s->state == ROOM_LISTING) {
        listed(s, msg);
    } else if (msg->kind == SOTTO_DOOR_CHUNK) {
        room_answer(s, msg);
    } else if (msg->kind == SOTTO_DOOR_CLOSE) {
        room_answer_cut(s, (enum sotto_err)msg->arg);
    }
    room_leave(s);
}

void sotto_room_back_lost(struct sotto_room *room)
{
    for (size_t i = 0; i < room->streams.cap; i++) {
        struct sotto_door_msg msg = {.kind = SOTTO_DOOR_CLOSE,
                                     .stream = room->streams.entries[i].id,
                                     .arg = SOTTO_EUPSTREAM};
        const struct room_stream *s = room->streams.entries[i].item;
        if (msg.stream != 0 && s->state >= ROOM_LISTING) {
            sotto_room_from_back(room, &msg);
        }
    }
}

void sotto_room_turn(struct sotto_room *room)
{
    struct room_stream *s = room->masking.first; /* the one that waits longest */
    if (s == NULL) {
        return;
    }
    room_enter(s);
    room_list_remove(s);
    mask_turn(s);
    room_leave(s);
    if (room->masking.first != NULL) {
        room->options.host.later(room->options.host.ctx);
    }
}

/* Tries again to send off what waits for a key pair; who still waits goes to the end. */
static void dispatch_unkept(struct sotto_room *room)
{
    size_t count = 0;
    for (const struct room_stream *s = room->unkept.first; s != NULL; s = s->next) {
        count++;
    }
    for (struct room_stream *s; count > 0 && (s = room->unkept.first) != NULL; count--) {
        room_enter(s);
        room_list_remove(s);
        room_dispatch(s);
        room_leave(s);
    }
}

void sotto_room_tick(struct sotto_room *room)
{
    int64_t now = sotto_clock_ms();
    if (room->setup->cache != NULL) {
        sotto_cache_sweep(room->setup->cache, now);
    }
    if (room->keeper != NULL) {
        dispatch_unkept(room);
        sotto_keeper_sweep(room->keeper);
    }
    for (struct room_stream *s = room->silent.first, *next; s != NULL; s = next) {
        const struct sotto_config_limits *limits = &s->setup->config->limits;
        int64_t silence = now - s->last_sent_ms;
        next = s->next;
        room_enter(s);
        uint64_t wait = s->head_sent ? limits->heartbeat_ms : limits->head_after_ms;
        if (silence >= (int64_t)wait) {
            room_reply_idle(s);
        }
        room_leave(s);
    }
    for (struct room_stream *s = room->listing.first, *next;
         s != NULL && now - s->last_sent_ms >= ROOM_CATALOG_WAIT_MS; s = next) {
        next = s->next;
        room_enter(s);
        room_catalog_give_up(s);
        room_models(s);
        room_leave(s);
    }
}

void sotto_room_keys_ready(struct sotto_room *room)
{
    size_t count = 0; /* one that has to wait again goes to the end and is not looked at again */
    for (const struct room_stream *s = room->parked.first; s != NULL; s = s->next) {
        count++;
    }
    for (struct room_stream *s; count > 0 && (s = room->parked.first) != NULL; count--) {
        room_enter(s);
        room_list_remove(s);
        room_go_on(s);
        room_leave(s);
    }
}

void sotto_room_end(struct sotto_room *room)
{
    atomic_store(&room->ending, true);
}

void sotto_room_use(struct sotto_room *room, struct sotto_setup *setup)
{
    drop_jobs(room);
    room_catalog_clear(room);
    sotto_setup_unref(room->setup);
    room->setup = sotto_setup_ref(setup);
    room->jobs_of = setup->detector;
}

enum sotto_err sotto_room_new(const struct sotto_room_options *options, struct sotto_room **out)
{
    struct sotto_room *room = sotto_calloc(1, sizeof(*room));
    if (room == NULL) {
        return SOTTO_ENOMEM;
    }
    room->options = *options;
    sotto_buf_init(&room->lines, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_tenants_new(options->master, &room->tenants);
    if (err == SOTTO_OK && options->seal != NULL && options->seal->keyring != NULL) {
        err = sotto_keeper_new(options->seal->keyring, &room->keeper);
    }
    if (err != SOTTO_OK) {
        sotto_room_free(room);
        return err;
    }
    sotto_room_use(room, options->setup);
    room->options.setup = NULL;
    room->options.master = NULL;
    *out = room;
    return SOTTO_OK;
}

void sotto_room_free(struct sotto_room *room)
{
    if (room == NULL) {
        return;
    }
    for (size_t i = 0; i < room->streams.cap; i++) {
        struct room_stream *s = room->streams.entries[i].item;
        if (room->streams.entries[i].id != 0 && s->state != ROOM_WORKER) {
            s->waited_in_vain = s->state == ROOM_WAITING;
            room_settle(s); /* what was used until the end counts */
            stream_free(s);
        }
    }
    drop_jobs(room);
    room_catalog_clear(room);
    sotto_streams_free(&room->streams);
    sotto_keeper_free(room->keeper);
    sotto_tenants_free(room->tenants);
    sotto_key_table_unref(room->table);
    sotto_setup_unref(room->setup);
    sotto_buf_free(&room->lines);
    sotto_free(room);
}
