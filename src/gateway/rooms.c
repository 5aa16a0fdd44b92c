/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/rooms.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "gateway/room_process.h"
#include "sys/channel.h"
#include "sys/child.h"
#include "sys/clock.h"

/* Longest wait for the rooms at the start, and for their end. */
#define ROOMS_READY_MS 30000
#define ROOMS_END_MS   5000

/* Of what comes to the main thread: READY and nothing else. */
#define ROOMS_KINDS (1U << SOTTO_DOOR_READY)

struct rooms_side {
    struct sotto_rooms *rooms;
    const char *name;
    struct sotto_child process;
    int *doors; /* of the workers; -1: taken */
    size_t door_count;
    int control;
    struct sotto_doorway *link;
    bool ready, lost;
    enum sotto_err verdict;
    uint8_t told[64]; /* the body of READY */
    size_t told_len;
};

struct sotto_rooms {
    struct rooms_side front, back;
    sotto_rooms_lost_fn *lost;
    void *ctx;
};

/* --- starting ---------------------------------------------------------------------------------- */

/* What a room may know of our environment: where trust is kept, and what a sanitizer is told. */
static const char *const kept_variables[] = {
    "SSL_CERT_FILE", "SSL_CERT_DIR", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TZ", "LD_BIND_NOW", NULL};

static enum sotto_err spawn(struct rooms_side *side, const struct sotto_rooms_options *options,
                            const int *fds, size_t count)
{
    char program[] = "sotto", command[] = "room", room[16], workers[16];
    char sandbox[] = "--require-sandbox", json[] = "--json-log";
    char *words[] = {program, command, room, workers, NULL, NULL, NULL};
    size_t next = 4;
    snprintf(room, sizeof(room), "%s", side->name);
    snprintf(workers, sizeof(workers), "%zu", options->workers);
    if (options->required) {
        words[next++] = sandbox;
    }
    if (options->json) {
        words[next++] = json;
    }
    const struct sotto_child_options spawned = {
        .words = words,
        .keep = kept_variables,
        .first_fd = SOTTO_ROOM_CONTROL_FD,
        .fds = fds,
        .fd_count = count,
    };
    return sotto_child_start(&spawned, &side->process);
}

static enum sotto_err start_side(struct sotto_rooms *rooms, struct rooms_side *side,
                                 const char *name, size_t doors,
                                 const struct sotto_rooms_options *options)
{
    int theirs[SOTTO_ROOM_WORKERS_MAX + 2];
    size_t count = 0;
    side->rooms = rooms;
    side->name = name;
    side->doors = sotto_calloc(doors, sizeof(int));
    if (side->doors == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = sotto_channel_open(&side->control, &theirs[0]);
    count = err == SOTTO_OK;
    for (; side->door_count < doors && err == SOTTO_OK; side->door_count++) {
        err = sotto_channel_open(&side->doors[side->door_count], &theirs[count]);
        if (err != SOTTO_OK) {
            break;
        }
        count++;
    }
    if (err == SOTTO_OK) {
        err = spawn(side, options, theirs, count);
    }
    for (size_t i = 0; i < count; i++) {
        sotto_channel_close(theirs[i]);
    }
    return err;
}

enum sotto_err sotto_rooms_start(const struct sotto_rooms_options *options,
                                 struct sotto_rooms **out)
{
    if (options->workers > SOTTO_ROOM_WORKERS_MAX) {
        return SOTTO_ELIMIT;
    }
    struct sotto_rooms *rooms = sotto_calloc(1, sizeof(*rooms));
    if (rooms == NULL) {
        return SOTTO_ENOMEM;
    }
    rooms->front.control = rooms->back.control = -1;
    enum sotto_err err = start_side(rooms, &rooms->front, "front", options->workers + 1, options);
    if (err == SOTTO_OK) {
        err = start_side(rooms, &rooms->back, "back", options->workers, options);
    }
    if (err != SOTTO_OK) {
        sotto_rooms_free(rooms);
        return err;
    }
    *out = rooms;
    return SOTTO_OK;
}

static int take(struct rooms_side *side, size_t i)
{
    int fd = side->doors[i];
    side->doors[i] = -1;
    return fd;
}

int sotto_rooms_take_front(struct sotto_rooms *rooms, size_t worker)
{
    return take(&rooms->front, worker);
}

int sotto_rooms_take_back(struct sotto_rooms *rooms, size_t worker)
{
    return take(&rooms->back, worker);
}

int sotto_rooms_take_admin(struct sotto_rooms *rooms)
{
    return take(&rooms->front, rooms->front.door_count - 1);
}

/* --- the door to their main threads ------------------------------------------------------------ */

static void on_message(void *ctx, const struct sotto_door_msg *msg)
{
    struct rooms_side *side = ctx;
    side->verdict = (enum sotto_err)msg->arg;
    side->told_len = msg->body.len; /* at most 64: a rule of the door */
    if (msg->body.len != 0) {
        memcpy(side->told, msg->body.base, msg->body.len);
    }
    side->ready = true;
}

static void on_closed(void *ctx, bool broken)
{
    struct rooms_side *side = ctx;
    (void)broken;
    side->lost = true;
    if (side->rooms->lost != NULL) {
        side->rooms->lost(side->rooms->ctx, side->name);
    }
}

static const struct sotto_doorway_handler control_handler = {
    .on_message = on_message,
    .on_closed = on_closed,
};

static enum sotto_err attach(struct rooms_side *side, struct sotto_loop *loop)
{
    struct sotto_door_rules rules = sotto_door_rules_back();
    rules.kinds = ROOMS_KINDS;
    enum sotto_err err =
        sotto_doorway_new(loop, side->control, &rules, &control_handler, side, &side->link);
    if (err == SOTTO_OK) {
        side->control = -1; /* transferred */
    }
    return err;
}

static enum sotto_err verdict_of(const struct rooms_side *side)
{
    return !side->ready ? SOTTO_ECLOSED : side->verdict;
}

static void read_ready(const struct rooms_side *side, struct sotto_room_ready *out)
{
    if (side->ready && side->told_len == sizeof(*out)) {
        memcpy(out, side->told, sizeof(*out));
    }
}

static void send_setup(struct sotto_rooms *rooms, const struct sotto_front_setup *front)
{
    struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_SETUP,
        .body = sotto_span_init((const uint8_t *)front, sizeof(*front)),
    };
    sotto_doorway_put(rooms->front.link, &msg);
}

enum sotto_err sotto_rooms_open(struct sotto_rooms *rooms, struct sotto_loop *loop,
                                const struct sotto_front_setup *front, sotto_rooms_lost_fn *lost,
                                void *ctx, struct sotto_room_ready *front_ready,
                                struct sotto_room_ready *back_ready)
{
    const struct rooms_side *f = &rooms->front, *b = &rooms->back;
    int64_t until_ms = sotto_clock_ms() + ROOMS_READY_MS;
    *front_ready = *back_ready = (struct sotto_room_ready){.failed = SOTTO_FRONT_OTHER};
    enum sotto_err err = attach(&rooms->front, loop);
    if (err == SOTTO_OK) {
        err = attach(&rooms->back, loop);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    send_setup(rooms, front);
    while (err == SOTTO_OK && (!f->ready || !b->ready) && !f->lost && !b->lost) {
        err = sotto_clock_ms() < until_ms ? sotto_loop_step(loop, 100) : SOTTO_ETIMEOUT;
    }
    read_ready(f, front_ready);
    read_ready(b, back_ready);
    if (err == SOTTO_OK) {
        err = verdict_of(f);
    }
    if (err == SOTTO_OK) {
        front_ready->failed = SOTTO_FRONT_OTHER;
        err = verdict_of(b);
    }
    rooms->lost = lost;
    rooms->ctx = ctx;
    return err;
}

void sotto_rooms_reload(struct sotto_rooms *rooms, const struct sotto_front_setup *front)
{
    send_setup(rooms, front);
}

void sotto_rooms_drain(struct sotto_rooms *rooms)
{
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_DRAIN};
    rooms->lost = NULL; /* the front ends now, as it should */
    sotto_doorway_put(rooms->front.link, &msg);
}

/* --- the end ----------------------------------------------------------------------------------- */

static void close_side(struct rooms_side *side)
{
    sotto_doorway_free(side->link);
    sotto_channel_close(side->control);
    for (size_t i = 0; i < side->door_count; i++) {
        sotto_channel_close(side->doors[i]);
    }
    sotto_free(side->doors);
}

void sotto_rooms_free(struct sotto_rooms *rooms)
{
    if (rooms == NULL) {
        return;
    }
    close_side(&rooms->front);
    close_side(&rooms->back);
    sotto_child_wait(&rooms->front.process, ROOMS_END_MS); /* without doors they end */
    sotto_child_wait(&rooms->back.process, ROOMS_END_MS);
    sotto_free(rooms);
}
