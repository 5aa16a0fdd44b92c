/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A reverse proxy that is nothing but net/ and http/: what the server core costs before a gateway
 * does anything.  Put it between load and provider, and read its CPU time from the last line:
 *
 *   bench_proxy_core LISTEN_PORT UPSTREAM_PORT SECONDS [CERTIFICATE KEY]
 *     requests=N cpu_us=N (user and system, per request)
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "http/head.h"
#include "http/write.h"
#include "net/client.h"
#include "net/resolver.h"
#include "net/server.h"
#include "net/tls.h"

struct proxy {
    struct sotto_loop *loop;
    struct sotto_pool *pool;
    struct sotto_buf out;
    uint16_t port;
    uint64_t requests;
};

/* One request on its way; lives as long as its exchange and its fetch. */
struct pass {
    struct proxy *proxy;
    struct sotto_exchange *exchange;
    struct sotto_fetch *fetch;
    struct sotto_buf body; /* whole answers */
    int status;
    bool stream;
};

static void free_pass(struct pass *pass)
{
    sotto_buf_free(&pass->body);
    sotto_free(pass);
}

static void on_head(void *ctx, struct sotto_fetch *fetch, int status, sotto_span block)
{
    struct pass *pass = ctx;
    struct sotto_http_head head;
    (void)fetch;
    pass->status = status;
    pass->stream = sotto_http_head_index(block, false, &head) == SOTTO_OK &&
                   sotto_http_get(&head, "content-length").base == NULL;
    if (pass->stream) {
        sotto_exchange_stream(pass->exchange, status,
                              SOTTO_LIT("Content-Type: text/event-stream\r\n"));
    }
}

static void on_body(void *ctx, struct sotto_fetch *fetch, sotto_span piece)
{
    struct pass *pass = ctx;
    if (!pass->stream) {
        if (sotto_buf_append(&pass->body, piece) != SOTTO_OK) {
            abort();
        }
    } else if (!sotto_exchange_write(pass->exchange, piece, false)) {
        sotto_fetch_cancel(fetch);
        free_pass(pass);
    }
}

static void on_end(void *ctx, struct sotto_fetch *fetch)
{
    struct pass *pass = ctx;
    (void)fetch;
    if (pass->stream) {
        (void)sotto_exchange_write(pass->exchange, SOTTO_LIT(""), true);
    } else {
        sotto_exchange_reply(pass->exchange, pass->status,
                             SOTTO_LIT("Content-Type: application/json\r\n"),
                             sotto_buf_span(&pass->body));
    }
    free_pass(pass);
}

static void on_error(void *ctx, struct sotto_fetch *fetch, enum sotto_fetch_error error,
                     const char *reason)
{
    struct pass *pass = ctx;
    (void)fetch;
    (void)error;
    if (pass->stream) {
        sotto_exchange_abort(pass->exchange);
    } else {
        sotto_exchange_reply(pass->exchange, 502, SOTTO_LIT(""), sotto_span_str(reason));
    }
    free_pass(pass);
}

static const struct sotto_fetch_handler fetch_handler = {
    .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_error = on_error};

static void on_request(void *ctx, struct sotto_exchange *x, const struct sotto_server_request *req)
{
    struct proxy *proxy = ctx;
    struct sotto_http_head head;
    struct sotto_buf *out = &proxy->out;
    struct pass *pass = sotto_calloc(1, sizeof(*pass));
    const struct sotto_origin origin = {.host = SOTTO_LIT("127.0.0.1"), .port = proxy->port};

    proxy->requests++;
    sotto_buf_truncate(out, 0);
    if (pass == NULL || sotto_http_head_index(req->head, true, &head) != SOTTO_OK ||
        sotto_http_write_request_line(out, "POST", head.target) != SOTTO_OK ||
        sotto_http_write_field(out, "Host", SOTTO_LIT("127.0.0.1")) != SOTTO_OK ||
        sotto_http_write_field(out, "Content-Type", SOTTO_LIT("application/json")) != SOTTO_OK ||
        sotto_http_write_number(out, "Content-Length", req->body.len) != SOTTO_OK ||
        sotto_http_write_head_end(out) != SOTTO_OK ||
        sotto_buf_append(out, req->body) != SOTTO_OK) {
        abort();
    }
    pass->proxy = proxy;
    pass->exchange = x;
    sotto_buf_init(&pass->body, SOTTO_BUF_UNBOUNDED);
    sotto_exchange_set_user(x, pass);
    if (sotto_fetch_start(proxy->pool, &origin, sotto_buf_span(out), &fetch_handler, pass,
                          &pass->fetch) != SOTTO_OK) {
        abort();
    }
}

static void on_gone(void *ctx, struct sotto_exchange *x)
{
    struct pass *pass = sotto_exchange_user(x);
    (void)ctx;
    sotto_fetch_cancel(pass->fetch);
    free_pass(pass);
}

static void on_flow(void *ctx, struct sotto_exchange *x, bool full)
{
    struct pass *pass = sotto_exchange_user(x);
    (void)ctx;
    if (full) {
        sotto_fetch_pause(pass->fetch);
    } else {
        sotto_fetch_resume(pass->fetch);
    }
}

static void on_time(struct sotto_timer *timer)
{
    sotto_loop_stop(timer->loop);
}

/* A number of the command line; 0 for what is none. */
static uint16_t number(const char *text)
{
    unsigned value = 0;
    for (; *text >= '0' && *text <= '9' && value < 10000; text++) {
        value = value * 10 + (unsigned)(*text - '0');
    }
    return *text == '\0' && value <= UINT16_MAX ? (uint16_t)value : 0;
}

static double cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
    static const struct sotto_server_handler handler = {
        .on_request = on_request, .on_gone = on_gone, .on_flow = on_flow};
    struct sotto_server_limits server_limits = sotto_server_limits_default();
    struct sotto_client_limits client_limits = sotto_client_limits_default();
    struct proxy proxy = {0};
    struct sotto_resolver *resolver;
    struct sotto_server *server;
    struct sotto_tls_context *tls = NULL;
    struct sotto_timer timer;

    if (argc != 4 && argc != 6) {
        fprintf(stderr, "bench_proxy_core LISTEN_PORT UPSTREAM_PORT SECONDS [CERTIFICATE KEY]\n");
        return 2;
    }
    proxy.port = number(argv[2]);
    sotto_buf_init(&proxy.out, SOTTO_BUF_UNBOUNDED);
    if (sotto_loop_new(&proxy.loop) != SOTTO_OK || sotto_resolver_new(&resolver) != SOTTO_OK ||
        (argc == 6 && sotto_tls_server_new(argv[4], argv[5], &tls) != SOTTO_OK) ||
        sotto_pool_new(proxy.loop, resolver, NULL, &client_limits, &proxy.pool) != SOTTO_OK ||
        sotto_server_new(proxy.loop, &handler, &proxy, &server_limits, &server) != SOTTO_OK ||
        sotto_server_listen(server, "127.0.0.1", number(argv[1]), tls, 0, NULL) != SOTTO_OK ||
        sotto_timer_open(proxy.loop, &timer, on_time) != SOTTO_OK) {
        fprintf(stderr, "bench_proxy_core: cannot start\n");
        return 1;
    }
    sotto_timer_arm(&timer, (int64_t)number(argv[3]) * 1000);
    double before = cpu_us();
    if (sotto_loop_run(proxy.loop) != SOTTO_OK) {
        return 1;
    }
    printf("requests=%llu cpu_us=%.2f\n", (unsigned long long)proxy.requests,
           proxy.requests != 0 ? (cpu_us() - before) / (double)proxy.requests : 0);
    sotto_timer_close(&timer);
    sotto_server_free(server);
    sotto_pool_free(proxy.pool);
    sotto_resolver_free(resolver);
    sotto_loop_free(proxy.loop);
    sotto_tls_context_drop(tls);
    sotto_buf_free(&proxy.out);
    return 0;
}
