/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "gateway/gateway_state.h"
#include "net/server.h"
#include "net/socket.h"
#include "sys/log.h"

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

enum sotto_err gateway_certificate_paths(const struct sotto_config *c,
                                         char cert[GATEWAY_PATH_BYTES],
                                         char key[GATEWAY_PATH_BYTES])
{
    if (c->tls.certificate.len >= GATEWAY_PATH_BYTES || c->tls.key.len >= GATEWAY_PATH_BYTES) {
        return SOTTO_ELIMIT;
    }
    snprintf(cert, GATEWAY_PATH_BYTES, "%.*s", SOTTO_FMT(c->tls.certificate));
    snprintf(key, GATEWAY_PATH_BYTES, "%.*s", SOTTO_FMT(c->tls.key));
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
    char cert[GATEWAY_PATH_BYTES] = "", key[GATEWAY_PATH_BYTES] = "";
    if (c->tls.listen.host.len == 0) {
        return SOTTO_OK;
    }
    enum sotto_err err = gateway_certificate_paths(c, cert, key);
    if (err == SOTTO_OK) {
        err = sotto_tls_server_new(cert, key, &g->server_tls);
    }
    if (err != SOTTO_OK) {
        explain_certificate(err, cert, key, why);
    }
    return err;
}

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
        char cert[GATEWAY_PATH_BYTES], key[GATEWAY_PATH_BYTES];
        sotto_ignore(
            gateway_certificate_paths(c, cert, key)); /* they were passed on, so they fit */
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
        err = sotto_rooms_open(g->rooms, g->loop, &setup, gateway_lost_room, g, &ready, &back);
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

enum sotto_err gateway_listen(struct sotto_gateway *g, char *why)
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
