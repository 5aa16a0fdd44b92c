/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "base/alloc.h"
#include "crypto/mesh.h"
#include "fleet/wrap.h"
#include "gateway/gateway_state.h"
#include "sys/log.h"

/* Rounds of the loop in which the store may answer for the first time, of so many milliseconds. */
#define FLEET_ROUND_MS 10

static enum sotto_err make_tls(struct sotto_gateway *g, const struct sotto_config_valkey *c,
                               char *why)
{
    char path[GATEWAY_PATH_BYTES];
    if (!c->url.tls) {
        return SOTTO_OK;
    }
    int n = snprintf(path, sizeof(path), "%.*s", SOTTO_FMT(c->certificates));
    enum sotto_err err = n > 0 && (size_t)n >= sizeof(path)
                             ? SOTTO_ELIMIT
                             : sotto_tls_client_new(n > 0 ? path : NULL, &g->fleet_tls);
    if (err != SOTTO_OK) {
        snprintf(why, SOTTO_GATEWAY_WHY_BYTES,
                 "stores.valkey.certificates: %.200s cannot be read: %s",
                 n > 0 ? path : "the system's", sotto_err_text(err));
    }
    return err;
}

static unsigned database_of(const struct sotto_config_url *url)
{
    unsigned n = 0;
    for (size_t i = 1; i < url->base_path.len; i++) { /* digits, as it was read */
        n = n * 10 + (unsigned)(url->base_path.base[i] - '0');
    }
    return n;
}

/* What is known of a month is told under the name of where it is kept, once for each place: the
 * database that all share, or the state folder. */
static void name_books(const struct sotto_gateway *g, char out[SOTTO_FLEET_NAME_BYTES])
{
    if (g->setup->config->stores.postgres.len != 0) {
        snprintf(out, SOTTO_FLEET_NAME_BYTES, "postgres");
        return;
    }
    const uint8_t *hash = sotto_mesh_ca_hash(sotto_sealing_host(g->sealing)->mesh);
    for (size_t i = 0; 2 * i + 2 < SOTTO_FLEET_NAME_BYTES; i++) {
        snprintf(out + 2 * i, 3, "%02x", hash[i]);
    }
}

/* A store that is there and cannot be used is a mistake of the configuration; one that is not there
 * comes back by itself. */
static enum sotto_err try_store(const struct sotto_gateway *g, char *why)
{
    struct sotto_loop *loop = NULL;
    struct sotto_fleet *fleet = NULL;
    enum sotto_err err = sotto_loop_new(&loop);
    if (err == SOTTO_OK) {
        err = sotto_fleet_new(loop, g->shared_store, &fleet);
    }
    for (int64_t ms = 0; err == SOTTO_OK && ms <= g->shared_store->link.wait_ms + FLEET_ROUND_MS;
         ms += FLEET_ROUND_MS) {
        const struct sotto_valkey *link = sotto_fleet_store(fleet);
        if (sotto_valkey_is_open(link) || sotto_valkey_why(link)[0] != '\0') {
            break;
        }
        err = sotto_loop_step(loop, FLEET_ROUND_MS);
    }
    if (err == SOTTO_OK && sotto_valkey_is_refused(sotto_fleet_store(fleet))) {
        snprintf(why, SOTTO_GATEWAY_WHY_BYTES, "stores.valkey: %s",
                 sotto_valkey_why(sotto_fleet_store(fleet)));
        err = SOTTO_EINVAL;
    }
    sotto_fleet_free(fleet);
    sotto_loop_free(loop);
    return err;
}

enum sotto_err gateway_make_fleet(struct sotto_gateway *g, char *why)
{
    const struct sotto_config_valkey *c = &g->setup->config->stores.valkey;
    if (c->url.host.len == 0) {
        return SOTTO_OK;
    }
    g->fleet_setup = sotto_setup_ref(g->setup);
    g->shared_store = sotto_calloc(1, sizeof(*g->shared_store));
    if (g->shared_store == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = g->resolver == NULL ? sotto_resolver_new(&g->resolver) : SOTTO_OK;
    if (err == SOTTO_OK) {
        err = make_tls(g, c, why);
    }
    if (err == SOTTO_OK) {
        err = sotto_wrap_key(sotto_span_init(g->master, sizeof(g->master)), g->shared_store->key);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    g->shared_store->link = (struct sotto_valkey_options){.resolver = g->resolver,
                                                          .tls = g->fleet_tls,
                                                          .host = c->url.host,
                                                          .port = c->url.port,
                                                          .username = c->username,
                                                          .password = c->password,
                                                          .database = database_of(&c->url),
                                                          .wait_ms = (int64_t)c->wait_ms};
    g->shared_store->prefix = c->prefix;
    g->shared_store->hold_ms = (int64_t)c->hold_ms;
    name_books(g, g->shared_store->name);
    return try_store(g, why);
}

void gateway_free_fleet(struct sotto_gateway *g)
{
    sotto_free(g->shared_store);
    sotto_tls_context_drop(g->fleet_tls);
    sotto_setup_unref(g->fleet_setup);
}
