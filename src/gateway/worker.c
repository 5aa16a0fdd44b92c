/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/worker.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "gateway/back.h"
#include "gateway/doorway.h"
#include "gateway/front.h"
#include "gateway/room.h"
#include "sys/channel.h"
#include "sys/log.h"

#define WORKER_TICK_MS 1000
/* Longest body that comes through the front's door; the configuration's limit is below. */
#define WORKER_BODY_MAX ((size_t)1 << 30)

/* A command from another thread; freed where it is carried out. */
struct worker_order {
    struct sotto_task task;
    struct sotto_worker *worker;
    struct sotto_setup *setup; /* a reference; NULL: drain */
};

struct worker_job {
    struct sotto_side_work work;
    struct sotto_room_job *job;
};

struct sotto_worker {
    struct sotto_worker_shared shared;
    struct sotto_loop *loop;
    struct sotto_front *front; /* NULL: a process, like the back */
    struct sotto_back *back;
    struct sotto_doorway *front_link, *back_link; /* NULL: function calls */
    struct sotto_fleet *fleet;                    /* NULL: alone */
    struct sotto_room *room;
    struct sotto_metrics *metrics;
    struct sotto_timer tick;
    struct sotto_task turn;
    struct sotto_task flush;
    struct sotto_task hand_over;
    struct sotto_trail_ticket *tickets, **last_ticket; /* of this round */
    struct sotto_side_work keys_work;
    bool keys_asked;
    pthread_t thread;
    bool started;
    bool closing; /* the side threads are gone */
    atomic_bool ended;
};

/* --- what the room asks for -------------------------------------------------------------------- */

static void run_turn(struct sotto_task *task)
{
    struct sotto_worker *w = SOTTO_CONTAINER(task, struct sotto_worker, turn);
    sotto_room_turn(w->room);
}

static void later(void *ctx)
{
    struct sotto_worker *w = ctx;
    sotto_loop_defer(w->loop, &w->turn, run_turn);
}

static void job_run(struct sotto_side_work *work)
{
    sotto_room_job_run(SOTTO_CONTAINER(work, struct worker_job, work)->job);
}

static void job_done(struct sotto_side_work *work)
{
    struct worker_job *j = SOTTO_CONTAINER(work, struct worker_job, work);
    struct sotto_room_job *job = j->job;
    sotto_free(j);
    sotto_room_job_done(job);
}

static void work(void *ctx, struct sotto_room_job *job)
{
    struct sotto_worker *w = ctx;
    struct worker_job *j = sotto_calloc(1, sizeof(*j));
    if (j == NULL) { /* late rather than never: this thread does it */
        sotto_room_job_run(job);
        sotto_room_job_done(job);
        return;
    }
    j->job = job;
    j->work = (struct sotto_side_work){.run = job_run, .done = job_done, .loop = w->loop};
    sotto_side_put(w->shared.heavy, &j->work);
}

static void keys_run(struct sotto_side_work *task)
{
    struct sotto_worker *w = SOTTO_CONTAINER(task, struct sotto_worker, keys_work);
    w->shared.read_keys(w->shared.ctx);
}

static void keys_done(struct sotto_side_work *task)
{
    struct sotto_worker *w = SOTTO_CONTAINER(task, struct sotto_worker, keys_work);
    w->keys_asked = false;
    if (!w->closing) {
        sotto_room_keys_ready(w->room);
    }
}

static void reload_keys(void *ctx)
{
    struct sotto_worker *w = ctx;
    if (!w->keys_asked) {
        w->keys_asked = true;
        w->keys_work =
            (struct sotto_side_work){.run = keys_run, .done = keys_done, .loop = w->loop};
        sotto_side_put(w->shared.side, &w->keys_work);
    }
}

static void run_flush(struct sotto_task *task)
{
    (void)task;
    sotto_log_flush();
}

static void logged(void *ctx)
{
    struct sotto_worker *w = ctx;
    sotto_loop_defer(w->loop, &w->flush, run_flush);
}

static void hand_over(struct sotto_worker *w)
{
    struct sotto_trail_ticket *tickets = w->tickets;
    w->tickets = NULL;
    w->last_ticket = &w->tickets;
    if (tickets != NULL) {
        sotto_trail_put(w->shared.trail, tickets);
    }
}

static void run_hand_over(struct sotto_task *task)
{
    hand_over(SOTTO_CONTAINER(task, struct sotto_worker, hand_over));
}

/* Entries of one round go together: waking another thread costs more than an entry. */
static void commit(void *ctx, struct sotto_trail_ticket *ticket)
{
    struct sotto_worker *w = ctx;
    ticket->loop = w->loop;
    *w->last_ticket = ticket;
    w->last_ticket = &ticket->next;
    if (atomic_load(&w->ended)) { /* there are no rounds any more */
        hand_over(w);
    } else {
        sotto_loop_defer(w->loop, &w->hand_over, run_hand_over);
    }
}

static uint64_t key_generation(void *ctx)
{
    struct sotto_worker *w = ctx;
    return w->shared.key_generation(w->shared.ctx);
}

static bool keys_trusted(void *ctx)
{
    struct sotto_worker *w = ctx;
    return w->shared.keys_trusted(w->shared.ctx);
}

static void on_tick(struct sotto_timer *timer)
{
    struct sotto_worker *w = SOTTO_CONTAINER(timer, struct sotto_worker, tick);
    sotto_room_tick(w->room);
    sotto_timer_arm(timer, WORKER_TICK_MS);
}

/* --- making and running ------------------------------------------------------------------------ */

/* The front's limits, and a list of upstreams for the back. */
static enum sotto_err use_setup(struct sotto_worker *w, struct sotto_setup *setup)
{
    struct sotto_back_setup *upstreams;
    enum sotto_err err = sotto_back_setup_of(setup->config, setup->number, &upstreams);
    if (err != SOTTO_OK) {
        return err;
    }
    if (w->back != NULL) {
        err = sotto_back_use(w->back, upstreams);
        if (err != SOTTO_OK) {
            sotto_free(upstreams);
        }
        return err;
    }
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_SETUP,
                                 .body = sotto_back_setup_span(upstreams)};
    sotto_doorway_put(w->back_link, &msg);
    sotto_free(upstreams);
    return SOTTO_OK;
}

static void drained(void *ctx)
{
    struct sotto_worker *w = ctx;
    sotto_loop_stop(w->loop);
}

/* --- doors ------------------------------------------------------------------------------------- */

static void from_front(void *ctx, const struct sotto_door_msg *msg)
{
    struct sotto_worker *w = ctx;
    sotto_room_from_front(w->room, msg);
}

static void from_back(void *ctx, const struct sotto_door_msg *msg)
{
    struct sotto_worker *w = ctx;
    sotto_room_from_back(w->room, msg);
}

/* What makes messages for a full door waits: answers for the front, requests for the back. */
static void front_full(void *ctx, bool full)
{
    struct sotto_worker *w = ctx;
    sotto_doorway_hold(w->back_link, full);
}

static void back_full(void *ctx, bool full)
{
    struct sotto_worker *w = ctx;
    sotto_doorway_hold(w->front_link, full);
}

static void log_broken(const char *room)
{
    SOTTO_LOG(SOTTO_LOG_ERROR, "door_broken", SOTTO_LOG_ID("room", room),
              SOTTO_LOG_TEXT("why", "what it wrote is nothing that this room may say"));
}

/* Without clients there is nothing to do: after a drain, or because the front died. */
static void front_closed(void *ctx, bool broken)
{
    struct sotto_worker *w = ctx;
    if (broken) {
        log_broken("front");
    }
    sotto_loop_stop(w->loop);
}

static void back_closed(void *ctx, bool broken)
{
    struct sotto_worker *w = ctx;
    if (broken) {
        log_broken("back");
    }
    sotto_room_back_lost(w->room);
}

static const struct sotto_doorway_handler front_handler = {from_front, front_full, front_closed};
static const struct sotto_doorway_handler back_handler = {from_back, back_full, back_closed};

/* Takes over both descriptors. */
static enum sotto_err make_links(struct sotto_worker *w, int front_door, int back_door)
{
    struct sotto_door_rules front = sotto_door_rules_front(WORKER_BODY_MAX);
    struct sotto_door_rules back = sotto_door_rules_back();
    enum sotto_err err =
        sotto_doorway_new(w->loop, front_door, &front, &front_handler, w, &w->front_link);
    if (err != SOTTO_OK) {
        sotto_channel_close(front_door);
        sotto_channel_close(back_door);
        return err;
    }
    err = sotto_doorway_new(w->loop, back_door, &back, &back_handler, w, &w->back_link);
    if (err != SOTTO_OK) {
        sotto_channel_close(back_door);
    }
    return err;
}

static enum sotto_err make_sides(struct sotto_worker *w)
{
    const struct sotto_worker_shared *shared = &w->shared;
    struct sotto_front_setup setup;
    enum sotto_err err = sotto_front_setup_of(shared->setup->config, &setup);
    if (err == SOTTO_OK) {
        err = sotto_front_new(w->loop, &setup.limits, &w->front);
    }
    if (err == SOTTO_OK) {
        err = sotto_back_new(w->loop, shared->resolver, shared->upstream_tls, &w->back);
    }
    return err;
}

/* The rooms and their doors: here, and only here, a door is a function call or a socket. */
static enum sotto_err make_rooms(struct sotto_worker *w, int front_door, int back_door)
{
    const struct sotto_worker_shared *shared = &w->shared;
    enum sotto_err err = shared->separate ? make_links(w, front_door, back_door) : make_sides(w);
    if (err == SOTTO_OK) {
        err = use_setup(w, shared->setup);
    }
    if (err == SOTTO_OK && shared->fleet != NULL) {
        err = sotto_fleet_new(w->loop, shared->fleet, &w->fleet);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    struct sotto_room_options options = {
        .front = {sotto_front_from_vault, w->front},
        .back = {sotto_back_from_vault, w->back},
        .host = {w, later, work, reload_keys, logged, commit, key_generation, keys_trusted},
        .trail = shared->trail,
        .keys = shared->keys,
        .metrics = w->metrics,
        .setup = shared->setup,
        .master = shared->master,
        .seal = shared->seal,
        .fleet = w->fleet,
    };
    if (shared->separate) {
        options.front = (struct sotto_door){sotto_doorway_put, w->front_link};
        options.back = (struct sotto_door){sotto_doorway_put, w->back_link};
    }
    err = sotto_room_new(&options, &w->room);
    if (err == SOTTO_OK && !shared->separate) {
        sotto_front_connect(w->front, (struct sotto_door){sotto_room_from_front, w->room});
        sotto_back_connect(w->back, (struct sotto_door){sotto_room_from_back, w->room});
        sotto_front_on_drained(w->front, drained, w);
    }
    return err;
}

enum sotto_err sotto_worker_new(const struct sotto_worker_shared *shared, int front_door,
                                int back_door, struct sotto_worker **out)
{
    enum sotto_err err = SOTTO_ENOMEM;
    struct sotto_worker *w = sotto_calloc(1, sizeof(*w));
    if (w != NULL) {
        w->shared = *shared;
        w->last_ticket = &w->tickets;
        err = sotto_loop_new(&w->loop);
    }
    if (err == SOTTO_OK) {
        err = sotto_metrics_new(&w->metrics);
    }
    if (err != SOTTO_OK) {
        sotto_channel_close(front_door);
        sotto_channel_close(back_door);
        sotto_worker_free(w);
        return err;
    }
    err = make_rooms(w, front_door, back_door);
    if (err == SOTTO_OK) {
        err = sotto_timer_open(w->loop, &w->tick, on_tick);
    }
    if (err != SOTTO_OK) {
        sotto_worker_free(w);
        return err;
    }
    *out = w;
    return SOTTO_OK;
}

enum sotto_err sotto_worker_listen(struct sotto_worker *w, const char *address, uint16_t port,
                                   struct sotto_tls_context *tls, uint16_t *bound_port)
{
    return sotto_server_listen(sotto_front_server(w->front), address, port, tls, 0, bound_port);
}

struct sotto_metrics *sotto_worker_metrics(const struct sotto_worker *w)
{
    return w->metrics;
}

bool sotto_worker_store_ready(const struct sotto_worker *w)
{
    return w->fleet == NULL || sotto_valkey_is_open(sotto_fleet_store(w->fleet));
}

static void *worker_main(void *arg)
{
    struct sotto_worker *w = arg;
    sotto_log_gather();
    sotto_timer_arm(&w->tick, WORKER_TICK_MS);
    sotto_ignore(sotto_loop_run(w->loop)); /* whoever joins sees `ended` in either case */
    hand_over(w);
    sotto_log_ungather();
    atomic_store(&w->ended, true);
    return NULL;
}

enum sotto_err sotto_worker_start(struct sotto_worker *w)
{
    if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
        return SOTTO_EIO;
    }
    w->started = true;
    return SOTTO_OK;
}

static void carry_out(struct sotto_task *task)
{
    struct worker_order *order = SOTTO_CONTAINER(task, struct worker_order, task);
    struct sotto_worker *w = order->worker;
    struct sotto_front_setup setup;
    if (order->setup == NULL) {
        if (w->front != NULL) {
            sotto_server_drain(sotto_front_server(w->front));
        }
    } else if (use_setup(w, order->setup) == SOTTO_OK) {
        sotto_room_use(w->room, order->setup);
        if (w->front != NULL && sotto_front_setup_of(order->setup->config, &setup) == SOTTO_OK) {
            sotto_server_set_limits(sotto_front_server(w->front), &setup.limits);
        }
    }
    sotto_setup_unref(order->setup);
    sotto_free(order);
}

static void give_order(struct sotto_worker *w, struct sotto_setup *setup)
{
    struct worker_order *order = sotto_calloc(1, sizeof(*order));
    if (order == NULL) { /* a reload is lost and can be repeated; a drain becomes an end */
        sotto_setup_unref(setup);
        if (setup == NULL) {
            sotto_loop_stop(w->loop);
        }
        return;
    }
    order->worker = w;
    order->setup = setup;
    sotto_loop_post(w->loop, &order->task, carry_out);
}

void sotto_worker_use(struct sotto_worker *w, struct sotto_setup *setup)
{
    give_order(w, setup);
}

void sotto_worker_drain(struct sotto_worker *w)
{
    give_order(w, NULL);
}

bool sotto_worker_ended(const struct sotto_worker *w)
{
    return atomic_load(&w->ended);
}

void sotto_worker_join(struct sotto_worker *w)
{
    if (w->started) {
        sotto_room_end(w->room);
        sotto_loop_stop(w->loop);
        pthread_join(w->thread, NULL);
        w->started = false;
    }
}

void sotto_worker_free(struct sotto_worker *w)
{
    if (w == NULL) {
        return;
    }
    sotto_worker_join(w);
    w->closing = true;
    if (w->room != NULL) {
        sotto_loop_settle(w->loop); /* what side threads handed back; nothing new begins */
    }
    if (w->fleet != NULL) {
        sotto_fleet_stop(w->fleet);
    }
    sotto_front_free(w->front);
    sotto_back_free(w->back);
    sotto_doorway_free(w->front_link);
    sotto_doorway_free(w->back_link);
    sotto_timer_close(&w->tick);
    if (w->loop != NULL) {
        sotto_loop_undefer(w->loop, &w->turn);
        sotto_loop_undefer(w->loop, &w->flush);
        sotto_loop_undefer(w->loop, &w->hand_over);
    }
    sotto_room_free(w->room);
    sotto_fleet_free(w->fleet);
    sotto_metrics_free(w->metrics);
    sotto_loop_free(w->loop);
    sotto_free(w);
}
