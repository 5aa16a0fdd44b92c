/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_NET_CLIENT_POOL_H
#define SOTTO_NET_CLIENT_POOL_H

/*
 * The inside of net/client.h, and who does what: client.c has the pools, their origins, the queue
 * in front of each and what callers hold, client_conn.c the life of a connection (name, address,
 * handshake, time limits, end), client_h1.c and client_h2.c what HTTP/1.1 and HTTP/2 make of its
 * bytes.  Used inside net/client*.c only.
 */

#include "base/buf.h"
#include "http/h2_client.h"
#include "http/response.h"
#include "net/client.h"
#include "net/resolver.h"
#include "net/wire.h"

/*
 *   RESOLVING --> CONNECTING --> (HANDSHAKE) --> BUSY <--> IDLE
 *                                            \-> MULTI
 *
 * From any of them to DEAD.  All but IDLE, MULTI and DEAD have a fetch, for which they were opened.
 * MULTI is HTTP/2: its fetches are in `shared`, where before others wait for the handshake.
 */
enum sotto_pool_conn_state {
    POOL_RESOLVING,
    POOL_CONNECTING,
    POOL_HANDSHAKE,
    POOL_BUSY,
    POOL_IDLE,
    POOL_MULTI,
    POOL_DEAD,
};

/** Fetches in a list; each is in one at most. */
struct sotto_fetch_list {
    struct sotto_fetch *first;
    size_t count;
};

struct sotto_pool_conn {
    struct sotto_pool_conn *prev, *next;           /* all of an origin */
    struct sotto_pool_conn *idle_prev, *idle_next; /* idle ones, newest first */
    struct sotto_pool_origin *origin;
    struct sotto_fetch *fetch;
    struct sotto_watch watch;
    struct sotto_timer timer;
    struct sotto_task task; /* reads on, or frees */
    struct sotto_wire wire;
    struct sotto_http_response *parser;
    struct sotto_lookup *lookup;
    struct sotto_addresses *addresses; /* while connecting */
    size_t address_at;
    int64_t opened_us;
    int64_t give_up_us; /* end of connect_ms */
    size_t sent;        /* of the request */
    enum sotto_pool_conn_state state;
    bool reused; /* has carried an answer before */

    struct sotto_fetch_list shared;
    struct sotto_h2_client *h2; /* from MULTI on */
    struct sotto_buf out;       /* of it, not yet written from out_at on */
    size_t out_at;
    int64_t heard_us; /* when something came last */
    bool offers_h2;
    bool asked;   /* a PING has gone, and nothing has come since */
    bool resting; /* MULTI without a fetch */
};

struct sotto_pool_origin {
    struct sotto_pool_origin *next;
    struct sotto_pool *pool;
    char host[SOTTO_RESOLVER_HOST_MAX + 1];
    char name[SOTTO_RESOLVER_HOST_MAX + 1]; /* to verify */
    uint16_t port;
    bool tls;
    bool http2;
    bool answers_h1;   /* the last handshake agreed on HTTP/1.1 */
    size_t h2_streams; /* most requests on one connection of HTTP/2, as far as is known */
    struct sotto_tls_ticket *ticket;
    struct sotto_pool_conn *conns;
    struct sotto_pool_conn *idle;
    size_t conn_count;
    struct sotto_fetch *first, *last; /* waiting for a connection */
    size_t queued;
    struct sotto_fetch_list
        orphans; /* their connection of HTTP/2 is gone, what it brought is not taken */
};

struct sotto_fetch {
    struct sotto_fetch *prev, *next; /* in the origin's queue, a list, or the pool's `failing` */
    struct sotto_fetch_list *list;
    struct sotto_pool_origin *origin;
    struct sotto_pool_conn *conn; /* NULL: waits in the queue, or is over */
    const struct sotto_fetch_handler *handler;
    void *ctx;
    struct sotto_buf request; /* until it cannot be needed again */
    size_t request_len;
    struct sotto_h2_request *stream; /* of HTTP/2 */
    size_t progress;                 /* bytes of it that were sent when last looked at */
    int resent;                      /* because it was refused */
    struct sotto_timer timer;        /* in the queue; of the stream */
    struct sotto_task task;          /* reports a failure from the loop, takes what came; frees */
    enum sotto_fetch_error error;    /* to be reported by the task */
    const char *reason;
    bool to_head; /* the method is HEAD */
    bool queued;
    bool paused;
    bool ending; /* the time limit stands, whatever comes */
    bool retried;
    bool over;
};

struct sotto_pool {
    struct sotto_loop *loop;
    struct sotto_resolver *resolver;
    struct sotto_tls_context *tls;
    struct sotto_client_limits limits;
    struct sotto_pool_origin *origins;
    struct sotto_fetch *failing; /* whose failure has yet to be reported */
    struct sotto_pool_stats stats;
};

static inline struct sotto_pool *sotto_pool_of(const struct sotto_pool_conn *c)
{
    return c->origin->pool;
}

/* --- client.c --------------------------------------------------------------------------------- */

/** The fetch is over; its handle stays valid until the end of the round. */
void sotto_fetch_bury(struct sotto_fetch *f);

/** on_error(), from the loop only: the handler may do anything but use the fetch afterwards. */
void sotto_fetch_fail(struct sotto_fetch *f, enum sotto_fetch_error error, const char *reason);

/** on_error() from a task: also from where no callback may run.  The fetch is in no list. */
void sotto_fetch_fail_later(struct sotto_fetch *f, enum sotto_fetch_error error,
                            const char *reason);

/** Into the list, and out of the one it is in; not being in one is fine. */
void sotto_fetch_enter(struct sotto_fetch *f, struct sotto_fetch_list *list);
void sotto_fetch_leave(struct sotto_fetch *f);

/** Finds another connection for a fetch that has none any more. */
void sotto_fetch_again(struct sotto_fetch *f);

/** Gives waiting fetches the connections that have become free or may be opened. */
void sotto_pool_serve_queue(struct sotto_pool_origin *origin);

/* --- client_conn.c ---------------------------------------------------------------------------- */

/**
 * A new connection for the fetch.
 * @retval SOTTO_ENOMEM
 * @retval SOTTO_EIO, SOTTO_EINVAL  from the resolver
 */
SOTTO_MUST_CHECK enum sotto_err sotto_pool_conn_open(struct sotto_pool_origin *origin,
                                                     struct sotto_fetch *f);

/** Closes at once; its fetch is let go of.  The memory stays until the end of the round. */
void sotto_pool_conn_kill(struct sotto_pool_conn *c);

/** The connection failed and with it its fetch. */
void sotto_pool_conn_fail(struct sotto_pool_conn *c, enum sotto_fetch_error error,
                          const char *reason);

/** Closes an idle one. */
void sotto_pool_conn_close_idle(struct sotto_pool_conn *c);

/** The connection has begun, or ceased, to be idle: puts it in front of the list, takes it out. */
void sotto_pool_enter_idle(struct sotto_pool_conn *c);
void sotto_pool_leave_idle(struct sotto_pool_conn *c);

/* --- client_h1.c ------------------------------------------------------------------------------ */

/** Sends the request of the connection's fetch. */
void sotto_client_h1_begin(struct sotto_pool_conn *c);

/** Sends what is left of the request. */
void sotto_client_h1_write_on(struct sotto_pool_conn *c);

/** Reads and hands on what comes, as long as it is wanted and others get their turn. */
void sotto_client_h1_read_on(struct sotto_pool_conn *c);

/** As a task of the connection: sotto_client_h1_read_on(). */
void sotto_client_h1_read_task(struct sotto_task *task);

/* --- client_h2.c ------------------------------------------------------------------------------ */

/** A connection that has room for another request, or may have once it is there; NULL: none. */
struct sotto_pool_conn *sotto_client_h2_find(struct sotto_pool_origin *origin);

/** Gives the fetch a place on such a connection.  False: there is none. */
bool sotto_client_h2_join(struct sotto_pool_origin *origin, struct sotto_fetch *f);

/** The handshake agreed on HTTP/2: sends the requests that wait for the connection. */
void sotto_client_h2_begin(struct sotto_pool_conn *c);

/** It agreed on HTTP/1.1: those that wait go elsewhere. */
void sotto_client_h2_declined(struct sotto_pool_conn *c);

/**
 * Who the connection is being opened for does not want it any more: another one that waits for it
 * takes its place.  False: there is none.
 */
bool sotto_client_h2_hand_over(struct sotto_pool_conn *c);

/** Something happened to the socket: reads, hands on, sends. */
void sotto_client_h2_event(struct sotto_pool_conn *c);

/** The connection's timer. */
void sotto_client_h2_tick(struct sotto_pool_conn *c);

/** The connection ends: its requests have what came, or fail as if it had been lost. */
void sotto_client_h2_abandon(struct sotto_pool_conn *c);

/** The caller let go of a fetch, has stopped it, or lets it go on. */
void sotto_client_h2_cancel(struct sotto_fetch *f);
void sotto_client_h2_pause(struct sotto_fetch *f);
void sotto_client_h2_resume(struct sotto_fetch *f);

#endif
