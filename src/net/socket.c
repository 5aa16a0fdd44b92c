/* SPDX-License-Identifier: Apache-2.0 */

#include "net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"

/* Connections that wait in the kernel to be accepted. */
#define SOCKET_BACKLOG 1024

bool sotto_socket_is_loopback(const struct sockaddr_storage *addr)
{
    if (addr->ss_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, addr, sizeof(v4));
        return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
    }
    if (addr->ss_family != AF_INET6) {
        return false;
    }
    struct sockaddr_in6 v6;
    memcpy(&v6, addr, sizeof(v6));
    sotto_span bytes = sotto_span_init(v6.sin6_addr.s6_addr, 16);
    return sotto_span_eq(bytes, sotto_span_init(in6addr_loopback.s6_addr, 16)) ||
           sotto_span_starts(bytes, SOTTO_LIT("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f"));
}

static enum sotto_err read_address(const char *address, uint16_t port,
                                   struct sockaddr_storage *addr, socklen_t *len)
{
    const char *text = strcmp(address, "localhost") == 0 ? "127.0.0.1" : address;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    memset(addr, 0, sizeof(*addr));
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(addr, &v4, sizeof(v4));
        *len = sizeof(v4);
    } else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        memcpy(addr, &v6, sizeof(v6));
        *len = sizeof(v6);
    } else {
        return SOTTO_EINVAL;
    }
    return SOTTO_OK;
}

/* Why an address cannot be had. */
static enum sotto_err refusal(void)
{
    return errno == EADDRINUSE ? SOTTO_EEXISTS : errno == EACCES ? SOTTO_EDENIED : SOTTO_EIO;
}

/* Linux hands these options on to accepted sockets: no call for each connection. */
static bool set_options(int fd)
{
    const int on = 1, idle_s = 60, interval_s = 15, count = 4;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
           setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s)) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count)) == 0;
}

enum sotto_err sotto_socket_listen(const char *address, uint16_t port, int *out, uint16_t *bound,
                                   bool *loopback)
{
    struct sockaddr_storage addr = {0};
    socklen_t len = 0;
    enum sotto_err err = read_address(address, port, &addr, &len);
    if (err != SOTTO_OK) {
        return err;
    }
    int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return SOTTO_EIO;
    }
    if (!set_options(fd) || bind(fd, (struct sockaddr *)(void *)&addr, len) != 0 ||
        listen(fd, SOCKET_BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)(void *)&addr, &len) != 0) {
        err = refusal();
        close(fd);
        return err;
    }
    /* The port stands at the same place in both. */
    *bound = ntohs(((struct sockaddr_in *)(void *)&addr)->sin_port);
    *loopback = sotto_socket_is_loopback(&addr);
    *out = fd;
    return SOTTO_OK;
}

enum sotto_err sotto_socket_port_free(const char *address, uint16_t port)
{
    const int on = 1;
    struct sockaddr_storage addr = {0};
    socklen_t len = 0;
    enum sotto_err err = read_address(address, port, &addr, &len);
    if (err != SOTTO_OK || port == 0) {
        return err;
    }
    int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return SOTTO_EIO;
    }
    /* What is left of closed connections does not matter; without SO_REUSEPORT a listener does. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)(void *)&addr, len) != 0) {
        err = refusal();
    }
    close(fd);
    return err;
}
