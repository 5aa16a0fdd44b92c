/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/admin.h"

#include "base/alloc.h"
#include "http/head.h"

struct sotto_admin {
    struct sotto_server *server;
    bool ready;
};

static void say(struct sotto_exchange *x, int status, const char *lines, const char *body)
{
    sotto_exchange_reply(x, status, sotto_span_str(lines), sotto_span_str(body));
}

static void on_request(void *ctx, struct sotto_exchange *x, const struct sotto_server_request *req)
{
    static const char plain[] = "Content-Type: text/plain; charset=utf-8\r\n";
    const struct sotto_admin *admin = ctx;
    struct sotto_http_head head;
    if (sotto_http_head_index(req->head, true, &head) != SOTTO_OK) {
        say(x, 500, plain, "error\n");
        return;
    }
    sotto_span path = sotto_http_path(&head);
    bool live = sotto_span_eq(path, SOTTO_LIT("/livez"));
    bool ready = sotto_span_eq(path, SOTTO_LIT("/readyz"));
    if (!live && !ready) {
        say(x, 404, plain,
            sotto_span_starts(path, SOTTO_LIT("/v1/"))
                ? "This is the admin listener. Clients' requests go to the gateway's other "
                  "address: 127.0.0.1:8484 unless configured.\n"
                : "There is /livez and /readyz.\n");
    } else if (!sotto_span_eq(head.method, SOTTO_LIT("GET"))) {
        say(x, 405, "Content-Type: text/plain; charset=utf-8\r\nAllow: GET\r\n", "GET only.\n");
    } else if (live || admin->ready) {
        say(x, 200, plain, "ok\n");
    } else {
        say(x, 503, plain, "not ready\n");
    }
}

static void on_gone(void *ctx, struct sotto_exchange *x)
{
    (void)ctx; /* answered at once, so nothing waits */
    (void)x;
}

static const struct sotto_server_handler handler = {
    .on_request = on_request,
    .on_gone = on_gone,
};

enum sotto_err sotto_admin_new(struct sotto_loop *loop, struct sotto_admin **out)
{
    struct sotto_admin *admin = sotto_calloc(1, sizeof(*admin));
    if (admin == NULL) {
        return SOTTO_ENOMEM;
    }
    struct sotto_server_limits limits = sotto_server_limits_default();
    enum sotto_err err = sotto_server_new(loop, &handler, admin, &limits, &admin->server);
    if (err != SOTTO_OK) {
        sotto_free(admin);
        return err;
    }
    *out = admin;
    return SOTTO_OK;
}

enum sotto_err sotto_admin_listen(struct sotto_admin *admin, const char *address, uint16_t port,
                                  uint16_t *bound_port)
{
    return sotto_server_listen(admin->server, address, port, NULL, SOTTO_REQUEST_ADMIN, bound_port);
}

void sotto_admin_set_ready(struct sotto_admin *admin, bool ready)
{
    admin->ready = ready;
}

void sotto_admin_free(struct sotto_admin *admin)
{
    if (admin != NULL) {
        sotto_server_free(admin->server);
        sotto_free(admin);
    }
}
