/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_NET_SERVER_H
#define SOTTO_NET_SERVER_H

/*
 * The HTTP server of one event loop.  Each thread has one; their listeners share addresses by
 * SO_REUSEPORT, and a connection stays with the thread that accepted it.
 *
 * A request is an *exchange*, with a number of its own; it belongs to a stream, not to a
 * connection.  HTTP/1.1 today: pipelined requests wait and are answered in order.  Another
 * version comes behind the same functions.
 *
 * Life of an exchange: on_request() - then any of: one sotto_exchange_reply(), or one
 * sotto_exchange_stream() and writes up to the last one - and it is over; or on_gone(), or
 * sotto_exchange_abort(), and it is over.  An exchange that is over must not be used again.
 *
 * The server answers by itself only what is no request (400, 408, 413, 415, 417, 431, 503); the
 * gateway writes those bodies in on_refused().
 */

#include "base/buf.h"
#include "http/request.h"
#include "net/loop.h"

struct sotto_server;
struct sotto_exchange;
struct sotto_tls_context;

/* Flags of a request; the values are those of the OPEN message. */
#define SOTTO_REQUEST_TLS      4U
#define SOTTO_REQUEST_LOOPBACK 8U  /* listener and client have loopback addresses */
#define SOTTO_REQUEST_ADMIN    16U /* the listener was opened with this flag */

struct sotto_server_request {
    uint64_t id;      /* of the exchange: unique in the process, never 0 */
    sotto_span head;  /* block for sotto_http_head_index(); borrowed for the call */
    sotto_span body;  /* whole; borrowed for the call, wiped after it */
    uint32_t flags;   /* SOTTO_REQUEST_... */
    int64_t begun_us; /* sys/clock.h time of the first byte */
    int64_t age_us;   /* microseconds since then */
};

struct sotto_server_handler {
    /** A whole request.  May answer at once or later. */
    void (*on_request)(void *ctx, struct sotto_exchange *x, const struct sotto_server_request *req);

    /** The client went away, or stopped reading for too long; the exchange is over. */
    void (*on_gone)(void *ctx, struct sotto_exchange *x);

    /**
     * More than high_bytes wait to be sent (`full`): stop writing.  Fewer than low_bytes again
     * (not `full`): go on.  Writes are taken in any case up to out_bytes.  May be NULL.
     */
    void (*on_flow)(void *ctx, struct sotto_exchange *x, bool full);

    /**
     * The server refuses what is no request.  Appends header lines ("Content-Type: ...\r\n") and a
     * body.  `reason` is static text.  May be NULL: then there is no body.
     */
    void (*on_refused)(void *ctx, int status, const char *reason, struct sotto_buf *lines,
                       struct sotto_buf *body);

    /** After sotto_server_drain(): the last connection is closed.  May be NULL. */
    void (*on_drained)(void *ctx);
};

/** All in milliseconds and bytes; sotto_server_limits_default() has those of the contract. */
struct sotto_server_limits {
    struct sotto_http_limits http;
    int64_t head_ms;        /* from the first byte of a head (TLS: from accept) to its end: 10 s */
    int64_t body_window_ms; /* in each window of this length (10 s) ... */
    size_t body_window_bytes; /* ... at least this much of a body has to come (10 KiB) */
    int64_t keep_alive_ms;    /* idle connections: 75 s */
    int64_t send_ms;          /* nothing of what waits could be sent: 60 s, then on_gone() */
    size_t high_bytes;        /* on_flow(full): 128 KiB */
    size_t low_bytes;         /* on_flow(not full): 32 KiB */
    size_t out_bytes;         /* most that may wait; beyond, the exchange is aborted: 64 MiB */
    size_t connections;       /* most connections of this server: 20,000 */
};

struct sotto_server_limits sotto_server_limits_default(void);

struct sotto_server_stats {
    uint64_t accepted;
    uint64_t refused;  /* requests the server refused by itself */
    uint64_t requests; /* exchanges begun */
    uint64_t gone;     /* exchanges whose client went away */
    size_t open;       /* connections now */
    size_t running;    /* exchanges now */
};

/**
 * @param loop     borrowed; must outlive the server
 * @param handler  borrowed; must outlive the server
 * @param[out] out set only on SOTTO_OK; freed with sotto_server_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_server_new(struct sotto_loop *loop, const struct sotto_server_handler *handler, void *ctx,
                 const struct sotto_server_limits *limits, struct sotto_server **out);

/** Closes everything at once, without on_gone(); NULL is allowed. */
void sotto_server_free(struct sotto_server *server);

/**
 * Listens.
 *
 * @param address  "127.0.0.1", "::1", "0.0.0.0", "::", "localhost" or another local IP address
 * @param port     0: a free one
 * @param tls      NULL: plain; else another owner is added
 * @param flags    SOTTO_REQUEST_ADMIN or 0
 * @param[out] bound_port  may be NULL
 *
 * @retval SOTTO_EINVAL   not an address
 * @retval SOTTO_EEXISTS  somebody else has the port
 * @retval SOTTO_EDENIED, SOTTO_EIO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_server_listen(struct sotto_server *server,
                                                    const char *address, uint16_t port,
                                                    struct sotto_tls_context *tls, uint32_t flags,
                                                    uint16_t *bound_port);

/**
 * Stops accepting, lets exchanges finish, closes idle connections, then calls on_drained().  What
 * has been sent by then is still read: on_request() may be called inside.
 */
void sotto_server_drain(struct sotto_server *server);

void sotto_server_stats(const struct sotto_server *server, struct sotto_server_stats *stats);

/** Changes the limits for what comes from now on. */
void sotto_server_set_limits(struct sotto_server *server, const struct sotto_server_limits *limits);

/** The number of the exchange. */
uint64_t sotto_exchange_id(const struct sotto_exchange *x);

/** A pointer of the gateway's own; NULL at first. */
void sotto_exchange_set_user(struct sotto_exchange *x, void *user);
void *sotto_exchange_user(const struct sotto_exchange *x);

/**
 * Answers whole, in one write.  Content-Length, Date and Connection are written by the server.
 * The exchange is over.
 *
 * @param lines  "Name: value\r\n..." (http/write.h); borrowed for the call; no Content-Length,
 *               Transfer-Encoding, Connection or Date
 * @param body   borrowed for the call
 */
void sotto_exchange_reply(struct sotto_exchange *x, int status, sotto_span lines, sotto_span body);

/**
 * Begins an answer of unknown length: chunked, or until close for HTTP/1.0.  The head goes out with
 * the first write, at the latest at the end of this round of the loop.
 */
void sotto_exchange_stream(struct sotto_exchange *x, int status, sotto_span lines);

/**
 * Sends a piece at once, in one write; `last` completes the answer (in the same write) and the
 * exchange is over.  An empty piece sends nothing but the end.
 *
 * @return false: the exchange was aborted (over out_bytes, or no memory) and is over; on_gone() is
 *         not called
 */
bool sotto_exchange_write(struct sotto_exchange *x, sotto_span piece, bool last);

/** Bytes that wait to be sent. */
size_t sotto_exchange_waiting(struct sotto_exchange *x);

/** Ends without completing the answer: the connection is closed, so that the client notices. */
void sotto_exchange_abort(struct sotto_exchange *x);

#endif
