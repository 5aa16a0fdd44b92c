/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/front.h"

#include "base/alloc.h"
#include "gateway/pages.h"
#include "gateway/streams.h"
#include "sys/log.h"

struct front_stream {
    uint64_t id;
    struct sotto_exchange *exchange;
    bool streaming;
};

struct sotto_front {
    struct sotto_server *server;
    struct sotto_door to_vault;
    struct sotto_streams streams;
    void (*drained)(void *ctx);
    void *drained_ctx;
};

static void forget(struct sotto_front *front, struct front_stream *s)
{
    sotto_streams_drop(&front->streams, s->id);
    sotto_free(s);
}

static void on_request(void *ctx, struct sotto_exchange *x, const struct sotto_server_request *req)
{
    struct sotto_front *front = ctx;
    struct sotto_page_answer page;
    if (sotto_page_find(req->head, (req->flags & SOTTO_DOOR_ADMIN) != 0, &page)) {
        sotto_exchange_reply(x, 200, sotto_span_str(page.head), page.body);
        return;
    }
    struct front_stream *s = sotto_calloc(1, sizeof(*s));
    if (s == NULL || sotto_streams_make(&front->streams, s, &s->id) != SOTTO_OK) {
        sotto_free(s);
        sotto_exchange_abort(x);
        return;
    }
    s->exchange = x;
    sotto_exchange_set_user(x, s);
    struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_OPEN,
        .flags = req->flags,
        .stream = s->id,
        .arg = req->age_us,
        .head = req->head,
        .body = req->body,
    };
    sotto_door_put(&front->to_vault, &msg);
}

static void tell(struct sotto_front *front, uint64_t id, enum sotto_door_kind kind)
{
    struct sotto_door_msg msg = {.kind = kind, .stream = id, .arg = SOTTO_ECLOSED};
    sotto_door_put(&front->to_vault, &msg);
}

static void on_gone(void *ctx, struct sotto_exchange *x)
{
    struct sotto_front *front = ctx;
    struct front_stream *s = sotto_exchange_user(x);
    if (s != NULL) {
        uint64_t id = s->id;
        forget(front, s);
        tell(front, id, SOTTO_DOOR_CLOSE);
    }
}

static void on_flow(void *ctx, struct sotto_exchange *x, bool full)
{
    const struct front_stream *s = sotto_exchange_user(x);
    if (s != NULL) {
        tell(ctx, s->id, full ? SOTTO_DOOR_PAUSE : SOTTO_DOOR_RESUME);
    }
}

/* What is no HTTP request reaches no dialect; OpenAI's form is the one most clients read. */
static void on_refused(void *ctx, int status, const char *reason, struct sotto_buf *lines,
                       struct sotto_buf *body)
{
    (void)ctx;
    SOTTO_LOG(SOTTO_LOG_INFO, "not_http", SOTTO_LOG_INT("status", status),
              SOTTO_LOG_NOTE("why", reason));
    sotto_log_flush(); /* no request follows whose line would take this one along */
    sotto_ignore(sotto_buf_append(lines, SOTTO_LIT("Content-Type: application/json\r\n")));
    sotto_ignore(sotto_buf_printf(body,
                                  "{\"error\":{\"message\":\"%s\",\"type\":\"%s\","
                                  "\"param\":null,\"code\":null}}",
                                  reason, status < 500 ? "invalid_request_error" : "server_error"));
    /* An answer without a body says enough with its status. */
}

static void on_drained(void *ctx)
{
    struct sotto_front *front = ctx;
    if (front->drained != NULL) {
        front->drained(front->drained_ctx);
    }
}

static const struct sotto_server_handler handler = {
    .on_request = on_request,
    .on_gone = on_gone,
    .on_flow = on_flow,
    .on_refused = on_refused,
    .on_drained = on_drained,
};

enum sotto_err sotto_front_new(struct sotto_loop *loop, const struct sotto_server_limits *limits,
                               struct sotto_front **out)
{
    struct sotto_front *front = sotto_calloc(1, sizeof(*front));
    if (front == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = sotto_server_new(loop, &handler, front, limits, &front->server);
    if (err != SOTTO_OK) {
        sotto_free(front);
        return err;
    }
    *out = front;
    return SOTTO_OK;
}

void sotto_front_connect(struct sotto_front *front, struct sotto_door to_vault)
{
    front->to_vault = to_vault;
}

void sotto_front_free(struct sotto_front *front)
{
    if (front == NULL) {
        return;
    }
    sotto_server_free(front->server);
    for (size_t i = 0; i < front->streams.cap; i++) {
        sotto_free(front->streams.entries[i].item);
    }
    sotto_streams_free(&front->streams);
    sotto_free(front);
}

/* The client's connection broke inside a write: the vault hears of it like of any other end. */
static void broken(struct sotto_front *front, struct front_stream *s)
{
    uint64_t id = s->id;
    forget(front, s);
    tell(front, id, SOTTO_DOOR_CLOSE);
}

static void reply(struct sotto_front *front, struct front_stream *s,
                  const struct sotto_door_msg *msg)
{
    bool last = (msg->flags & SOTTO_DOOR_LAST) != 0;
    struct sotto_exchange *x = s->exchange;
    if (!s->streaming && (msg->flags & SOTTO_DOOR_STREAM) == 0) {
        forget(front, s);
        sotto_exchange_set_user(x, NULL);
        sotto_exchange_reply(x, (int)msg->arg, msg->head, msg->body);
        return;
    }
    if (!s->streaming) {
        s->streaming = true;
        sotto_exchange_stream(x, (int)msg->arg, msg->head);
        if (msg->body.len == 0 && !last) {
            return;
        }
    }
    if (last) {
        forget(front, s);
        sotto_exchange_set_user(x, NULL);
        sotto_ignore(sotto_exchange_write(x, msg->body, true) ? SOTTO_OK : SOTTO_ECLOSED);
    } else if (!sotto_exchange_write(x, msg->body, false)) {
        broken(front, s);
    }
}

void sotto_front_from_vault(void *ctx, const struct sotto_door_msg *msg)
{
    struct sotto_front *front = ctx;
    struct front_stream *s = sotto_streams_find(&front->streams, msg->stream);
    if (s == NULL) {
        return;
    }
    if (msg->kind == SOTTO_DOOR_REPLY) {
        reply(front, s, msg);
    } else if (msg->kind == SOTTO_DOOR_CLOSE) {
        struct sotto_exchange *x = s->exchange;
        forget(front, s);
        sotto_exchange_set_user(x, NULL);
        sotto_exchange_abort(x);
    }
}

struct sotto_server *sotto_front_server(struct sotto_front *front)
{
    return front->server;
}

void sotto_front_on_drained(struct sotto_front *front, void (*fn)(void *ctx), void *ctx)
{
    front->drained = fn;
    front->drained_ctx = ctx;
}
