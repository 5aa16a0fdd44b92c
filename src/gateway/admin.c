/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/admin.h"

#include "base/alloc.h"
#include "http/head.h"

struct sotto_admin {
    struct sotto_admin_options options;
    bool ready;
};

static void answer(struct sotto_admin *admin, uint64_t stream, int status, const char *lines,
                   sotto_span body)
{
    struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_REPLY,
        .flags = SOTTO_DOOR_LAST,
        .stream = stream,
        .arg = status,
        .head = sotto_span_str(lines),
        .body = body,
    };
    sotto_door_put(&admin->options.front, &msg);
}

static void say(struct sotto_admin *admin, uint64_t stream, int status, const char *lines,
                const char *body)
{
    answer(admin, stream, status, lines, sotto_span_str(body));
}

static void say_metrics(struct sotto_admin *admin, uint64_t stream)
{
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    if (admin->options.metrics(admin->options.ctx, &out) == SOTTO_OK) {
        answer(admin, stream, 200, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n",
               sotto_buf_span(&out));
    } else {
        say(admin, stream, 503, "Content-Type: text/plain; charset=utf-8\r\n", "no memory\n");
    }
    sotto_buf_free(&out);
}

void sotto_admin_from_front(void *ctx, const struct sotto_door_msg *msg)
{
    static const char plain[] = "Content-Type: text/plain; charset=utf-8\r\n";
    struct sotto_admin *admin = ctx;
    struct sotto_http_head head;
    if (msg->kind != SOTTO_DOOR_OPEN) {
        return; /* answered at once, so nothing waits */
    }
    if (sotto_http_head_index(msg->head, true, &head) != SOTTO_OK) {
        say(admin, msg->stream, 500, plain, "error\n");
        return;
    }
    sotto_span path = sotto_http_path(&head);
    bool live = sotto_span_eq(path, SOTTO_LIT("/livez"));
    bool ready = sotto_span_eq(path, SOTTO_LIT("/readyz"));
    bool metrics = sotto_span_eq(path, SOTTO_LIT("/metrics"));
    if (!live && !ready && !metrics) {
        say(admin, msg->stream, 404, plain,
            sotto_span_starts(path, SOTTO_LIT("/v1/"))
                ? "This is the admin listener. Clients' requests go to the gateway's other "
                  "address: 127.0.0.1:8484 unless configured.\n"
                : "There is /, /livez, /readyz and /metrics.\n");
    } else if (!sotto_span_eq(head.method, SOTTO_LIT("GET"))) {
        say(admin, msg->stream, 405, "Content-Type: text/plain; charset=utf-8\r\nAllow: GET\r\n",
            "GET only.\n");
    } else if (metrics) {
        say_metrics(admin, msg->stream);
    } else if (live || admin->ready) {
        say(admin, msg->stream, 200, plain, "ok\n");
    } else {
        say(admin, msg->stream, 503, plain, "not ready\n");
    }
}

enum sotto_err sotto_admin_new(const struct sotto_admin_options *options, struct sotto_admin **out)
{
    struct sotto_admin *admin = sotto_calloc(1, sizeof(*admin));
    if (admin == NULL) {
        return SOTTO_ENOMEM;
    }
    admin->options = *options;
    *out = admin;
    return SOTTO_OK;
}

void sotto_admin_set_ready(struct sotto_admin *admin, bool ready)
{
    admin->ready = ready;
}

void sotto_admin_free(struct sotto_admin *admin)
{
    sotto_free(admin);
}
