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

/* Takes a configuration that was read again; NULL: it is not valid, and the old one stays. */
static void take_setup(struct sotto_gateway *g, struct sotto_setup *setup)
{
    if (setup == NULL) {
        g->reloads_refused++;
        return;
    }
    for (size_t i = 0; i < g->worker_count; i++) {
        sotto_worker_use(g->workers[i], sotto_setup_ref(setup));
    }
    sotto_setup_unref(g->setup);
    g->setup = setup;
    reload_certificate(g);
    reload_defaults(g);
    g->reloads++;
    SOTTO_LOG(SOTTO_LOG_INFO, "reloaded",
              SOTTO_LOG_INT("upstreams", setup->config->upstream_count));
}

/* A configuration on its way: its patterns take long to compile, and whoever asks for the gateway's
 * health is not to wait for that. */
struct gateway_reading {
    struct sotto_side_work work;
    struct sotto_gateway *gateway;
    struct sotto_setup *setup;
    struct sotto_admin_job *who; /* NULL: a signal */
};

static void reading_run(struct sotto_side_work *work)
{
    struct gateway_reading *r = SOTTO_CONTAINER(work, struct gateway_reading, work);
    const struct sotto_gateway_options *options = &r->gateway->options;
    char why[256];
    struct sotto_config *config = options->reload(options->ctx);
    if (config != NULL && sotto_setup_new(config, &r->setup, why) != SOTTO_OK) {
        SOTTO_LOG(SOTTO_LOG_ERROR, "reload_refused", SOTTO_LOG_NOTE("why", why));
        sotto_config_free(config);
    }
}

static void reading_done(struct sotto_side_work *work)
{
    struct gateway_reading *r = SOTTO_CONTAINER(work, struct gateway_reading, work);
    bool taken = r->setup != NULL;
    if (r->gateway->freeing) { /* the workers are gone, and who waits is freed with the admin */
        sotto_setup_unref(r->setup);
    } else {
        take_setup(r->gateway, r->setup);
        sotto_notify_ready();
        if (r->who != NULL) {
            sotto_admin_reloaded(r->who, taken);
        }
    }
    sotto_free(r);
}

enum sotto_err gateway_reload(void *ctx, struct sotto_admin_job *who)
{
    struct sotto_gateway *g = ctx;
    struct gateway_reading *r = sotto_calloc(1, sizeof(*r));
    if (r == NULL) {
        g->reloads_refused++;
        SOTTO_LOG(SOTTO_LOG_ERROR, "reload_refused", SOTTO_LOG_ERR("why", SOTTO_ENOMEM));
        return SOTTO_ENOMEM;
    }
    sotto_notify_reloading();
    r->gateway = g;
    r->who = who;
    r->work = (struct sotto_side_work){.run = reading_run, .done = reading_done, .loop = g->loop};
    sotto_side_put(g->slow, &r->work);
    return SOTTO_OK;
}
