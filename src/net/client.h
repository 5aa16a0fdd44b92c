/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_NET_CLIENT_H
#define SOTTO_NET_CLIENT_H

/*
 * The HTTP client side of one event loop: a pool of connections to each origin.
 *
 * HTTP/1.1: connections are reused newest first and closed when idle for idle_ms.  A request whose
 * *reused* connection turns out to be closed before any byte of an answer came is sent once more, on
 * a new connection.
 *
 * HTTP/2, where the origin may and TLS agreed on it (ALPN): a connection carries as many requests as
 * the upstream takes, then another one is opened; until the first answer of an origin it is taken to
 * speak it, so that requests wait for one handshake together.  A request that the upstream says it
 * did not begin with (GOAWAY, REFUSED_STREAM) is sent again on another connection, SOTTO_FETCH_RESENT
 * times at most.  A connection that is silent for SOTTO_FETCH_PING_MS while requests run is asked for
 * a sign of life, and given up when none comes in SOTTO_FETCH_PONG_MS.
 *
 * Nothing else is ever repeated.
 *
 * Life of a fetch: sotto_fetch_start() - on_head() - on_body()... - on_end(); or on_error() at any
 * place, and nothing after it; or sotto_fetch_cancel(), and no callback after it.  After on_end(),
 * on_error() (when they have returned) and sotto_fetch_cancel() the handle is gone.  No callback
 * runs inside sotto_fetch_start().
 */

#include "base/span.h"
#include "net/loop.h"

/** How often a request that was refused is sent again. */
#define SOTTO_FETCH_RESENT 4
/** HTTP/2: silence before a PING, and the time for its answer. */
#define SOTTO_FETCH_PING_MS 30000
#define SOTTO_FETCH_PONG_MS 15000

struct sotto_pool;
struct sotto_fetch;
struct sotto_resolver;
struct sotto_tls_context;

/** Why a fetch failed. */
enum sotto_fetch_error {
    SOTTO_FETCH_UNREACHABLE, /* no address, refused, no route, connection lost before an answer */
    SOTTO_FETCH_TIMEOUT,     /* connecting, first byte or silence in the middle took too long */
    SOTTO_FETCH_TLS,         /* certificate not trusted, wrong name, handshake failed */
    SOTTO_FETCH_PROTOCOL,    /* the answer is no HTTP, or its head is too long */
    SOTTO_FETCH_CUT,         /* closed in the middle of the answer */
    SOTTO_FETCH_BUSY,        /* all connections of the origin were in use for queue_ms */
    SOTTO_FETCH_MEMORY,
};

/** Static text for `error`, "upstream_unreachable" and so on; never NULL. */
const char *sotto_fetch_error_text(enum sotto_fetch_error error);

struct sotto_fetch_handler {
    /** The final head of the answer.  `head` is a block for sotto_http_head_index(). */
    void (*on_head)(void *ctx, struct sotto_fetch *fetch, int status, sotto_span head);
    /** A piece of the body, without framing; borrowed for the call. */
    void (*on_body)(void *ctx, struct sotto_fetch *fetch, sotto_span piece);
    /** The answer is complete. */
    void (*on_end)(void *ctx, struct sotto_fetch *fetch);
    /** It is not.  `reason` is static text without content. */
    void (*on_error)(void *ctx, struct sotto_fetch *fetch, enum sotto_fetch_error error,
                     const char *reason);
};

struct sotto_origin {
    sotto_span host; /* a name, an IPv4 address, or an IPv6 address without brackets */
    uint16_t port;
    bool tls;
    sotto_span sni; /* name to verify instead of `host`; empty: `host` */
    bool http2;     /* with `tls`: HTTP/2 is offered beside HTTP/1.1 */
};

struct sotto_client_limits {
    int64_t connect_ms;    /* name, connection and TLS handshake: 5 s */
    int64_t first_byte_ms; /* from the request sent to the first byte of the answer: 300 s */
    int64_t silence_ms;    /* between pieces of the answer: 300 s */
    int64_t idle_ms;       /* an unused connection is closed: 55 s */
    int64_t age_ms;     /* one that is older is not kept, so that a moved name is noticed: 600 s */
    int64_t queue_ms;   /* waiting for a free connection: 10 s */
    size_t connections; /* most to one origin: 1,024 */
    size_t queued;      /* most fetches waiting for one origin: 4,096 */
    size_t head_bytes;  /* of an answer: 64 KiB */
};

struct sotto_client_limits sotto_client_limits_default(void);

struct sotto_pool_stats {
    uint64_t fetches;
    uint64_t connects; /* connections begun */
    uint64_t reused;   /* fetches that took an idle connection, or one of HTTP/2 that was there */
    uint64_t retried;
    uint64_t failed;
    size_t open;    /* connections now */
    size_t idle;    /* of these, unused */
    size_t waiting; /* fetches that wait for a connection */
};

/**
 * @param loop      borrowed
 * @param resolver  borrowed; may be shared with other pools
 * @param tls       client context; another owner is added; NULL: no TLS origins
 * @param[out] out  set only on SOTTO_OK; freed with sotto_pool_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_pool_new(struct sotto_loop *loop,
                                               struct sotto_resolver *resolver,
                                               struct sotto_tls_context *tls,
                                               const struct sotto_client_limits *limits,
                                               struct sotto_pool **out);

/** Closes all connections and drops all fetches without callbacks; NULL is allowed. */
void sotto_pool_free(struct sotto_pool *pool);

void sotto_pool_stats(const struct sotto_pool *pool, struct sotto_pool_stats *stats);

/**
 * Sends a request.
 *
 * @param origin   borrowed for the call
 * @param request  of HTTP/1.1, head and body, complete, with "Connection: keep-alive" or nothing of
 *                 the kind; borrowed for the call (copied; wiped)
 * @param handler  borrowed until the fetch is over
 * @param[out] out set only on SOTTO_OK
 *
 * @retval SOTTO_EINVAL  a TLS origin without a TLS context, an empty or over-long host
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_fetch_start(struct sotto_pool *pool, const struct sotto_origin *origin, sotto_span request,
                  const struct sotto_fetch_handler *handler, void *ctx, struct sotto_fetch **out);

/** Ends it: closes its connection, or cancels its stream, at once; no callback follows. */
void sotto_fetch_cancel(struct sotto_fetch *fetch);

/** Stops reading: the upstream is held back by TCP or HTTP/2's flow control.  The silence limit
 * stands still. */
void sotto_fetch_pause(struct sotto_fetch *fetch);

/** Reads on.  Callbacks come later, not inside this call. */
void sotto_fetch_resume(struct sotto_fetch *fetch);

/**
 * What still comes matters to nobody: reads on, so that the connection can serve again, but fails
 * with SOTTO_FETCH_TIMEOUT unless the answer is complete within `ms`.  Ends a pause.
 */
void sotto_fetch_let_end(struct sotto_fetch *fetch, int64_t ms);

#endif
