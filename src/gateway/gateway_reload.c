/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "base/alloc.h"
#include "gateway/gateway_state.h"
#include "sys/log.h"
#include "sys/notify.h"

/* New connections get what the certificate's files hold now; listeners stay as they are. */
static void reload_certificate(struct sotto_gateway *g)
{
    char cert[GATEWAY_PATH_BYTES], key[GATEWAY_PATH_BYTES];
    struct sotto_front_setup front;
    if (g->rooms != NULL && sotto_front_setup_of(g->setup->config, &front) == SOTTO_OK) {
        sotto_rooms_reload(g->rooms, &front);
    }
    if (g->server_tls == NULL) {
        return;
    }
    enum sotto_err err = gateway_certificate_paths(g->setup->config, cert, key);
    if (err == SOTTO_OK) {
        err = sotto_tls_server_reload(g->server_tls, cert, key);
    }
    if (err != SOTTO_OK) {
        SOTTO_LOG(SOTTO_LOG_ERROR, "certificate_not_reloaded", SOTTO_LOG_ERR("why", err));
    }
}

/* Quotas for keys without their own, and the grace of rotations.  The store and the quotas belong to
 * the side thread. */
struct gateway_defaults {
    struct sotto_side_work work;
    struct sotto_gateway *gateway;
    struct sotto_key_quota quota;
    int64_t grace_s;
};

static void defaults_run(struct sotto_side_work *work)
{
    struct gateway_defaults *d = SOTTO_CONTAINER(work, struct gateway_defaults, work);
    struct sotto_gateway *g = d->gateway;
    g->quota = d->quota;
    if (sotto_store_grace_set(g->store, d->grace_s) != SOTTO_OK) {
        SOTTO_LOG(SOTTO_LOG_ERROR, "grace_not_set",
                  SOTTO_LOG_NOTE("why", sotto_store_why(g->store)));
    }
    sotto_store_keys_touch(g->store);
    sotto_free(d);
}

struct sotto_key_quota gateway_quota_of(const struct sotto_config *config)
{
    const struct sotto_config_quotas *q = &config->quotas;
    return (struct sotto_key_quota){q->requests_per_minute, q->tokens_per_minute,
                                    q->monthly_requests, q->monthly_tokens, q->monthly_cost_nano};
}

static void reload_defaults(struct sotto_gateway *g)
{
    struct gateway_defaults *d = sotto_calloc(1, sizeof(*d));
    if (d == NULL) {
        SOTTO_LOG(SOTTO_LOG_ERROR, "quotas_not_reloaded", SOTTO_LOG_ERR("why", SOTTO_ENOMEM));
        return;
    }
    d->gateway = g;
    d->quota = gateway_quota_of(g->setup->config);
    d->grace_s = (int64_t)(g->setup->config->keys.grace_ms / 1000);
    d->work = (struct sotto_side_work){.run = defaults_run};
    sotto_side_put(g->side, &d->work);
}

/* Reads the configuration again; false: the old one stays. */
static bool reload(struct sotto_gateway *g)
{
    char why[256];
    struct sotto_setup *setup;
    struct sotto_config *config = g->options.reload(g->options.ctx);
    if (config == NULL) {
        g->reloads_refused++;
        return false;
    }
    if (sotto_setup_new(config, &setup, why) != SOTTO_OK) {
        g->reloads_refused++;
        SOTTO_LOG(SOTTO_LOG_ERROR, "reload_refused", SOTTO_LOG_NOTE("why", why));
        sotto_config_free(config);
        return false;
    }
    for (size_t i = 0; i < g->worker_count; i++) {
        sotto_worker_use(g->workers[i], sotto_setup_ref(setup));
    }
    sotto_setup_unref(g->setup);
    g->setup = setup;
    reload_certificate(g);
    reload_defaults(g);
    g->reloads++;
    SOTTO_LOG(SOTTO_LOG_INFO, "reloaded", SOTTO_LOG_INT("upstreams", config->upstream_count));
    return true;
}

/* The same, with word to the service manager. */
bool gateway_reload(void *ctx)
{
    sotto_notify_reloading();
    bool taken = reload(ctx);
    sotto_notify_ready();
    return taken;
}
