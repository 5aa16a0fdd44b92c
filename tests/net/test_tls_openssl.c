/* SPDX-License-Identifier: Apache-2.0 */

#include "net/tls.h"

#include <openssl/ssl.h>

#include "base/alloc.h"
#include "crypto/crypto.h"
#include "net/certs.h"
#include "net/client.h"
#include "net/resolver.h"
#include "net/rig.h"
#include "net/server.h"

/*
 * Our client talks to our server over TLS in one loop; where one side has to misbehave, OpenSSL or
 * a plain socket plays it.
 */
static struct sotto_loop *loop;
static struct sotto_server *server;
static struct sotto_resolver *resolver;
static struct sotto_pool *pool;
static struct sotto_tls_context *server_tls, *client_tls;
static uint16_t port;

static struct gateway {
    struct sotto_exchange *last;
    int requests, gone, full;
    uint32_t flags;
    size_t body_len;
} gateway;

static struct got {
    struct sotto_fetch *fetch;
    struct sotto_buf body;
    int heads, ends, errors;
    enum sotto_fetch_error error;
    const char *reason;
    bool pause;
} got;

static void on_request(void *ctx, struct sotto_exchange *x, const struct sotto_server_request *req)
{
    (void)ctx;
    gateway.requests++;
    gateway.flags = req->flags;
    gateway.body_len = req->body.len;
    gateway.last = x;
}

static void on_gone(void *ctx, struct sotto_exchange *x)
{
    (void)ctx;
    (void)x;
    gateway.gone++;
    gateway.last = NULL;
}

static void on_flow(void *ctx, struct sotto_exchange *x, bool full)
{
    (void)ctx;
    (void)x;
    gateway.full += full ? 1 : 0;
}

static const struct sotto_server_handler server_handler = {
    .on_request = on_request, .on_gone = on_gone, .on_flow = on_flow};

static void on_head(void *ctx, struct sotto_fetch *fetch, int status, sotto_span head)
{
    (void)ctx;
    (void)fetch;
    (void)status;
    (void)head;
    got.heads++;
}

static void on_body(void *ctx, struct sotto_fetch *fetch, sotto_span piece)
{
    (void)ctx;
    sotto_ignore(sotto_buf_append(&got.body, piece));
    if (got.pause) {
        sotto_fetch_pause(fetch);
    }
}

static void on_end(void *ctx, struct sotto_fetch *fetch)
{
    (void)ctx;
    (void)fetch;
    got.ends++;
}

static void on_error(void *ctx, struct sotto_fetch *fetch, enum sotto_fetch_error error,
                     const char *reason)
{
    (void)ctx;
    (void)fetch;
    got.errors++;
    got.error = error;
    got.reason = reason;
}

static const struct sotto_fetch_handler fetch_handler = {
    .on_head = on_head, .on_body = on_body, .on_end = on_end, .on_error = on_error};

static void begin(const char *cert, const char *key, const char *ca)
{
    struct sotto_server_limits server_limits = sotto_server_limits_default();
    struct sotto_client_limits client_limits = sotto_client_limits_default();
    memset(&gateway, 0, sizeof(gateway));
    if (sotto_loop_new(&loop) != SOTTO_OK || sotto_resolver_new(&resolver) != SOTTO_OK ||
        sotto_tls_server_new(certs_path(cert), certs_path(key), &server_tls) != SOTTO_OK ||
        sotto_tls_client_new(ca != NULL ? certs_path(ca) : NULL, &client_tls) != SOTTO_OK ||
        sotto_server_new(loop, &server_handler, NULL, &server_limits, &server) != SOTTO_OK ||
        sotto_server_listen(server, "127.0.0.1", 0, server_tls, 0, &port) != SOTTO_OK ||
        sotto_pool_new(loop, resolver, client_tls, &client_limits, &pool) != SOTTO_OK) {
        abort();
    }
}

static void end(void)
{
    sotto_pool_free(pool);
    sotto_server_free(server);
    sotto_resolver_free(resolver);
    sotto_loop_free(loop);
    sotto_tls_context_drop(server_tls);
    sotto_tls_context_drop(client_tls);
    sotto_buf_free(&got.body);
}

#define REQUEST "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"

static void fetch(const char *sni, sotto_span request)
{
    const struct sotto_origin origin = {
        .host = SOTTO_LIT("127.0.0.1"), .port = port, .tls = true, .sni = sotto_span_str(sni)};
    sotto_buf_free(&got.body);
    memset(&got, 0, sizeof(got));
    sotto_buf_init(&got.body, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_fetch_start(pool, &origin, request, &fetch_handler, NULL, &got.fetch), SOTTO_OK,
           "a fetch");
}

static bool over(void)
{
    return got.ends + got.errors == 1;
}

/* One request and its answer. */
static void round_trip(const char *sni)
{
    fetch(sni, SOTTO_LIT(REQUEST));
    gateway.last = NULL;
    UNTIL(loop, gateway.last != NULL || over());
    if (gateway.last != NULL) {
        sotto_exchange_reply(gateway.last, 200, SOTTO_LIT(""), SOTTO_LIT("hello"));
    }
    UNTIL(loop, over());
}

static struct sotto_pool_stats stats(void)
{
    struct sotto_pool_stats s;
    sotto_pool_stats(pool, &s);
    return s;
}

static void test_both_ways(void)
{
    printf("# both ways\n");
    begin("good.pem", "good.key", "ca.pem");
    for (int i = 0; i < 3; i++) {
        round_trip(NULL);
        IS_INT(got.ends, 1, "request %d is answered", i);
        IS_TEXT(got.body.base, got.body.len, "hello", "in full");
    }
    OK((gateway.flags & SOTTO_REQUEST_TLS) != 0 && (gateway.flags & SOTTO_REQUEST_LOOPBACK) != 0,
       "the listener is known");
    OK(stats().connects == 1 && stats().reused == 2, "over one connection");
    round_trip("api.example");
    IS_INT(got.ends, 1, "another name of the certificate");
    IS_INT(stats().connects, 2, "is another origin");

    /* Streams, and a body of many records each way. */
    static uint8_t big[700000];
    struct sotto_buf request;
    sotto_buf_init(&request, 1 << 20);
    sotto_ignore(sotto_buf_printf(
        &request, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", sizeof(big)));
    sotto_ignore(sotto_buf_append(&request, sotto_span_init(big, sizeof(big))));
    gateway.last = NULL;
    fetch(NULL, sotto_buf_span(&request));
    UNTIL(loop, gateway.last != NULL || over());
    IS_SIZE(gateway.body_len, sizeof(big), "a long request");
    sotto_exchange_stream(gateway.last, 200, SOTTO_LIT(""));
    for (int i = 0; i < 5; i++) {
        OK(sotto_exchange_write(gateway.last, SOTTO_LIT("piece"), false), "piece %d", i);
        UNTIL(loop, got.body.len == 5 * (size_t)(i + 1));
        IS_SIZE(got.body.len, 5 * (size_t)(i + 1), "arrives by itself");
    }
    OK(sotto_exchange_write(gateway.last, sotto_span_init(big, sizeof(big)), true), "a long piece");
    UNTIL(loop, over());
    OK(got.ends == 1 && got.body.len == sizeof(big) + 25, "and a long answer");

    /* Back-pressure through TLS. */
    gateway.last = NULL;
    fetch(NULL, SOTTO_LIT(REQUEST));
    UNTIL(loop, gateway.last != NULL);
    got.pause = true;
    sotto_exchange_stream(gateway.last, 200, SOTTO_LIT(""));
    size_t written = 0;
    while (gateway.full == 0 && written < (size_t)64 << 20) {
        OK(sotto_exchange_write(gateway.last, sotto_span_init(big, 65536), false), "write");
        written += 65536;
        rig_settle(loop);
    }
    OK(gateway.full == 1 && got.body.len <= 2 * SOTTO_LOOP_SCRATCH_BYTES, "a paused reader");
    got.pause = false;
    sotto_fetch_resume(got.fetch);
    OK(sotto_exchange_write(gateway.last, SOTTO_LIT("."), true), "the end");
    UNTIL(loop, over());
    OK(got.ends == 1 && got.body.len == written + 1, "loses nothing");
    sotto_buf_free(&request);

    /* The client goes away. */
    gateway.last = NULL;
    fetch(NULL, SOTTO_LIT(REQUEST));
    UNTIL(loop, gateway.last != NULL);
    sotto_fetch_cancel(got.fetch);
    UNTIL(loop, gateway.gone == 1);
    IS_INT(gateway.gone, 1, "a cancelled fetch is seen by the server");

    /* The server breaks off. */
    gateway.last = NULL;
    fetch(NULL, SOTTO_LIT(REQUEST));
    UNTIL(loop, gateway.last != NULL);
    sotto_exchange_stream(gateway.last, 200, SOTTO_LIT(""));
    OK(sotto_exchange_write(gateway.last, SOTTO_LIT("half"), false), "half an answer");
    sotto_exchange_abort(gateway.last);
    UNTIL(loop, over());
    OK(got.errors == 1 && got.error == SOTTO_FETCH_CUT, "is an error");
    end();
}

static void test_verification(void)
{
    printf("# verification\n");
    begin("good.pem", "good.key", NULL);
    round_trip(NULL);
    OK(got.errors == 1 && got.error == SOTTO_FETCH_TLS, "an unknown authority is refused");
    OK(strstr(got.reason, "certificate") != NULL, "and said so: %s", got.reason);
    IS_INT(gateway.requests, 0, "nothing was sent");
    end();

    begin("good.pem", "good.key", NULL);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread. */
    IS_INT(setenv("SSL_CERT_FILE", certs_path("ca.pem"), 1), 0, "SSL_CERT_FILE");
    sotto_pool_free(pool);
    sotto_tls_context_drop(client_tls);
    struct sotto_client_limits limits = sotto_client_limits_default();
    if (sotto_tls_client_new(NULL, &client_tls) != SOTTO_OK ||
        sotto_pool_new(loop, resolver, client_tls, &limits, &pool) != SOTTO_OK) {
        abort();
    }
    unsetenv("SSL_CERT_FILE"); /* NOLINT(concurrency-mt-unsafe): likewise */
    round_trip(NULL);
    IS_INT(got.ends, 1, "is trusted");
    end();

    begin("expired.pem", "expired.key", "ca.pem");
    round_trip(NULL);
    OK(got.errors == 1 && got.error == SOTTO_FETCH_TLS, "an expired certificate is refused");
    OK(strstr(got.reason, "expired") != NULL, "and said so: %s", got.reason);
    end();

    begin("other.pem", "other.key", "ca.pem");
    round_trip(NULL);
    OK(got.errors == 1 && got.error == SOTTO_FETCH_TLS, "a wrong address is refused: %s",
       got.reason);
    round_trip("localhost");
    OK(got.errors == 1 && got.error == SOTTO_FETCH_TLS, "a wrong name is refused: %s", got.reason);
    round_trip("other.example");
    IS_INT(got.ends, 1, "the right one is not");
    end();
}

static void test_reload(void)
{
    printf("# reload\n");
    begin("good.pem", "good.key", "ca.pem");
    round_trip(NULL);
    IS_INT(got.ends, 1, "before");
    IS_INT(sotto_tls_server_reload(server_tls, certs_path("garbage.pem"), certs_path("good.key")),
           SOTTO_EFORMAT, "garbage is refused");
    IS_INT(sotto_tls_server_reload(server_tls, certs_path("missing.pem"), certs_path("good.key")),
           SOTTO_ENOTFOUND, "a missing file is");
    IS_INT(sotto_tls_server_reload(server_tls, certs_path("good.pem"), certs_path("missing.key")),
           SOTTO_ENOTFOUND, "a missing key is");
    IS_INT(sotto_tls_server_reload(server_tls, certs_path("good.pem"), certs_path("other.key")),
           SOTTO_EINVAL, "a key of another certificate is");
    round_trip("api.example");
    IS_INT(got.ends, 1, "the old certificate stays");
    IS_INT(
        sotto_tls_server_reload(server_tls, certs_path("renewed.pem"), certs_path("renewed.key")),
        SOTTO_OK, "a new one is taken");
    round_trip(NULL);
    IS_INT(got.ends, 1, "running connections go on");
    round_trip("localhost");
    IS_INT(got.ends, 1, "new ones get the new certificate");
    struct sotto_tls_context *context;
    IS_INT(sotto_tls_client_new(certs_path("garbage.pem"), &context), SOTTO_EFORMAT,
           "garbage is no authority");
    end();
}

/* Runs a handshake of two sessions over a pair of sockets. */
static bool handshake(struct sotto_tls_context *server_side, struct sotto_tls_context *client_side,
                      struct sotto_tls_ticket **ticket, struct sotto_tls *out[2], int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0 ||
        sotto_tls_new(server_side, fds[0], NULL, NULL, &out[0]) != SOTTO_OK ||
        sotto_tls_new(client_side, fds[1], "localhost", ticket, &out[1]) != SOTTO_OK) {
        abort();
    }
    enum sotto_tls_result results[2] = {SOTTO_TLS_AGAIN, SOTTO_TLS_AGAIN};
    for (int i = 0; i < 20; i++) {
        for (size_t side = 0; side < 2; side++) {
            sotto_tls_readable(out[side], false);
            if (results[side] == SOTTO_TLS_AGAIN) {
                results[side] = sotto_tls_handshake(out[side]);
            }
        }
    }
    return results[0] == SOTTO_TLS_OK && results[1] == SOTTO_TLS_OK;
}

static void test_sessions(void)
{
    printf("# sessions\n");
    struct sotto_tls_ticket *ticket = NULL;
    struct sotto_tls *tls[2];
    int fds[2];
    char text[32];
    size_t n = 0;
    IS_INT(sotto_tls_server_new(certs_path("good.pem"), certs_path("good.key"), &server_tls),
           SOTTO_OK, "a server");
    IS_INT(sotto_tls_client_new(certs_path("ca.pem"), &client_tls), SOTTO_OK, "a client");
    for (int i = 0; i < 2; i++) {
        OK(handshake(server_tls, client_tls, &ticket, tls, fds), "handshake %d", i);
        OK(sotto_tls_ready(tls[0]) && sotto_tls_ready(tls[1]), "both are ready");
        IS_TEXT(sotto_tls_group(tls[0]), strlen(sotto_tls_group(tls[0])), "X25519MLKEM768",
                "with the hybrid of X25519 and ML-KEM");
        IS_INT(sotto_tls_resumed(tls[1]), i, "%s", i == 0 ? "from scratch" : "resumed");
        const struct iovec iov[] = {{.iov_base = text, .iov_len = 0},
                                    {.iov_base = (char[]){'a', 'b'}, .iov_len = 2},
                                    {.iov_base = (char[]){'c'}, .iov_len = 1}};
        OK(sotto_tls_writev(tls[0], iov, 3, &n) == SOTTO_TLS_OK && n == 3, "three bytes");
        sotto_tls_readable(tls[1], false);
        OK(sotto_tls_read(tls[1], text, sizeof(text), &n) == SOTTO_TLS_OK, "are read");
        IS_TEXT(text, n, "abc", "as one");
        IS_INT(sotto_tls_read(tls[1], text, sizeof(text), &n), SOTTO_TLS_AGAIN, "there is no more");
        sotto_tls_shutdown(tls[0]);
        sotto_tls_readable(tls[1], false);
        IS_INT(sotto_tls_read(tls[1], text, sizeof(text), &n), SOTTO_TLS_END, "then the end");
        sotto_tls_free(tls[0]);
        sotto_tls_free(tls[1]);
        close(fds[0]);
        close(fds[1]);
        OK(ticket != NULL, "a ticket is kept");
    }
    sotto_tls_ticket_free(ticket);
    sotto_tls_ticket_free(NULL);

    /* Cut off without a goodbye: not the same as an end. */
    OK(handshake(server_tls, client_tls, NULL, tls, fds), "a handshake");
    sotto_tls_free(tls[0]);
    close(fds[0]);
    sotto_tls_readable(tls[1], true);
    IS_INT(sotto_tls_read(tls[1], text, sizeof(text), &n), SOTTO_TLS_FAILED, "cut off");
    OK(strlen(sotto_tls_reason(tls[1])) > 0, "has a reason: %s", sotto_tls_reason(tls[1]));
    IS_INT(sotto_tls_read(tls[1], text, sizeof(text), &n), SOTTO_TLS_FAILED, "and stays so");
    IS_INT(sotto_tls_handshake(tls[1]), SOTTO_TLS_FAILED, "for all calls");
    sotto_tls_shutdown(tls[1]);
    sotto_tls_free(tls[1]);
    close(fds[1]);
    sotto_tls_free(NULL);

    for (size_t fault = 1; fault < 400; fault += 7) { /* somewhere in OpenSSL, too */
        struct sotto_tls *one = NULL;
        sotto_alloc_set_fault(fault);
        enum sotto_err err = sotto_tls_new(client_tls, 0, "localhost", NULL, &one);
        size_t seen = sotto_alloc_set_fault(0);
        OK(err == SOTTO_OK ? one != NULL : one == NULL, "fault %zu: all or nothing", fault);
        sotto_tls_free(one);
        if (seen < fault) {
            break;
        }
    }
    sotto_tls_context_drop(server_tls);
    sotto_tls_context_drop(client_tls);
    sotto_tls_context_drop(NULL);
}

static void test_strangers(void)
{
    printf("# strangers\n");
    struct sotto_buf in;
    struct sotto_server_stats s;
    begin("good.pem", "good.key", "ca.pem");
    sotto_buf_init(&in, 1 << 20);
    int fd = rig_connect(port);
    OK(rig_send(loop, fd, SOTTO_LIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n")),
       "plain HTTP to a TLS port");
    OK(rig_rest(loop, fd, &in) != RIG_OPEN, "is closed");
    close(fd);
    UNTIL(loop, (sotto_server_stats(server, &s), s.open == 0));
    fd = rig_connect(port);
    UNTIL(loop, (sotto_server_stats(server, &s), s.open == 1));
    sotto_loop_skip_ms(loop, 11000);
    OK(rig_rest(loop, fd, &in) != RIG_OPEN, "silence instead of a handshake is closed after 10 s");
    close(fd);
    IS_INT(gateway.requests, 0, "neither was a request");

    /* A plain server where TLS is expected, and one that says nothing. */
    uint16_t plain_port;
    int listener = rig_listen(&plain_port);
    uint16_t tls_port = port;
    port = plain_port;
    fetch(NULL, SOTTO_LIT(REQUEST));
    fd = rig_accept(loop, listener);
    OK(rig_send(loop, fd, SOTTO_LIT("HTTP/1.1 400 Bad Request\r\n\r\n")), "a plain upstream");
    UNTIL(loop, over());
    OK(got.errors == 1 && got.error == SOTTO_FETCH_TLS, "fails the handshake: %s", got.reason);
    close(fd);
    fetch(NULL, SOTTO_LIT(REQUEST));
    fd = rig_accept(loop, listener);
    rig_settle(loop);
    sotto_loop_skip_ms(loop, 6000);
    UNTIL(loop, over());
    OK(got.errors == 1 && got.error == SOTTO_FETCH_TIMEOUT, "one that says nothing times out");
    close(fd);
    fetch(NULL, SOTTO_LIT(REQUEST));
    fd = rig_accept(loop, listener);
    close(fd);
    UNTIL(loop, over());
    OK(got.errors == 1 && got.error == SOTTO_FETCH_TLS, "one that closes fails: %s", got.reason);
    close(listener);
    port = tls_port;
    sotto_buf_free(&in);
    end();
}

/* A client of OpenSSL's own with given versions and protocols; whether it gets through. */
static bool stranger(int max_version, const char *protocols, char *selected)
{
    int fds[2];
    struct sotto_tls *ours;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(ctx, max_version);
    SSL *ssl = SSL_new(ctx);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0 ||
        sotto_tls_new(server_tls, fds[0], NULL, NULL, &ours) != SOTTO_OK) {
        abort();
    }
    if (protocols != NULL) {
        SSL_set_alpn_protos(ssl, (const unsigned char *)protocols, (unsigned)strlen(protocols));
    }
    SSL_set_fd(ssl, fds[1]);
    SSL_set_connect_state(ssl);
    bool done = false;
    for (int i = 0; i < 20 && !done; i++) {
        int result = SSL_do_handshake(ssl);
        sotto_tls_readable(ours, false);
        done = sotto_tls_handshake(ours) == SOTTO_TLS_OK && result == 1;
    }
    const unsigned char *name = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(ssl, &name, &len);
    snprintf(selected, 32, "%.*s", (int)len, len != 0 ? (const char *)name : "");
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    sotto_tls_free(ours);
    close(fds[0]);
    close(fds[1]);
    return done;
}

static void test_versions(void)
{
    printf("# versions and protocols\n");
    char selected[32];
    IS_INT(sotto_tls_server_new(certs_path("good.pem"), certs_path("good.key"), &server_tls),
           SOTTO_OK, "a server");
    OK(stranger(TLS1_3_VERSION, NULL, selected), "TLS 1.3");
    OK(stranger(TLS1_2_VERSION, NULL, selected), "TLS 1.2");
    OK(!stranger(TLS1_1_VERSION, NULL, selected), "no TLS 1.1");
    OK(stranger(TLS1_3_VERSION, "\x02h2\x08http/1.1", selected), "a browser");
    IS_TEXT(selected, strlen(selected), "h2", "gets HTTP/2");
    OK(!stranger(TLS1_3_VERSION, "\x04imap", selected), "another protocol is refused");
    sotto_tls_context_drop(server_tls);
}

int main(void)
{
    if (sotto_crypto_init() != SOTTO_OK) {
        abort();
    }
    certs_make();
    test_both_ways();
    test_verification();
    test_reload();
    test_sessions();
    test_strangers();
    test_versions();
    certs_remove();
    return done_testing();
}
