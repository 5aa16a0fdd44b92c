/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "gateway/gateway_state.h"
#include "sys/process.h"

/* Each thread has a connection of its own, and refuses what it cannot ask about. */
static bool limits_ready(const struct sotto_gateway *g)
{
    bool ready = true;
    for (size_t i = 0; i < g->worker_count; i++) {
        ready = ready && sotto_worker_store_ready(g->workers[i]);
    }
    return ready;
}

static const char *find_trouble(void *ctx)
{
    struct sotto_gateway *g = ctx;
    return !sotto_trail_healthy(g->trail) ? "the audit log cannot be written\n"
           : !gateway_keys_trusted(g)     ? "the API keys cannot be checked\n"
           : !limits_ready(g)             ? "limits and sessions cannot be checked\n"
                                          : NULL;
}

/* In the calling thread; workers go on counting. */
static enum sotto_err print_metrics(void *ctx, struct sotto_buf *out)
{
    struct sotto_gateway *g = ctx;
    struct sotto_process process;
    struct sotto_metrics **all = sotto_calloc(g->worker_count + 1, sizeof(struct sotto_metrics *));
    if (all == NULL) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < g->worker_count; i++) {
        all[i] = sotto_worker_metrics(g->workers[i]);
    }
    sotto_process_read(&process);
    const struct sotto_metrics_facts facts = {
        .version = SOTTO_VERSION,
        .ready = g->drain_until_ms == 0 && find_trouble(g) == NULL,
        .keys_store = {g->fleet ? "postgres" : NULL, gateway_keys_trusted(g)},
        .limits_store = {g->shared_store != NULL ? "valkey" : NULL, limits_ready(g)},
        .started_s = g->started_s,
        .keys = sotto_key_table_count(sotto_key_slot_get(g->keys, &g->key_handle)),
        .reloads = g->reloads,
        .refused = g->reloads_refused,
        .unsaved = atomic_load(&g->unsaved),
        .cpu_us = process.cpu_us,
        .memory_bytes = process.memory_bytes,
        .descriptors = process.descriptors,
    };
    enum sotto_err err = sotto_metrics_print(all, g->worker_count, &facts, out);
    sotto_free(all);
    return err;
}

static void admin_from_front(void *ctx, const struct sotto_door_msg *msg)
{
    struct sotto_gateway *g = ctx;
    sotto_admin_from_front(g->admin, msg);
}

static void admin_closed(void *ctx, bool broken)
{
    (void)ctx; /* the front is gone: its other door tells */
    (void)broken;
}

static const struct sotto_doorway_handler admin_handler = {
    .on_message = admin_from_front,
    .on_closed = admin_closed,
};

/* Longest body of an admin's request. */
#define GATEWAY_ADMIN_BODY_MAX ((size_t)32 << 20)

static enum sotto_err link_admin(struct sotto_gateway *g, struct sotto_admin_options *options)
{
    struct sotto_door_rules rules = sotto_door_rules_front(GATEWAY_ADMIN_BODY_MAX);
    enum sotto_err err = sotto_doorway_new(g->loop, sotto_rooms_take_admin(g->rooms), &rules,
                                           &admin_handler, g, &g->admin_link);
    options->front = (struct sotto_door){sotto_doorway_put, g->admin_link};
    return err == SOTTO_OK ? sotto_admin_new(options, &g->admin) : err;
}

enum sotto_err gateway_make_admin(struct sotto_gateway *g)
{
    struct sotto_server_limits limits = sotto_server_limits_default();
    struct sotto_admin_options options = {
        .metrics = print_metrics,
        .reload = gateway_reload,
        .trouble = find_trouble,
        .ctx = g,
        .loop = g->loop,
        .side = g->side,
        .api = {.store = g->store,
                .limits = g->limits,
                .keys = g->keys,
                .read_keys = gateway_read_keys,
                .ctx = g},
    };
    if (g->rooms != NULL) {
        return link_admin(g, &options);
    }
    enum sotto_err err = sotto_front_new(g->loop, &limits, &g->admin_front);
    if (err == SOTTO_OK) {
        options.front = (struct sotto_door){sotto_front_from_vault, g->admin_front};
        err = sotto_admin_new(&options, &g->admin);
    }
    if (err == SOTTO_OK) {
        sotto_front_connect(g->admin_front, (struct sotto_door){sotto_admin_from_front, g->admin});
    }
    return err;
}
