/* SPDX-License-Identifier: Apache-2.0 */

#include "client/proxy.h"

#include <stdio.h>

#include "base/alloc.h"
#include "client/proxy_job.h"
#include "net/server.h"

struct sotto_proxy {
    struct sotto_loop *loop;
    struct sotto_server *server;
    struct proxy_shared shared;
};

static void on_request(void *ctx, struct sotto_exchange *x, const struct sotto_server_request *req)
{
    struct sotto_proxy *proxy = ctx;
    proxy_job_begin(&proxy->shared, x, req->head, req->body);
}

static void on_gone(void *ctx, struct sotto_exchange *x)
{
    (void)ctx;
    proxy_job_gone(sotto_exchange_user(x));
}

static void on_flow(void *ctx, struct sotto_exchange *x, bool full)
{
    (void)ctx;
    proxy_job_flow(sotto_exchange_user(x), full);
}

static void on_refused(void *ctx, int status, const char *reason, struct sotto_buf *lines,
                       struct sotto_buf *body)
{
    (void)ctx;
    (void)status;
    /* An answer without a body says enough with its status. */
    sotto_ignore(sotto_buf_append(lines, SOTTO_LIT("Content-Type: application/json\r\n")));
    sotto_ignore(proxy_write_error("invalid_request_error", NULL, reason, body));
}

static void on_drained(void *ctx)
{
    struct sotto_proxy *proxy = ctx;
    sotto_loop_stop(proxy->loop);
}

static const struct sotto_server_handler handler = {
    .on_request = on_request,
    .on_gone = on_gone,
    .on_flow = on_flow,
    .on_refused = on_refused,
    .on_drained = on_drained,
};

enum sotto_err sotto_proxy_new(const struct sotto_proxy_options *options, struct sotto_proxy **out)
{
    struct sotto_server_limits limits = sotto_server_limits_default();
    struct sotto_proxy *proxy = sotto_calloc(1, sizeof(*proxy));
    if (proxy == NULL) {
        return SOTTO_ENOMEM;
    }
    proxy->loop = options->loop;
    proxy->shared.options = options->link;
    proxy->shared.veil = options->veil;
    enum sotto_err err = sotto_link_new(&options->link, &proxy->shared.link);
    if (err == SOTTO_OK) {
        err = sotto_server_new(options->loop, &handler, proxy, &limits, &proxy->server);
    }
    if (err != SOTTO_OK) {
        sotto_proxy_free(proxy);
        return err;
    }
    *out = proxy;
    return SOTTO_OK;
}

void sotto_proxy_free(struct sotto_proxy *proxy)
{
    if (proxy != NULL) {
        sotto_server_free(proxy->server);
        proxy_jobs_free(&proxy->shared);
        sotto_link_free(proxy->shared.link);
        sotto_free(proxy);
    }
}

enum sotto_err sotto_proxy_listen(struct sotto_proxy *proxy, const char *address, uint16_t port,
                                  uint16_t *bound_port)
{
    return sotto_server_listen(proxy->server, address, port, NULL, 0, bound_port);
}

void sotto_proxy_drain(struct sotto_proxy *proxy)
{
    sotto_server_drain(proxy->server);
}
