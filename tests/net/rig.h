/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_NET_RIG_H
#define SOTTO_TESTS_NET_RIG_H

/*
 * Both ends of a connection in one thread: raw sockets for the side that is played by the test, a
 * loop for the side that is tested.  Nothing sleeps; waiting is running the loop until something
 * holds, with a bound.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/loop.h"
#include "tap/tap.h"

#define RIG_ROUNDS 8000

/* Runs the loop until the condition holds, for at most some seconds. */
#define UNTIL(loop, cond)                                                                          \
    do {                                                                                           \
        for (int round_ = 0; round_ < RIG_ROUNDS && !(cond); round_++) {                           \
            sotto_ignore(sotto_loop_step((loop), 1));                                              \
        }                                                                                          \
    } while (0)

/* Lets happen what happens: for showing that something does not. */
static inline void rig_settle(struct sotto_loop *loop)
{
    for (int i = 0; i < 20; i++) {
        sotto_ignore(sotto_loop_step(loop, 0));
    }
}

static inline struct sockaddr_in rig_address(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* A non-blocking client socket; loopback connects at once. */
static inline int rig_connect(uint16_t port)
{
    struct sockaddr_in addr = rig_address(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

/* A non-blocking listener of the test's own upstream. */
static inline int rig_listen(uint16_t *port)
{
    struct sockaddr_in addr = rig_address(0);
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(fd, (struct sockaddr *)&addr, len) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) != 0) {
        abort();
    }
    *port = ntohs(addr.sin_port);
    return fd;
}

static inline int rig_accept(struct sotto_loop *loop, int listener)
{
    int fd = -1;
    UNTIL(loop, (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
    return fd;
}

/* Everything, running the loop while the kernel's buffer is full.  False: the other side broke. */
static inline bool rig_send(struct sotto_loop *loop, int fd, sotto_span data)
{
    for (int i = 0; data.len != 0 && i < RIG_ROUNDS; i++) {
        ssize_t n = send(fd, data.base, data.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            return false;
        }
        data = sotto_span_skip(data, n > 0 ? (size_t)n : 0);
        sotto_ignore(sotto_loop_step(loop, n > 0 ? 0 : 1));
    }
    return data.len == 0;
}

enum rig_end {
    RIG_OPEN,
    RIG_CLOSED,
    RIG_RESET,
};

/* Appends what is there now. */
static inline enum rig_end rig_take(int fd, struct sotto_buf *in)
{
    for (;;) {
        uint8_t piece[16384];
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        if (n == 0) {
            return RIG_CLOSED;
        }
        if (n < 0) {
            return errno == EAGAIN ? RIG_OPEN : RIG_RESET;
        }
        sotto_ignore(sotto_buf_append(in, sotto_span_init(piece, (size_t)n)));
    }
}

static inline size_t rig_find(const struct sotto_buf *in, const char *text)
{
    const uint8_t *at = in->len != 0 ? memmem(in->base, in->len, text, strlen(text)) : NULL;
    return at != NULL ? (size_t)(at - in->base) : SIZE_MAX;
}

static inline size_t rig_count(const struct sotto_buf *in, const char *text)
{
    size_t count = 0, len = strlen(text);
    for (size_t i = 0; i + len <= in->len; i++) {
        count += memcmp(in->base + i, text, len) == 0 ? 1 : 0;
    }
    return count;
}

/* Reads until `text` has come. */
static inline bool rig_expect(struct sotto_loop *loop, int fd, struct sotto_buf *in,
                              const char *text)
{
    UNTIL(loop, rig_find(in, text) != SIZE_MAX || rig_take(fd, in) != RIG_OPEN);
    return rig_find(in, text) != SIZE_MAX;
}

/* Reads to the end. */
static inline enum rig_end rig_rest(struct sotto_loop *loop, int fd, struct sotto_buf *in)
{
    enum rig_end end = RIG_OPEN;
    UNTIL(loop, (end = rig_take(fd, in)) != RIG_OPEN);
    return end;
}

#endif
