/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room_setup.h"

#include <stdio.h>

#include "base/alloc.h"

void sotto_room_folder_of(const char *file, char out[SOTTO_ROOM_PATH_BYTES])
{
    snprintf(out, SOTTO_ROOM_PATH_BYTES, "%s", file);
    char *slash = strrchr(out, '/');
    if (slash == NULL) {
        snprintf(out, SOTTO_ROOM_PATH_BYTES, ".");
    } else {
        slash[slash == out] = '\0';
    }
}

static struct sotto_server_limits limits_of_clients(const struct sotto_config_limits *c)
{
    struct sotto_server_limits limits = sotto_server_limits_default();
    limits.http.head_bytes = (size_t)c->header_bytes;
    limits.http.body_bytes = (size_t)c->body_bytes;
    limits.head_ms = (int64_t)c->slow_after_ms;
    limits.body_window_ms = (int64_t)c->slow_after_ms;
    limits.body_window_bytes = (size_t)(c->slow_rate_bytes * c->slow_after_ms / 1000);
    limits.keep_alive_ms = (int64_t)c->keep_open_ms;
    limits.connections = (size_t)c->connections;
    return limits;
}

static struct sotto_room_listener listener_of(const struct sotto_config_address *address)
{
    struct sotto_room_listener out = {.port = address->port};
    snprintf(out.host, sizeof(out.host), "%.*s", SOTTO_FMT(address->host));
    return out;
}

enum sotto_err sotto_front_setup_of(const struct sotto_config *c, struct sotto_front_setup *out)
{
    if (c->tls.certificate.len >= SOTTO_ROOM_PATH_BYTES ||
        c->tls.key.len >= SOTTO_ROOM_PATH_BYTES) {
        return SOTTO_ELIMIT;
    }
    *out = (struct sotto_front_setup){
        .limits = limits_of_clients(&c->limits),
        .plain = listener_of(&c->listen),
        .tls = listener_of(&c->tls.listen),
        .admin = listener_of(&c->admin),
    };
    snprintf(out->certificate, SOTTO_ROOM_PATH_BYTES, "%.*s", SOTTO_FMT(c->tls.certificate));
    snprintf(out->key, SOTTO_ROOM_PATH_BYTES, "%.*s", SOTTO_FMT(c->tls.key));
    return SOTTO_OK;
}

static struct sotto_client_limits limits_of_upstream(const struct sotto_config_upstream *up)
{
    struct sotto_client_limits limits = sotto_client_limits_default();
    limits.connect_ms = (int64_t)up->connect_ms;
    limits.first_byte_ms = (int64_t)up->first_byte_ms;
    limits.silence_ms = (int64_t)up->idle_ms;
    limits.connections = (size_t)up->max_connections;
    return limits;
}

static size_t bytes_of(size_t count)
{
    return sizeof(struct sotto_back_setup) + count * sizeof(struct sotto_back_upstream);
}

enum sotto_err sotto_back_setup_of(const struct sotto_config *config, uint32_t number,
                                   struct sotto_back_setup **out)
{
    size_t count = config->upstream_count;
    if (count > SOTTO_BACK_UPSTREAMS_MAX) {
        return SOTTO_ELIMIT;
    }
    struct sotto_back_setup *setup = sotto_calloc(1, bytes_of(count));
    if (setup == NULL) {
        return SOTTO_ENOMEM;
    }
    setup->number = number;
    setup->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        const struct sotto_config_upstream *from = &config->upstreams[i];
        struct sotto_back_upstream *up = &setup->upstreams[i];
        if (from->url.host.len >= sizeof(up->host)) {
            sotto_free(setup);
            return SOTTO_ELIMIT;
        }
        snprintf(up->host, sizeof(up->host), "%.*s", SOTTO_FMT(from->url.host));
        up->port = from->url.port;
        up->tls = from->url.tls;
        up->http2 = from->http2;
        up->none = sotto_span_eq(from->kind, SOTTO_LIT("mirror"));
        up->limits = limits_of_upstream(from);
    }
    *out = setup;
    return SOTTO_OK;
}

enum sotto_err sotto_back_setup_read(sotto_span body, struct sotto_back_setup **out)
{
    struct sotto_back_setup head;
    if (body.len < sizeof(head)) {
        return SOTTO_EFORMAT;
    }
    memcpy(&head, body.base, sizeof(head));
    if (head.count > SOTTO_BACK_UPSTREAMS_MAX || body.len != bytes_of(head.count)) {
        return SOTTO_EFORMAT;
    }
    struct sotto_back_setup *setup = sotto_alloc(body.len);
    if (setup == NULL) {
        return SOTTO_ENOMEM;
    }
    memcpy(setup, body.base, body.len);
    for (size_t i = 0; i < setup->count; i++) {
        setup->upstreams[i].host[SOTTO_ROOM_HOST_BYTES - 1] = '\0';
    }
    *out = setup;
    return SOTTO_OK;
}

sotto_span sotto_back_setup_span(const struct sotto_back_setup *setup)
{
    return sotto_span_init((const uint8_t *)setup, bytes_of(setup->count));
}
