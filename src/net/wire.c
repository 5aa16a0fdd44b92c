/* SPDX-License-Identifier: Apache-2.0 */

#include "net/wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static enum sotto_tls_result from_errno(void)
{
    return errno == EAGAIN ? SOTTO_TLS_AGAIN : SOTTO_TLS_FAILED;
}

enum sotto_tls_result sotto_wire_read(struct sotto_wire *wire, void *to, size_t cap, size_t *n)
{
    ssize_t got;
    if (wire->tls != NULL) {
        return sotto_tls_read(wire->tls, to, cap, n);
    }
    if (wire->drained) {
        return SOTTO_TLS_AGAIN;
    }
    do {
        got = recv(wire->fd, to, cap, 0);
    } while (got < 0 && errno == EINTR);
    wire->drained = got < 0 || ((size_t)got < cap && got != 0 && !wire->ending);
    if (got > 0) {
        *n = (size_t)got;
        return SOTTO_TLS_OK;
    }
    return got == 0 ? SOTTO_TLS_END : from_errno();
}

enum sotto_tls_result sotto_wire_writev(struct sotto_wire *wire, const struct iovec *iov, int count,
                                        size_t *n)
{
    ssize_t sent;
    enum sotto_tls_result result;
    if (wire->tls != NULL) {
        result = sotto_tls_writev(wire->tls, iov, count, n);
    } else {
        struct msghdr message = {.msg_iovlen = (size_t)count};
        memcpy(&message.msg_iov, &iov, sizeof(void *)); /* sendmsg(2) only reads it */
        do {
            sent = sendmsg(wire->fd, &message, MSG_NOSIGNAL);
        } while (sent < 0 && errno == EINTR);
        *n = sent > 0 ? (size_t)sent : 0;
        result = sent >= 0 ? SOTTO_TLS_OK : from_errno();
    }
    wire->failed = wire->failed || result == SOTTO_TLS_FAILED;
    return result;
}

void sotto_wire_shutdown(struct sotto_wire *wire)
{
    if (wire->tls != NULL) {
        sotto_tls_shutdown(wire->tls);
    }
    shutdown(wire->fd, SHUT_WR); /* fails only when it is gone already */
}

void sotto_wire_close(struct sotto_wire *wire)
{
    if (wire->fd < 0) {
        return;
    }
    if (wire->tls != NULL) {
        if (!wire->failed) {
            sotto_tls_shutdown(wire->tls);
        }
        sotto_tls_free(wire->tls);
        wire->tls = NULL;
    }
    close(wire->fd);
    wire->fd = -1;
}
