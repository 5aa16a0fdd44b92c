/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/gateway.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "gateway/admin.h"
#include "gateway/doorway.h"
#include "gateway/front.h"
#include "gateway/rooms.h"
#include "gateway/sealing.h"
#include "gateway/worker.h"
#include "net/server.h"
#include "net/socket.h"
#include "store/secrets.h"
#include "store/store.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/log.h"
#include "sys/notify.h"
#include "sys/process.h"
#include "sys/sandbox.h"
#include "sys/signals.h"

/* How often use is written to the store, and how often a drain is looked at. */
#define GATEWAY_SAVE_MS  5000
#define GATEWAY_DRAIN_MS 50
/* How long errors may take to go out when front or back is gone. */
#define GATEWAY_LOST_MS 500

struct sotto_gateway {
    struct sotto_gateway_options options;
    struct sotto_setup *setup;
    struct sotto_key_quota quota;
    struct sotto_store *store; /* of the side thread */
    struct sotto_limits *limits;
    struct sotto_key_slot *keys;
    struct sotto_sealing *sealing;
    struct sotto_resolver *resolver;
    struct sotto_tls_context *upstream_tls;
    struct sotto_tls_context *server_tls;
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
    bool saving;
    bool freeing;
    struct sotto_key_table *key_handle; /* of this thread */
    int64_t started_s;
    uint64_t reloads, reloads_refused;
    atomic_uint_fast64_t unsaved; /* times that use could not be saved */
    int64_t drain_until_ms;       /* 0: not draining */
};

/* --- keys -------------------------------------------------------------------------------------- */

static uint64_t key_generation(void *ctx)
{
    const struct sotto_gateway *g = ctx;
    return sotto_store_generation(g->store);
}

static void read_keys(void *ctx)
{
    struct sotto_gateway *g = ctx;
    struct sotto_key_table *table = NULL;
    enum sotto_err err = sotto_store_key_table(g->store, g->limits, &g->quota, &table);
    if (err == SOTTO_OK) {
        sotto_key_slot_put(g->keys, table);
    } else {
        SOTTO_LOG(SOTTO_LOG_ERROR, "keys_not_read", SOTTO_LOG_ERR("error", err),
                  SOTTO_LOG_NOTE("why", sotto_store_why(g->store)));
    }
}

static enum sotto_err open_keys(struct sotto_gateway *g, char *why)
{
    struct sotto_key_table *table = NULL;
    enum sotto_err err = sotto_store_open(g->options.folder, &g->store, why);
    if (err == SOTTO_OK) {
        err = sotto_store_grace_set(g->store, (int64_t)(g->options.config->keys.grace_ms / 1000));
    }
    if (err == SOTTO_OK) {
        err = sotto_limits_new(&g->limits);
    }
    if (err == SOTTO_OK) {
        err = sotto_store_usage_load(g->store, sotto_limit_month(sotto_wall_ms()), g->limits);
    }
    if (err == SOTTO_OK) {
        err = sotto_store_key_table(g->store, g->limits, &g->quota, &table);
    }
    if (err != SOTTO_OK) {
        if (g->store != NULL) {
            snprintf(why, SOTTO_GATEWAY_WHY_BYTES, "%s", sotto_store_why(g->store));
        }
        return err;
    }
    err = sotto_key_slot_new(table, &g->keys);
    if (err != SOTTO_OK) {
        sotto_key_table_unref(table);
    }
    return err;
}

static enum sotto_err open_master(struct sotto_gateway *g, char *why)
{
    sotto_span text = g->options.config->secrets.master;
    if (text.len == 0) {
        return sotto_secrets_read(g->options.folder, g->master, why);
    }
    snprintf(why, SOTTO_GATEWAY_WHY_BYTES, "secrets.master: must have at least %d characters",
             SOTTO_MASTER_TEXT_MIN);
    return sotto_secrets_from_text(text, g->master);
}

/* --- workers ----------------------------------------------------------------------------------- */

static size_t worker_count(const struct sotto_gateway *g)
{
    uint64_t asked = g->options.config->threads;
    return asked != 0 ? (size_t)asked : sotto_cpu_count();
}

static enum sotto_err make_workers(struct sotto_gateway *g)
{
    size_t count = worker_count(g);
    struct sotto_worker_shared shared = {
        .setup = g->setup,
        .keys = g->keys,
        .resolver = g->resolver,
        .upstream_tls = g->upstream_tls,
        .side = g->side,
        .heavy = g->heavy,
        .trail = g->trail,
        .master = g->master,
        .seal = sotto_sealing_host(g->sealing),
        .separate = g->rooms != NULL,
        .key_generation = key_generation,
        .read_keys = read_keys,
        .ctx = g,
    };
    g->workers = sotto_calloc(count, sizeof(struct sotto_worker *));
    if (g->workers == NULL) {
        return SOTTO_ENOMEM;
    }
    for (; g->worker_count < count; g->worker_count++) {
        size_t i = g->worker_count;
        int front = g->rooms != NULL ? sotto_rooms_take_front(g->rooms, i) : -1;
        int back = g->rooms != NULL ? sotto_rooms_take_back(g->rooms, i) : -1;
        enum sotto_err err = sotto_worker_new(&shared, front, back, &g->workers[i]);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    return SOTTO_OK;
}

static void explain_listen(enum sotto_err err, const char *field, const char *host, uint16_t port,
                           char *why)
{
    const char *reason = err == SOTTO_EEXISTS   ? "somebody else has the port: choose another one"
                         : err == SOTTO_EDENIED ? "not permitted: choose a port from 1024 on"
                         : err == SOTTO_EINVAL  ? "not an address of this machine"
                                                : sotto_err_text(err);
    snprintf(why, SOTTO_GATEWAY_WHY_BYTES, "%s %s:%u: %s", field, host, port, reason);
}

/* All workers share the address; the first one may have been given any free port. */
static enum sotto_err listen_all(struct sotto_gateway *g,
                                 const struct sotto_config_address *address,
                                 struct sotto_tls_context *tls, const char *field, uint16_t *bound,
                                 char *why)
{
    char host[64];
    uint16_t port = address->port;
    if (address->host.len == 0) {
        return SOTTO_OK;
    }
    snprintf(host, sizeof(host), "%.*s", SOTTO_FMT(address->host));
    enum sotto_err err = sotto_socket_port_free(host, port);
    if (err != SOTTO_OK) {
        explain_listen(err, field, host, port, why);
    }
    for (size_t i = 0; i < g->worker_count && err == SOTTO_OK; i++) {
        err = sotto_worker_listen(g->workers[i], host, port, tls, bound);
        if (err != SOTTO_OK) {
            explain_listen(err, field, host, port, why);
        } else {
            port = *bound;
        }
    }
    return err;
}

/* Longest path of a certificate or key. */
#define TLS_PATH_BYTES 300

static enum sotto_err certificate_paths(const struct sotto_config *c, char cert[TLS_PATH_BYTES],
                                        char key[TLS_PATH_BYTES])
{
    if (c->tls.certificate.len >= TLS_PATH_BYTES || c->tls.key.len >= TLS_PATH_BYTES) {
        return SOTTO_ELIMIT;
    }
    snprintf(cert, TLS_PATH_BYTES, "%.*s", SOTTO_FMT(c->tls.certificate));
    snprintf(key, TLS_PATH_BYTES, "%.*s", SOTTO_FMT(c->tls.key));
    return SOTTO_OK;
}

static void explain_certificate(enum sotto_err err, const char *cert, const char *key, char *why)
{
    snprintf(why, SOTTO_GATEWAY_WHY_BYTES, "tls: %.300s and %.300s cannot be used: %s",
             cert[0] != '\0' ? cert : "(no certificate)", key[0] != '\0' ? key : "(no key)",
             err == SOTTO_EINVAL ? "they do not belong together" : sotto_err_text(err));
}

static enum sotto_err open_server_tls(struct sotto_gateway *g, char *why)
{
    const struct sotto_config *c = g->setup->config;
    char cert[TLS_PATH_BYTES] = "", key[TLS_PATH_BYTES] = "";
    if (c->tls.listen.host.len == 0) {
        return SOTTO_OK;
    }
    enum sotto_err err = certificate_paths(c, cert, key);
    if (err == SOTTO_OK) {
        err = sotto_tls_server_new(cert, key, &g->server_tls);
    }
    if (err != SOTTO_OK) {
        explain_certificate(err, cert, key, why);
    }
    return err;
}

static void lost_room(void *ctx, const char *room);

static void explain_room(const struct sotto_config *c, enum sotto_err err,
                         const struct sotto_room_ready *ready, char *why)
{
    const struct sotto_config_address *at[] = {&c->listen, &c->tls.listen, &c->admin};
    static const char *const fields[] = {"listen", "tls.listen", "admin"};
    char host[64];
    if (ready->failed < SOTTO_COUNT(at)) {
        snprintf(host, sizeof(host), "%.*s", SOTTO_FMT(at[ready->failed]->host));
        explain_listen(err, fields[ready->failed], host, at[ready->failed]->port, why);
    } else if (ready->failed == SOTTO_FRONT_CERTIFICATE) {
        char cert[TLS_PATH_BYTES], key[TLS_PATH_BYTES];
        sotto_ignore(certificate_paths(c, cert, key)); /* they were passed on, so they fit */
        explain_certificate(err, cert, key, why);
    } else if (err == SOTTO_EDENIED) {
        snprintf(why, SOTTO_GATEWAY_WHY_BYTES,
                 "a room cannot be closed off: the kernel has no Landlock or no seccomp");
    } else {
        snprintf(why, SOTTO_GATEWAY_WHY_BYTES, "front and back do not start: %s",
                 sotto_err_text(err));
    }
}

static void log_closed_off(const char *room, uint16_t landlock, uint16_t seccomp)
{
    if (landlock == 0 || seccomp == 0) {
        SOTTO_LOG(SOTTO_LOG_WARN, "room_open", SOTTO_LOG_ID("room", room),
                  SOTTO_LOG_INT("landlock", landlock), SOTTO_LOG_INT("seccomp", seccomp),
                  SOTTO_LOG_TEXT("why", "the kernel does not have what is 0"));
    } else {
        SOTTO_LOG(SOTTO_LOG_INFO, "room_closed_off", SOTTO_LOG_ID("room", room),
                  SOTTO_LOG_INT("landlock", landlock), SOTTO_LOG_INT("seccomp", seccomp));
    }
}

static enum sotto_err listen_in_front(struct sotto_gateway *g, char *why)
{
    const struct sotto_config *c = g->setup->config;
    struct sotto_front_setup setup;
    struct sotto_room_ready ready = {.failed = SOTTO_FRONT_CERTIFICATE}, back = {0};
    enum sotto_err err = sotto_front_setup_of(c, &setup);
    if (err == SOTTO_OK) {
        err = sotto_rooms_open(g->rooms, g->loop, &setup, lost_room, g, &ready, &back);
    }
    if (err != SOTTO_OK) {
        explain_room(c, err, &ready, why);
    } else {
        log_closed_off("front", ready.landlock, ready.seccomp);
        log_closed_off("vault", (uint16_t)g->closed_off.landlock, g->closed_off.seccomp);
        log_closed_off("back", back.landlock, back.seccomp);
    }
    g->ports = (struct sotto_gateway_ports){ready.plain, ready.tls, ready.admin};
    return err;
}

static enum sotto_err listen_everywhere(struct sotto_gateway *g, char *why)
{
    const struct sotto_config *c = g->setup->config;
    if (g->rooms != NULL) {
        return listen_in_front(g, why);
    }
    enum sotto_err err = open_server_tls(g, why);
    if (err == SOTTO_OK) {
        err = listen_all(g, &c->listen, NULL, "listen", &g->ports.plain, why);
    }
    if (err == SOTTO_OK) {
        err = listen_all(g, &c->tls.listen, g->server_tls, "tls.listen", &g->ports.tls, why);
    }
    if (err == SOTTO_OK && c->admin.host.len != 0) {
        char host[64];
        snprintf(host, sizeof(host), "%.*s", SOTTO_FMT(c->admin.host));
        err = sotto_server_listen(sotto_front_server(g->admin_front), host, c->admin.port, NULL,
                                  SOTTO_REQUEST_ADMIN, &g->ports.admin);
        if (err != SOTTO_OK) {
            explain_listen(err, "admin", host, c->admin.port, why);
        }
    }
    return err;
}

/* --- the calling thread ------------------------------------------------------------------------ */

static void save_run(struct sotto_side_work *work)
{
    struct sotto_gateway *g = SOTTO_CONTAINER(work, struct sotto_gateway, save_work);
    if (sotto_store_usage_save(g->store, g->limits) != SOTTO_OK) {
        atomic_fetch_add(&g->unsaved, 1);
        SOTTO_LOG(SOTTO_LOG_ERROR, "use_not_saved",
                  SOTTO_LOG_NOTE("why", sotto_store_why(g->store)));
    }
}

static void save_done(struct sotto_side_work *work)
{
    struct sotto_gateway *g = SOTTO_CONTAINER(work, struct sotto_gateway, save_work);
    g->saving = false;
    if (!g->freeing) { /* else the timer is closed already */
        sotto_timer_arm(&g->save_timer, GATEWAY_SAVE_MS);
    }
}

static void on_save(struct sotto_timer *timer)
{
    struct sotto_gateway *g = SOTTO_CONTAINER(timer, struct sotto_gateway, save_timer);
    g->saving = true;
    g->save_work = (struct sotto_side_work){.run = save_run, .done = save_done, .loop = g->loop};
    sotto_side_put(g->side, &g->save_work);
    sotto_sealing_tick(g->sealing, g->slow);
}

static void on_drain(struct sotto_timer *timer)
{
    struct sotto_gateway *g = SOTTO_CONTAINER(timer, struct sotto_gateway, drain_timer);
    bool ended = true;
    for (size_t i = 0; i < g->worker_count; i++) {
        ended = ended && sotto_worker_ended(g->workers[i]);
    }
    if (ended || sotto_clock_ms() >= g->drain_until_ms) {
        SOTTO_LOG(SOTTO_LOG_INFO, "stopped", SOTTO_LOG_INT("all_answered", ended));
        sotto_loop_stop(g->loop);
    } else {
        sotto_timer_arm(timer, GATEWAY_DRAIN_MS);
    }
}

static void drain(struct sotto_gateway *g)
{
    if (g->drain_until_ms != 0) {
        return;
    }
    sotto_notify_stopping();
    SOTTO_LOG(SOTTO_LOG_INFO, "stopping", SOTTO_LOG_INT("workers", g->worker_count));
    sotto_admin_set_ready(g->admin, false);
    g->drain_until_ms = sotto_clock_ms() + (int64_t)g->setup->config->limits.drain_ms;
    if (g->rooms != NULL) {
        sotto_rooms_drain(g->rooms);
    }
    for (size_t i = 0; i < g->worker_count; i++) {
        sotto_worker_drain(g->workers[i]);
    }
    sotto_timer_arm(&g->drain_timer, 0);
}

/* Without one of the rooms nothing can be answered: what the others know goes out, then the end. */
static void lost_room(void *ctx, const char *room)
{
    struct sotto_gateway *g = ctx;
    SOTTO_LOG(SOTTO_LOG_ERROR, "room_lost", SOTTO_LOG_ID("room", room));
    g->lost = true;
    drain(g);
    int64_t soon_ms = sotto_clock_ms() + GATEWAY_LOST_MS;
    g->drain_until_ms = g->drain_until_ms < soon_ms ? g->drain_until_ms : soon_ms;
}

/* New connections get what the certificate's files hold now; listeners stay as they are. */
static void reload_certificate(struct sotto_gateway *g)
{
    char cert[TLS_PATH_BYTES], key[TLS_PATH_BYTES];
    struct sotto_front_setup front;
    if (g->rooms != NULL && sotto_front_setup_of(g->setup->config, &front) == SOTTO_OK) {
        sotto_rooms_reload(g->rooms, &front);
    }
    if (g->server_tls == NULL) {
        return;
    }
    enum sotto_err err = certificate_paths(g->setup->config, cert, key);
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

static struct sotto_key_quota quota_of(const struct sotto_config *config)
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
    d->quota = quota_of(g->setup->config);
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
static bool reload_now(void *ctx)
{
    sotto_notify_reloading();
    bool taken = reload(ctx);
    sotto_notify_ready();
    return taken;
}

static void on_signal(struct sotto_watch *watch, uint32_t events)
{
    struct sotto_gateway *g = SOTTO_CONTAINER(watch, struct sotto_gateway, signal_watch);
    (void)events;
    for (enum sotto_signal sig = sotto_signals_next(g->options.signals); sig != SOTTO_SIGNAL_NONE;
         sig = sotto_signals_next(g->options.signals)) {
        if (sig == SOTTO_SIGNAL_RELOAD) {
            (void)reload_now(g); /* has said what came of it */
        } else {
            drain(g);
        }
    }
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
        .ready = g->drain_until_ms == 0,
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

static enum sotto_err make_admin(struct sotto_gateway *g)
{
    struct sotto_server_limits limits = sotto_server_limits_default();
    struct sotto_admin_options options = {
        .metrics = print_metrics,
        .reload = reload_now,
        .ctx = g,
        .loop = g->loop,
        .side = g->side,
        .api = {.store = g->store,
                .limits = g->limits,
                .keys = g->keys,
                .read_keys = read_keys,
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

static enum sotto_err make_own_loop(struct sotto_gateway *g)
{
    enum sotto_err err = sotto_loop_new(&g->loop);
    if (err == SOTTO_OK) {
        err = make_admin(g);
    }
    if (err == SOTTO_OK) {
        err = sotto_timer_open(g->loop, &g->save_timer, on_save);
    }
    if (err == SOTTO_OK) {
        err = sotto_timer_open(g->loop, &g->drain_timer, on_drain);
    }
    if (err == SOTTO_OK) {
        err = sotto_loop_watch_level(g->loop, &g->signal_watch, g->options.signals, on_signal);
    }
    return err;
}

static enum sotto_err open_trail(struct sotto_gateway *g, char *why)
{
    char audit[SOTTO_STORE_WHY_BYTES];
    enum sotto_err err = sotto_trail_new(g->setup->config, g->options.folder, &g->trail, audit);
    if (err != SOTTO_OK) {
        snprintf(why, SOTTO_GATEWAY_WHY_BYTES, "%s", audit);
    }
    return err;
}

static enum sotto_err make_shared(struct sotto_gateway *g, char *why)
{
    enum sotto_err err = SOTTO_OK;
    if (g->rooms == NULL) {
        err = sotto_resolver_new(&g->resolver);
    }
    if (err == SOTTO_OK && g->rooms == NULL) {
        err = sotto_tls_client_new(NULL, &g->upstream_tls);
        if (err != SOTTO_OK) {
            snprintf(why, SOTTO_GATEWAY_WHY_BYTES,
                     "the certificates for upstreams cannot be read: check SSL_CERT_FILE");
        }
    }
    if (err == SOTTO_OK) {
        err = sotto_side_new(&g->side);
    }
    if (err == SOTTO_OK) {
        err = sotto_side_new(&g->slow);
    }
    if (err == SOTTO_OK) {
        err = sotto_side_new(&g->heavy);
    }
    return err == SOTTO_OK ? open_trail(g, why) : err;
}

/* This process is the vault from here on: state, configuration and evidence of the machine, no
 * sockets, no programs. */
static enum sotto_err close_off(struct sotto_gateway *g, char *why)
{
    char config[SOTTO_ROOM_PATH_BYTES] = "/dev/urandom";
    struct sotto_sandbox_report *report = &g->closed_off;
    if (g->options.config_file != NULL) {
        sotto_room_folder_of(g->options.config_file, config);
    }
    const char *const read[] = {config, "/dev/urandom", "/etc/localtime", "/proc/self", NULL};
    /* Reports of the machine are asked for in folders that are made there. */
    char tsm[SOTTO_ROOM_PATH_BYTES];
    snprintf(tsm, sizeof(tsm), "%.*s", SOTTO_FMT(g->options.config->sealing.tsm));
    const char *const write[] = {g->options.folder, tsm, NULL};
    const struct sotto_sandbox_paths paths = {.read = read, .write = write};
    enum sotto_err err = sotto_sandbox(SOTTO_SANDBOX_VAULT, &paths, report);
    if (err == SOTTO_OK || !g->options.required) {
        return SOTTO_OK;
    }
    snprintf(why, SOTTO_GATEWAY_WHY_BYTES, "the vault cannot be closed off: the kernel has no %s",
             report->landlock == 0 ? "Landlock" : "seccomp");
    return err;
}

static enum sotto_err separate(struct sotto_gateway *g, char *why)
{
    const struct sotto_rooms_options options = {
        .workers = worker_count(g),
        .required = g->options.required,
        .json = g->options.config->log.json,
    };
    enum sotto_err err = sotto_rooms_start(&options, &g->rooms);
    if (err != SOTTO_OK) {
        snprintf(why, SOTTO_GATEWAY_WHY_BYTES, "front and back cannot be started: %s",
                 err == SOTTO_ELIMIT ? "threads: must be at most 256" : sotto_err_text(err));
        return err;
    }
    return close_off(g, why);
}

enum sotto_err sotto_gateway_new(const struct sotto_gateway_options *options,
                                 struct sotto_gateway **out, char why[SOTTO_GATEWAY_WHY_BYTES])
{
    struct sotto_gateway *g = sotto_calloc(1, sizeof(*g));
    why[0] = '\0';
    if (g == NULL) {
        return SOTTO_ENOMEM;
    }
    g->options = *options;
    g->started_s = sotto_wall_s();
    g->quota = quota_of(options->config);
    enum sotto_err err = options->separate ? separate(g, why) : SOTTO_OK;
    if (err == SOTTO_OK) {
        err = open_master(g, why);
    }
    if (err == SOTTO_OK) {
        err = open_keys(g, why);
    }
    if (err == SOTTO_OK) {
        err = sotto_setup_new(options->config, &g->setup, why);
    }
    bool config_taken = err == SOTTO_OK;
    if (err == SOTTO_OK) {
        err = sotto_sealing_new(options->folder, sotto_span_init(g->master, sizeof(g->master)),
                                options->config, &g->sealing, why);
    }
    if (err == SOTTO_OK) {
        err = make_shared(g, why);
    }
    if (err == SOTTO_OK) {
        err = make_workers(g);
    }
    if (err == SOTTO_OK) {
        err = make_own_loop(g);
    }
    if (err == SOTTO_OK) {
        err = listen_everywhere(g, why);
    }
    if (err != SOTTO_OK) {
        if (why[0] == '\0') {
            snprintf(why, SOTTO_GATEWAY_WHY_BYTES, "cannot start: %s", sotto_err_text(err));
        }
        if (config_taken) {
            g->setup->config = NULL; /* stays the caller's */
        }
        sotto_gateway_free(g);
        return err;
    }
    *out = g;
    return SOTTO_OK;
}

struct sotto_gateway_ports sotto_gateway_ports(const struct sotto_gateway *g)
{
    return g->ports;
}

enum sotto_err sotto_gateway_run(struct sotto_gateway *g)
{
    for (size_t i = 0; i < g->worker_count; i++) {
        enum sotto_err err = sotto_worker_start(g->workers[i]);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    sotto_admin_set_ready(g->admin, true);
    sotto_sealing_tick(g->sealing, g->slow);
    sotto_timer_arm(&g->save_timer, GATEWAY_SAVE_MS);
    enum sotto_err err = sotto_loop_run(g->loop);
    return err == SOTTO_OK && g->lost ? SOTTO_ECLOSED : err;
}

void sotto_gateway_free(struct sotto_gateway *g)
{
    if (g == NULL) {
        return;
    }
    g->freeing = true;
    for (size_t i = 0; i < g->worker_count; i++) {
        sotto_worker_join(g->workers[i]);
    }
    if (g->sealing != NULL) {
        sotto_sealing_stop(g->sealing);
    }
    sotto_side_free(g->slow);
    sotto_side_free(g->heavy);
    sotto_side_free(g->side);
    sotto_trail_stop(g->trail);
    for (size_t i = 0; i < g->worker_count; i++) {
        sotto_worker_free(g->workers[i]);
    }
    sotto_free(g->workers);
    sotto_trail_free(g->trail);
    if (g->store != NULL && g->limits != NULL) {
        sotto_ignore(sotto_store_usage_save(g->store, g->limits)); /* the end: nobody to tell */
    }
    if (g->loop != NULL) {
        sotto_loop_unwatch(g->loop, &g->signal_watch);
    }
    sotto_timer_close(&g->save_timer);
    sotto_timer_close(&g->drain_timer);
    sotto_admin_disconnect(g->admin);
    sotto_front_free(g->admin_front);
    sotto_doorway_free(g->admin_link);
    sotto_rooms_free(g->rooms);
    sotto_loop_free(g->loop);
    sotto_admin_free(g->admin);
    sotto_resolver_free(g->resolver);
    sotto_tls_context_drop(g->upstream_tls);
    sotto_tls_context_drop(g->server_tls);
    sotto_key_table_unref(g->key_handle);
    sotto_sealing_free(g->sealing);
    sotto_key_slot_free(g->keys);
    sotto_limits_free(g->limits);
    sotto_store_close(g->store);
    sotto_setup_unref(g->setup);
    sotto_wipe(g->master, sizeof(g->master));
    sotto_free(g);
}
