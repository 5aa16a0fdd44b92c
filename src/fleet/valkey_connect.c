/* SPDX-License-Identifier: Apache-2.0 */

/* Finding a server, and the TLS handshake with it. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "fleet/valkey_state.h"

static void next_address(struct sotto_valkey *link);

static void shake_hands(struct sotto_valkey *link)
{
    char why[SOTTO_VALKEY_WHY_BYTES];
    switch (sotto_tls_handshake(link->wire.tls)) {
    case SOTTO_TLS_OK:
        valkey_greet(link);
        break;
    case SOTTO_TLS_AGAIN:
        break;
    case SOTTO_TLS_END:
        valkey_lose(link, SOTTO_ECLOSED, "the server closed during the TLS handshake");
        break;
    case SOTTO_TLS_FAILED:
        snprintf(why, sizeof(why), "TLS: %s", sotto_tls_reason(link->wire.tls));
        valkey_refuse(link, why);
        break;
    }
}

static void connected(struct sotto_valkey *link)
{
    char name[SOTTO_RESOLVER_HOST_MAX + 1];
    if (link->options.tls == NULL) {
        valkey_greet(link);
        return;
    }
    snprintf(name, sizeof(name), "%.*s", SOTTO_FMT(link->options.host));
    if (sotto_tls_new(link->options.tls, link->wire.fd, name, NULL, &link->wire.tls) != SOTTO_OK) {
        valkey_lose(link, SOTTO_ENOMEM, "no TLS session could be made");
        return;
    }
    link->state = VALKEY_SHAKING;
    shake_hands(link);
}

static void check_connected(struct sotto_valkey *link)
{
    int number = 0;
    socklen_t len = sizeof(number);
    if (getsockopt(link->wire.fd, SOL_SOCKET, SO_ERROR, &number, &len) != 0 || number != 0) {
        next_address(link);
        return;
    }
    connected(link);
}

static void on_event(struct sotto_watch *watch, uint32_t events)
{
    struct sotto_valkey *link = SOTTO_CONTAINER(watch, struct sotto_valkey, watch);
    if ((events & (SOTTO_LOOP_READ | SOTTO_LOOP_GONE)) != 0) {
        sotto_wire_readable(&link->wire, (events & SOTTO_LOOP_GONE) != 0);
    }
    if (link->state == VALKEY_CONNECTING) {
        if ((events & (SOTTO_LOOP_WRITE | SOTTO_LOOP_GONE)) != 0) {
            check_connected(link);
        }
    } else if (link->state == VALKEY_SHAKING) {
        shake_hands(link);
    } else if (link->state == VALKEY_GREETING || link->state == VALKEY_OPEN) {
        valkey_write_on(link);
        valkey_read_on(link);
    }
}

/* False: this address cannot even be tried. */
static bool try_address(struct sotto_valkey *link, const struct sotto_address *address)
{
    const int on = 1;
    int fd = socket(address->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    link->wire = (struct sotto_wire){.fd = fd};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* slower without, not wrong */
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    int result = connect(fd, (const struct sockaddr *)(const void *)&address->addr, address->len);
    bool tried = (result == 0 || errno == EINPROGRESS) &&
                 sotto_loop_watch(link->loop, &link->watch, fd, on_event) == SOTTO_OK;
    if (!tried) {
        sotto_wire_close(&link->wire);
    }
    return tried;
}

static void next_address(struct sotto_valkey *link)
{
    valkey_close_socket(link);
    link->state = VALKEY_CONNECTING;
    while (link->address_at < link->addresses.count) {
        if (try_address(link, &link->addresses.list[link->address_at++])) {
            return;
        }
    }
    valkey_lose(link, SOTTO_ECLOSED,
                link->addresses.count != 0 ? "the server cannot be reached"
                                           : "its name has no address");
}

static void on_addresses(void *ctx, const struct sotto_addresses *addresses)
{
    struct sotto_valkey *link = ctx;
    link->lookup = NULL;
    link->addresses = *addresses;
    next_address(link);
}

void valkey_begin(struct sotto_valkey *link)
{
    link->state = VALKEY_RESOLVING;
    link->address_at = 0;
    sotto_timer_arm(&link->timer, link->options.wait_ms);
    enum sotto_err err = sotto_resolver_lookup(link->options.resolver, link->loop,
                                               link->options.host, link->options.port, on_addresses,
                                               link, &link->addresses, &link->lookup);
    if (err != SOTTO_OK) {
        valkey_lose(link, err, "its name cannot be looked up");
    } else if (link->lookup == NULL) {
        next_address(link);
    }
}
