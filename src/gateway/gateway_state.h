/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_GATEWAY_STATE_H
#define SOTTO_GATEWAY_GATEWAY_STATE_H

/*
 * What the files gateway*.c share: the gateway itself.  All of it belongs to the calling thread, but
 * for what says otherwise.
 */

#include <stdatomic.h>

#include "gateway/admin.h"
#include "gateway/doorway.h"
#include "gateway/front.h"
#include "gateway/gateway.h"
#include "gateway/rooms.h"
#include "gateway/sealing.h"
#include "gateway/worker.h"
#include "store/secrets.h"
#include "store/store.h"
#include "sys/memory_return.h"
#include "sys/sandbox.h"

struct sotto_gateway {
    struct sotto_gateway_options options;
    struct sotto_setup *setup;
    struct sotto_key_quota quota;
    struct sotto_store *store; /* of the side thread */
    bool fleet;                /* the store is that of others, too; stays as it was at the start */
    struct sotto_limits *limits;
    int32_t loaded_month; /* the one that was read last; of the side thread */
    struct sotto_key_slot *keys;
    struct sotto_sealing *sealing;
    struct sotto_resolver *resolver;
    struct sotto_tls_context *upstream_tls;
    struct sotto_tls_context *server_tls;
    struct sotto_fleet_options *shared_store; /* NULL: alone */
    struct sotto_tls_context *fleet_tls;
    struct sotto_setup *fleet_setup; /* a reference: what `shared_store` points to */
    struct sotto_side *side, *heavy, *slow;
    struct sotto_trail *trail;
    struct sotto_worker **workers;
    size_t worker_count;
    struct sotto_gateway_ports ports;
    uint8_t master[SOTTO_MASTER_BYTES];

    struct sotto_loop *loop;   /* of the calling thread */
    struct sotto_rooms *rooms; /* NULL: all in this process */
    struct sotto_sandbox_report closed_off;
    bool lost;                       /* one of them ended */
    struct sotto_front *admin_front; /* NULL where `admin_link` is not */
    struct sotto_doorway *admin_link;
    struct sotto_admin *admin;
    struct sotto_watch signal_watch;
    struct sotto_timer save_timer, drain_timer;
    struct sotto_side_work save_work;
    struct sotto_memory_return memory; /* of that work */
    bool saving;
    bool freeing;
    struct sotto_key_table *key_handle; /* of this thread */
    int64_t started_s;
    uint64_t reloads, reloads_refused;
    atomic_uint_fast64_t unsaved;     /* times that use could not be saved */
    atomic_int_fast64_t unread_at_ms; /* when keys could not be read last; 0: they were */
    int64_t drain_until_ms;           /* 0: not draining */
};

/* gateway.c */

/** Whether the keys in memory may be used.  From any thread.  @param ctx  the gateway */
bool gateway_keys_trusted(void *ctx);

/** In the side thread: puts the newest keys into the slot.  @param ctx  the gateway */
void gateway_read_keys(void *ctx);

/** Front or back ended: what can be answered goes out, then the end.  @param ctx  the gateway */
void gateway_lost_room(void *ctx, const char *room);

/* gateway_listen.c */

/** Longest path of a certificate or key. */
#define GATEWAY_PATH_BYTES 300

/** Paths of the configured certificate and its key.  @retval SOTTO_ELIMIT  one is too long */
SOTTO_MUST_CHECK enum sotto_err gateway_certificate_paths(const struct sotto_config *c,
                                                          char cert[GATEWAY_PATH_BYTES],
                                                          char key[GATEWAY_PATH_BYTES]);

/** Listens on all addresses of the configuration; on failure `why` has a sentence. */
SOTTO_MUST_CHECK enum sotto_err gateway_listen(struct sotto_gateway *g, char *why);

/* gateway_fleet.c */

/** Makes what the workers need to reach the store that the fleet shares; on failure `why`. */
SOTTO_MUST_CHECK enum sotto_err gateway_make_fleet(struct sotto_gateway *g, char *why);
void gateway_free_fleet(struct sotto_gateway *g);

/* gateway_reload.c */

/** What keys without quotas of their own get. */
struct sotto_key_quota gateway_quota_of(const struct sotto_config *config);

/**
 * Begins to read the configuration again; what is valid is swapped in when it has been read.
 *
 * @param ctx  the gateway
 * @param who  a request to the admin listener that is told what came of it; NULL: a signal
 * @retval SOTTO_ENOMEM  it is not told
 */
SOTTO_MUST_CHECK enum sotto_err gateway_reload(void *ctx, struct sotto_admin_job *who);

/* gateway_admin.c */

/** Makes what serves the admin listener, and its door to the front. */
SOTTO_MUST_CHECK enum sotto_err gateway_make_admin(struct sotto_gateway *g);

#endif
