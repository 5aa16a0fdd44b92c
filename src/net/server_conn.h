/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_NET_SERVER_CONN_H
#define SOTTO_NET_SERVER_CONN_H

/*
 * A connection of net/server.h and who does what with it: server.c has the listeners and the
 * server itself, server_conn.c the life of a connection (handshake, reading, sending, time limits,
 * end), server_h1.c and server_h2.c what a version of HTTP makes of its bytes.  Used inside
 * net/server*.c only.
 */

#include "base/buf.h"
#include "http/h2_server.h"
#include "net/server.h"
#include "net/wire.h"

/* Most bytes of pipelined requests that wait for an answer in front of them. */
#define SOTTO_CONN_WAITING_MAX SOTTO_LOOP_SCRATCH_BYTES

enum sotto_conn_state {
    CONN_HANDSHAKE, /* TLS */
    CONN_IDLE,      /* between requests */
    CONN_READING,   /* in a request */
    CONN_RUNNING,   /* its exchange runs */
    CONN_FLUSHING,  /* the answer is complete and waits to be sent */
    CONN_LINGERING, /* our direction is closed */
    CONN_MULTI,     /* HTTP/2: its streams have states of their own */
    CONN_DEAD,
};

struct sotto_exchange {
    uint64_t id;
    void *user;
    struct sotto_conn *conn;        /* HTTP/2; NULL: HTTP/1.x, and it lies in its connection */
    struct sotto_h2_stream *stream; /* HTTP/2, as the next two; NULL: it is over */
    struct sotto_exchange *prev, *next;
    bool streaming; /* the head has been written */
    bool chunked;
    bool bodiless; /* HEAD, 204, 304: the body is not sent */
    bool full;     /* on_flow(full) was called */
    bool over;     /* HTTP/2 */
};

struct sotto_conn {
    struct sotto_conn *prev, *next;
    struct sotto_server *server;
    struct sotto_watch watch;
    struct sotto_timer timer;
    struct sotto_task task;      /* reads on, or frees */
    struct sotto_task head_task; /* sends the head of a stream, where no piece came with it */
    struct sotto_wire wire;
    struct sotto_http_request *parser;
    enum sotto_conn_state state;
    uint32_t flags;
    struct sotto_buf waiting; /* read, not yet parsed: pipelined behind the running request */
    struct sotto_buf out;     /* not yet sent, from out_at on */
    size_t out_at;
    size_t counted;   /* body bytes in this window; discarded bytes when lingering */
    int64_t begun_us; /* first byte of the request */
    bool keep;        /* stays open behind this answer */
    bool is_11;
    bool
        reading; /* inside sotto_conn_read_on(): what ends an exchange must not start another there */
    struct sotto_exchange exchange;
    struct sotto_h2_server *h2; /* HTTP/2 */
    int64_t stuck_us; /* HTTP/2: since when nothing of what waits could be sent; 0: nothing waits */
    struct sotto_exchange *exchanges; /* those of its streams that run */
};

struct sotto_server {
    struct sotto_loop *loop;
    const struct sotto_server_handler *handler;
    void *ctx;
    struct sotto_server_limits limits;
    struct server_listener *listeners;
    struct sotto_conn *conns;
    struct sotto_server_stats stats;
    struct sotto_buf head; /* where heads are put together */
    struct sotto_task drained;
    uint64_t next_id;
    int64_t date_s;
    char date[32]; /* "Sun, 06 Nov 1994 08:49:37 GMT" of date_s */
    bool draining;
};

/* --- server_conn.c: life ---------------------------------------------------------------------- */

/**
 * Begins to serve an accepted socket.
 *
 * @param fd     owned from SOTTO_OK on
 * @param tls    of the listener; NULL: plain
 * @param flags  SOTTO_REQUEST_...
 * @retval SOTTO_ENOMEM, SOTTO_EIO, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_conn_open(struct sotto_server *server, int fd,
                                                struct sotto_tls_context *tls, uint32_t flags);

/** Closes at once.  The memory stays until the end of the round: callers may still look at it. */
void sotto_conn_kill(struct sotto_conn *c);

/** Frees what sotto_conn_kill() left, at the end of the round. */
void sotto_conn_free(struct sotto_task *task);

/** The client went away, or let us wait for too long: on_gone(), then closes. */
void sotto_conn_lose(struct sotto_conn *c);

/** Reads and hands on what comes, as long as it is wanted and others get their turn. */
void sotto_conn_read_on(struct sotto_conn *c);

/** As a task of the connection: sotto_conn_read_on(). */
void sotto_conn_read_task(struct sotto_task *task);

/** Half-closes and throws away what comes, so that no reset overtakes the answer (RFC 9112 9.6). */
void sotto_conn_linger(struct sotto_conn *c);

/** After sotto_server_drain(): tells the handler once no connection is left. */
void sotto_server_check_drained(struct sotto_server *server);

/* --- server_conn.c: sending ------------------------------------------------------------------- */

/** Bytes that wait to be sent. */
static inline size_t sotto_conn_waiting(const struct sotto_conn *c)
{
    return c->out.len - c->out_at;
}

/** Tells the exchange when what waits passes high_bytes or falls below low_bytes. */
void sotto_conn_set_flow(struct sotto_conn *c);

/**
 * Appends the pieces behind the first `skip` bytes to what waits.
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_conn_enqueue(struct sotto_conn *c, const struct iovec *iov,
                                                   int count, size_t skip);

/**
 * Sends now what goes, in one write if nothing waits already; keeps the rest.
 * @retval SOTTO_ECLOSED                the client is gone
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_conn_send(struct sotto_conn *c, const struct iovec *iov,
                                                int count);

/** Sends what waits.  False: the connection is lost. */
bool sotto_conn_flush(struct sotto_conn *c);

/** "Sun, 06 Nov 1994 08:49:37 GMT" of now; valid until the next call. */
const char *sotto_server_date(struct sotto_server *server);

/* --- server_h1.c ------------------------------------------------------------------------------ */

/** Parses `in` request by request; keeps what has to wait for an answer. */
void sotto_server_h1_input(struct sotto_conn *c, sotto_span in);

/** Goes on with requests that were read while another one ran. */
void sotto_server_h1_take_waiting(struct sotto_conn *c);

/** The answer has been sent in full. */
void sotto_server_h1_answer_sent(struct sotto_conn *c);

/** The server's own answer to what is no request; the connection ends behind it. */
void sotto_server_h1_refuse(struct sotto_conn *c, int status, const char *reason);

/** The end of a time window inside a body. */
void sotto_server_h1_body_window(struct sotto_conn *c);

/* What net/server.h says of exchanges. */
void sotto_server_h1_reply(struct sotto_exchange *x, int status, sotto_span lines, sotto_span body);
void sotto_server_h1_stream(struct sotto_exchange *x, int status, sotto_span lines);
bool sotto_server_h1_write(struct sotto_exchange *x, sotto_span piece, bool last);
size_t sotto_server_h1_waiting(struct sotto_exchange *x);
void sotto_server_h1_abort(struct sotto_exchange *x);

/* --- server_h2.c ------------------------------------------------------------------------------ */

/** The handshake agreed on HTTP/2: begins it.  False: no memory. */
bool sotto_server_h2_begin(struct sotto_conn *c);

/** Takes what the client sent. */
void sotto_server_h2_input(struct sotto_conn *c, sotto_span in);

/** Sends what goes: room was made, or something is to be sent. */
void sotto_server_h2_pump(struct sotto_conn *c);

/** Looks at the time limits. */
void sotto_server_h2_tick(struct sotto_conn *c);

/** Lets streams finish, then closes. */
void sotto_server_h2_drain(struct sotto_conn *c);

/** Ends all exchanges; `tell`: on_gone() for each. */
void sotto_server_h2_end(struct sotto_conn *c, bool tell);

void sotto_server_h2_reply(struct sotto_exchange *x, int status, sotto_span lines, sotto_span body);
void sotto_server_h2_stream(struct sotto_exchange *x, int status, sotto_span lines);
bool sotto_server_h2_write(struct sotto_exchange *x, sotto_span piece, bool last);
size_t sotto_server_h2_waiting(struct sotto_exchange *x);
void sotto_server_h2_abort(struct sotto_exchange *x);

#endif
