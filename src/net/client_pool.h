/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_NET_CLIENT_POOL_H
#define SOTTO_NET_CLIENT_POOL_H

/*
 * The inside of net/client.h, and who does what: client.c has the pools, their origins, the queue
 * in front of each and what callers hold, client_conn.c the life of a connection (name, address,
 * handshake, time limits, end), client_h1.c what HTTP/1.1 makes of its bytes.  Used inside
 * net/client*.c only.
 */

#include "base/buf.h"
#include "http/response.h"
#include "net/client.h"
#include "net/resolver.h"
#include "net/wire.h"

/*
 *   RESOLVING --> CONNECTING --> (HANDSHAKE) --> BUSY <--> IDLE
 *
 * From any of them to DEAD.  All but IDLE and DEAD have a fetch.
 */
enum sotto_pool_conn_state {
    POOL_RESOLVING,
    POOL_CONNECTING,
    POOL_HANDSHAKE,
    POOL_BUSY,
    POOL_IDLE,
    POOL_DEAD,
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
};

struct sotto_pool_origin {
    struct sotto_pool_origin *next;
    struct sotto_pool *pool;
    char host[SOTTO_RESOLVER_HOST_MAX + 1];
    char name[SOTTO_RESOLVER_HOST_MAX + 1]; /* to verify */
    uint16_t port;
    bool tls;
    struct sotto_tls_ticket *ticket;
    struct sotto_pool_conn *conns;
    struct sotto_pool_conn *idle;
    size_t conn_count;
    struct sotto_fetch *first, *last; /* waiting for a connection */
    size_t queued;
};

struct sotto_fetch {
    struct sotto_fetch *prev, *next; /* in the origin's queue, or in the pool's list */
    struct sotto_pool_origin *origin;
    struct sotto_pool_conn *conn; /* NULL: waits in the queue, or is over */
    const struct sotto_fetch_handler *handler;
    void *ctx;
    struct sotto_buf request; /* until it cannot be needed again */
    size_t request_len;
    struct sotto_timer timer;     /* in the queue */
    struct sotto_task task;       /* reports a failure from the loop; frees */
    enum sotto_fetch_error error; /* to be reported by the task */
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

#endif
