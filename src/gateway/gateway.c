/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/gateway.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "gateway/gateway_state.h"
#include "net/resolver.h"
#include "store/postgres_url.h"
#include "sys/clock.h"
#include "sys/cpu.h"
#include "sys/log.h"
#include "sys/notify.h"
#include "sys/signals.h"

/* Names may be asked for over TCP. */
#define VAULT_PORT_DNS 53
/* After keys could not be read, nobody waits for them for so long. */
#define GATEWAY_REREAD_MS 1000
/* How often use is written to the store, and how often a drain is looked at. */
#define GATEWAY_SAVE_MS  5000
#define GATEWAY_DRAIN_MS 50
_Static_assert(GATEWAY_SAVE_MS == SOTTO_MEMORY_RETURN_MS, "memory goes back with it");
/* How long errors may take to go out when front or back is gone. */
#define GATEWAY_LOST_MS 500

/* --- keys -------------------------------------------------------------------------------------- */

static uint64_t key_generation(void *ctx)
{
    const struct sotto_gateway *g = ctx;
    return sotto_store_generation(g->store);
}

/* Not while the store has been silent for too long, and not right after it did not tell what has
 * changed: whoever asks then does not wait. */
bool gateway_keys_trusted(void *ctx)
{
    struct sotto_gateway *g = ctx;
    int64_t unread_at_ms = atomic_load_explicit(&g->unread_at_ms, memory_order_relaxed);
    return sotto_store_trusted(g->store) &&
           (unread_at_ms == 0 || sotto_clock_ms() - unread_at_ms > GATEWAY_REREAD_MS);
}

void gateway_read_keys(void *ctx)
{
    struct sotto_gateway *g = ctx;
    struct sotto_key_table *table = NULL;
    enum sotto_err err = sotto_store_key_table(g->store, g->limits, &g->quota, &table);
    if (err == SOTTO_OK) {
        sotto_key_slot_put(g->keys, table);
        atomic_store(&g->unread_at_ms, 0);
    } else {
        atomic_store(&g->unread_at_ms, sotto_clock_ms());
        SOTTO_LOG(SOTTO_LOG_ERROR, "keys_not_read", SOTTO_LOG_ERR("error", err),
                  SOTTO_LOG_NOTE("why", sotto_store_why(g->store)));
    }
}

static enum sotto_err open_keys(struct sotto_gateway *g, char *why)
{
    struct sotto_key_table *table = NULL;
    const struct sotto_config *config = g->options.config;
    g->fleet = config->stores.postgres.len != 0;
    enum sotto_err err =
        sotto_store_connect(g->options.folder, config->stores.postgres, &g->store, why);
    if (err == SOTTO_OK) {
        err = sotto_store_grace_set(g->store, (int64_t)(config->keys.grace_ms / 1000));
    }
    if (err == SOTTO_OK) {
        err = sotto_limits_new(&g->limits);
    }
    if (err == SOTTO_OK) {
        g->loaded_month = sotto_limit_month(sotto_wall_ms());
        err = sotto_store_usage_load(g->store, g->loaded_month, g->limits);
    }
    if (err == SOTTO_OK) {
        err = sotto_store_key_table(g->store, g->limits, &g->quota, &table);
    }
    if (err == SOTTO_OK) {
        err = sotto_store_watch(g->store, config->stores.trust_ms);
    }
    if (err != SOTTO_OK) {
        sotto_key_table_unref(table);
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
        .fleet = g->shared_store,
        .separate = g->rooms != NULL,
        .key_generation = key_generation,
        .keys_trusted = gateway_keys_trusted,
        .read_keys = gateway_read_keys,
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

/* --- the calling thread ------------------------------------------------------------------------ */

static void save_run(struct sotto_side_work *work)
{
    struct sotto_gateway *g = SOTTO_CONTAINER(work, struct sotto_gateway, save_work);
    int32_t month = sotto_limit_month(sotto_wall_ms());
    enum sotto_err err = sotto_store_usage_save(g->store, g->limits);
    if (err == SOTTO_OK && (g->fleet || month != g->loaded_month)) {
        /* Others of the fleet use, too: what they did counts here from now on.  And a clock that was
         * set may lead into a month of which this process knows nothing. */
        err = sotto_store_usage_load(g->store, month, g->limits);
        g->loaded_month = err == SOTTO_OK ? month : g->loaded_month;
    }
    if (err != SOTTO_OK) {
        atomic_fetch_add(&g->unsaved, 1);
        SOTTO_LOG(SOTTO_LOG_ERROR, "use_not_saved",
                  SOTTO_LOG_NOTE("why", sotto_store_why(g->store)));
    }
    sotto_memory_return_tick(&g->memory);
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
void gateway_lost_room(void *ctx, const char *room)
{
    struct sotto_gateway *g = ctx;
    SOTTO_LOG(SOTTO_LOG_ERROR, "room_lost", SOTTO_LOG_ID("room", room));
    g->lost = true;
    drain(g);
    int64_t soon_ms = sotto_clock_ms() + GATEWAY_LOST_MS;
    g->drain_until_ms = g->drain_until_ms < soon_ms ? g->drain_until_ms : soon_ms;
}

static void on_signal(struct sotto_watch *watch, uint32_t events)
{
    struct sotto_gateway *g = SOTTO_CONTAINER(watch, struct sotto_gateway, signal_watch);
    (void)events;
    for (enum sotto_signal sig = sotto_signals_next(g->options.signals); sig != SOTTO_SIGNAL_NONE;
         sig = sotto_signals_next(g->options.signals)) {
        if (sig == SOTTO_SIGNAL_RELOAD) {
            sotto_ignore(gateway_reload(g, NULL)); /* says what came of it */
        } else {
            drain(g);
        }
    }
}

static enum sotto_err make_own_loop(struct sotto_gateway *g)
{
    enum sotto_err err = sotto_loop_new(&g->loop);
    if (err == SOTTO_OK) {
        err = gateway_make_admin(g);
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

/* What the vault needs of the machine for the stores of its fleet. */
struct vault_stores {
    bool any;
    struct postgres_url postgres;
    char certificates[SOTTO_ROOM_PATH_BYTES];
    uint16_t ports[POSTGRES_PORTS + 3]; /* ends with 0 */
};

static enum sotto_err stores_of(const struct sotto_config *config, struct vault_stores *out,
                                char *why)
{
    sotto_span postgres = config->stores.postgres;
    const struct sotto_config_valkey *valkey = &config->stores.valkey;
    size_t count = 0;
    *out = (struct vault_stores){.any = postgres.len != 0 || valkey->url.host.len != 0};
    if (postgres.len != 0 && postgres_url_read(postgres, &out->postgres) != SOTTO_OK) {
        snprintf(why, SOTTO_GATEWAY_WHY_BYTES, "stores.postgres: is not a URL of PostgreSQL");
        return SOTTO_EINVAL;
    }
    snprintf(out->certificates, sizeof(out->certificates), "%.*s", SOTTO_FMT(valkey->certificates));
    if (!out->any) {
        return SOTTO_OK;
    }
    out->ports[count++] = VAULT_PORT_DNS;
    if (valkey->url.host.len != 0) {
        out->ports[count++] = valkey->url.port;
    }
    for (size_t i = 0; i < POSTGRES_PORTS && out->postgres.ports[i] != 0; i++) {
        out->ports[count++] = out->postgres.ports[i];
    }
    return SOTTO_OK;
}

/* This process is the vault from here on: state, configuration and evidence of the machine, no
 * sockets but to the stores of its fleet, no programs. */
static enum sotto_err close_off(struct sotto_gateway *g, char *why)
{
    char config[SOTTO_ROOM_PATH_BYTES] = "/dev/urandom", tsm[SOTTO_ROOM_PATH_BYTES];
    struct sotto_sandbox_report *report = &g->closed_off;
    struct vault_stores stores;
    enum sotto_err err = stores_of(g->options.config, &stores, why);
    if (err != SOTTO_OK) {
        return err;
    }
    if (g->options.config_file != NULL) {
        sotto_room_folder_of(g->options.config_file, config);
    }
    const char *read[4 + SOTTO_RESOLVER_PATHS + POSTGRES_FILES + 2] = {
        config, "/dev/urandom", "/etc/localtime", "/proc/self"};
    size_t count = 4;
    if (stores.any) {
        sotto_resolver_prepare();
        count += sotto_resolver_paths(read + count);
    }
    for (size_t i = 0; i < POSTGRES_FILES; i++) {
        if (stores.postgres.files[i][0] != '\0') {
            read[count++] = stores.postgres.files[i];
        }
    }
    if (stores.certificates[0] != '\0') {
        read[count++] = stores.certificates;
    }
    /* Reports of the machine are asked for in folders that are made there. */
    snprintf(tsm, sizeof(tsm), "%.*s", SOTTO_FMT(g->options.config->sealing.tsm));
    const char *const write[] = {g->options.folder, tsm, NULL};
    const struct sotto_sandbox_paths paths = {
        .read = read, .write = write, .connect = stores.ports};
    err = sotto_sandbox(stores.any ? SOTTO_SANDBOX_VAULT_STORES : SOTTO_SANDBOX_VAULT, &paths,
                        report);
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
    g->quota = gateway_quota_of(options->config);
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
        err = gateway_make_fleet(g, why);
    }
    if (err == SOTTO_OK) {
        err = make_workers(g);
    }
    if (err == SOTTO_OK) {
        err = make_own_loop(g);
    }
    if (err == SOTTO_OK) {
        err = gateway_listen(g, why);
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
    gateway_free_fleet(g);
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
