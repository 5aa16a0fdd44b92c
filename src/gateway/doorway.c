/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/doorway.h"

#include "base/alloc.h"
#include "sys/channel.h"

#define LINK_READ_BYTES ((size_t)64 << 10)
/* Read in one go before others get their turn. */
#define LINK_TURN_BYTES ((size_t)1 << 20)
/* A buffer that grew beyond this is given back once it is empty. */
#define LINK_KEEP_BYTES ((size_t)256 << 10)

struct sotto_doorway {
    struct sotto_loop *loop;
    struct sotto_watch watch;
    struct sotto_task read_task;
    struct sotto_task send_task;
    struct sotto_door_rules rules;
    const struct sotto_doorway_handler *handler;
    void *ctx;
    struct sotto_buf in;
    struct sotto_buf out;
    size_t sent; /* of `out` */
    bool held, full, closed;
    bool ending;  /* the other side closed: no event will tell of it again */
    bool blocked; /* the socket takes no more until it says so */
    bool failed;  /* a message was lost */
};

static void on_read_task(struct sotto_task *task);

static void close_link(struct sotto_doorway *link, bool broken)
{
    if (!link->closed) {
        link->closed = true;
        sotto_loop_unwatch(link->loop, &link->watch);
        sotto_channel_close(link->watch.fd); /* the other side is to know */
        link->watch.fd = -1;
        link->handler->on_closed(link->ctx, broken);
    }
}

static void empty(struct sotto_buf *buf)
{
    if (buf->cap > LINK_KEEP_BYTES) {
        sotto_buf_free(buf);
    } else {
        sotto_buf_truncate(buf, 0);
    }
}

static void tell_full(struct sotto_doorway *link)
{
    size_t waiting = sotto_doorway_waiting(link);
    bool full = link->full ? waiting > SOTTO_DOORWAY_LOW_BYTES : waiting > SOTTO_DOORWAY_HIGH_BYTES;
    if (full != link->full) {
        link->full = full;
        if (link->handler->on_full != NULL) {
            link->handler->on_full(link->ctx, full);
        }
    }
}

static void send_out(struct sotto_doorway *link)
{
    while (link->sent < link->out.len && !link->blocked) {
        size_t n = 0;
        enum sotto_err err = sotto_channel_write(link->watch.fd, link->out.base + link->sent,
                                                 link->out.len - link->sent, &n);
        if (err != SOTTO_OK) {
            close_link(link, false);
            return;
        }
        link->sent += n;
        link->blocked = n == 0;
    }
    if (link->sent == link->out.len) {
        empty(&link->out);
        link->sent = 0;
    } else if (link->sent > SOTTO_DOORWAY_HIGH_BYTES && link->sent > link->out.len / 2) {
        sotto_buf_consume(&link->out, link->sent);
        link->sent = 0;
    }
    tell_full(link);
}

static void on_send_task(struct sotto_task *task)
{
    struct sotto_doorway *link = SOTTO_CONTAINER(task, struct sotto_doorway, send_task);
    if (link->failed) {
        close_link(link, true);
    } else if (!link->closed) {
        send_out(link);
    }
}

/* Hands over the messages that are complete; what is left waits for the rest of it. */
static enum sotto_err take_messages(struct sotto_doorway *link)
{
    size_t at = 0;
    enum sotto_err err = SOTTO_OK;
    while (!link->held && !link->closed) {
        struct sotto_door_msg msg;
        size_t need = 0;
        sotto_span rest = sotto_span_init(link->in.base + at, link->in.len - at);
        err = sotto_door_decode(rest, &link->rules, &msg, &need);
        if (err != SOTTO_OK) {
            break;
        }
        if (need > rest.len) {
            err = at == 0 ? sotto_buf_reserve(&link->in, need - rest.len) : SOTTO_OK;
            break;
        }
        at += need;
        link->handler->on_message(link->ctx, &msg);
    }
    if (at == link->in.len) {
        empty(&link->in);
    } else {
        sotto_buf_consume(&link->in, at);
    }
    return err;
}

/* SOTTO_ECLOSED: the end; `*more`: there may be more to read. */
static enum sotto_err read_some(struct sotto_doorway *link, bool *more)
{
    size_t room = link->in.cap - link->in.len;
    enum sotto_err err = SOTTO_OK;
    *more = false;
    if (room < LINK_READ_BYTES / 2) {
        err = sotto_buf_reserve(&link->in, LINK_READ_BYTES);
        room = link->in.cap - link->in.len;
    }
    if (err != SOTTO_OK) {
        return err;
    }
    size_t n = 0;
    err = sotto_channel_read(link->watch.fd, link->in.base + link->in.len, room, &n);
    if (err == SOTTO_OK) {
        link->in.len += n;
        *more = n == room || (link->ending && n != 0);
    }
    return err;
}

static void read_on(struct sotto_doorway *link)
{
    size_t turn = 0;
    bool more = true;
    enum sotto_err err = take_messages(link); /* what a hold left */
    while (err == SOTTO_OK && more && !link->held && !link->closed && turn < LINK_TURN_BYTES) {
        size_t mark = link->in.len;
        err = read_some(link, &more);
        turn += link->in.len - mark;
        if (err == SOTTO_OK) {
            err = take_messages(link);
        }
    }
    if (err != SOTTO_OK) {
        close_link(link, err != SOTTO_ECLOSED || link->in.len != 0);
    } else if (more && !link->held && !link->closed) {
        sotto_loop_defer(link->loop, &link->read_task, on_read_task);
    }
}

static void on_read_task(struct sotto_task *task)
{
    struct sotto_doorway *link = SOTTO_CONTAINER(task, struct sotto_doorway, read_task);
    if (!link->closed && !link->held) {
        read_on(link);
    }
}

static void on_event(struct sotto_watch *watch, uint32_t events)
{
    struct sotto_doorway *link = SOTTO_CONTAINER(watch, struct sotto_doorway, watch);
    if ((events & SOTTO_LOOP_WRITE) != 0 && link->blocked) {
        link->blocked = false;
        send_out(link);
    }
    link->ending = link->ending || (events & SOTTO_LOOP_GONE) != 0;
    if ((events & (SOTTO_LOOP_READ | SOTTO_LOOP_GONE)) != 0 && !link->closed && !link->held) {
        read_on(link);
    }
}

enum sotto_err sotto_doorway_new(struct sotto_loop *loop, int fd,
                                 const struct sotto_door_rules *rules,
                                 const struct sotto_doorway_handler *handler, void *ctx,
                                 struct sotto_doorway **out)
{
    struct sotto_doorway *link = sotto_calloc(1, sizeof(*link));
    if (link == NULL) {
        return SOTTO_ENOMEM;
    }
    link->loop = loop;
    link->rules = *rules;
    link->handler = handler;
    link->ctx = ctx;
    sotto_buf_init(&link->in, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&link->out, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_loop_watch(loop, &link->watch, fd, on_event);
    if (err != SOTTO_OK) {
        sotto_free(link);
        return err;
    }
    *out = link;
    return SOTTO_OK;
}

void sotto_doorway_free(struct sotto_doorway *link)
{
    if (link == NULL) {
        return;
    }
    sotto_loop_undefer(link->loop, &link->read_task);
    sotto_loop_undefer(link->loop, &link->send_task);
    sotto_loop_unwatch(link->loop, &link->watch);
    sotto_channel_close(link->watch.fd);
    sotto_buf_free(&link->in);
    sotto_buf_free(&link->out);
    sotto_free(link);
}

void sotto_doorway_put(void *ctx, const struct sotto_door_msg *msg)
{
    struct sotto_doorway *link = ctx;
    if (link->closed || link->failed) {
        return;
    }
    link->failed = sotto_door_encode(&link->out, msg) != SOTTO_OK;
    sotto_loop_defer(link->loop, &link->send_task, on_send_task);
}

void sotto_doorway_hold(struct sotto_doorway *link, bool held)
{
    link->held = held;
    if (!held && !link->closed) {
        sotto_loop_defer(link->loop, &link->read_task, on_read_task);
    }
}

size_t sotto_doorway_waiting(const struct sotto_doorway *link)
{
    return link->out.len - link->sent;
}
