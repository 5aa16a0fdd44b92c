/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_NET_WIRE_H
#define SOTTO_NET_WIRE_H

/*
 * A connected non-blocking socket, plain or under TLS, as the server and the client use it.  Fits
 * edge-triggered watching: a short read means that the kernel has no more, so the next read is not
 * tried before sotto_wire_readable() says that something happened.  Used inside net/ only.
 */

#include "net/tls.h"

struct sotto_wire {
    int fd; /* -1: closed */
    struct sotto_tls *tls;
    bool drained;
    bool ending;
    bool failed; /* a write failed: what the other side sent before may still be read */
};

/**
 * Something happened to the socket: reading may be tried.  `ending`: its end has come, which no
 * later event would tell, so a short read does not count as the last one any more.
 */
static inline void sotto_wire_readable(struct sotto_wire *wire, bool ending)
{
    wire->drained = false;
    wire->ending = wire->ending || ending;
    if (wire->tls != NULL) {
        sotto_tls_readable(wire->tls, wire->ending);
    }
}

/** What writev(2) wants: it reads only, but its type has no const. */
static inline struct iovec sotto_wire_iov(sotto_span bytes)
{
    struct iovec iov = {.iov_len = bytes.len};
    memcpy(&iov.iov_base, &bytes.base, sizeof(iov.iov_base));
    return iov;
}

/** Reads up to `cap` bytes; *n is set on SOTTO_TLS_OK. */
enum sotto_tls_result sotto_wire_read(struct sotto_wire *wire, void *to, size_t cap, size_t *n);

/** Writes what goes; *n is set on SOTTO_TLS_OK. */
enum sotto_tls_result sotto_wire_writev(struct sotto_wire *wire, const struct iovec *iov, int count,
                                        size_t *n);

/** Ends our direction: the other side reads to the end and may still send. */
void sotto_wire_shutdown(struct sotto_wire *wire);

/** Closes; with TLS close_notify is tried.  Closed already is fine. */
void sotto_wire_close(struct sotto_wire *wire);

#endif
