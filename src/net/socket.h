/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_NET_SOCKET_H
#define SOTTO_NET_SOCKET_H

/*
 * Listening TCP sockets.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

/** Whether it is a loopback address: 127.0.0.0/8, ::1, or the former mapped into IPv6. */
bool sotto_socket_is_loopback(const struct sockaddr_storage *addr);

/**
 * Opens a non-blocking listening socket that may share its address with others of this program
 * (SO_REUSEPORT).  What is accepted from it has TCP_NODELAY and keep-alive.
 *
 * @param address  an IP address or "localhost"
 * @param port     0: a free one
 * @param[out] out       the descriptor, closed by the caller; like the others set only on SOTTO_OK
 * @param[out] bound     the port
 * @param[out] loopback  whether the address is one of loopback
 *
 * @retval SOTTO_EINVAL   not an address
 * @retval SOTTO_EEXISTS  somebody else has the port
 * @retval SOTTO_EDENIED, SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_socket_listen(const char *address, uint16_t port, int *out,
                                                    uint16_t *bound, bool *loopback);

/**
 * Whether nobody listens on a port.  Servers share one by SO_REUSEPORT, so another process of the
 * same user could share ours unnoticed: ask before the first of them listens.
 *
 * @retval SOTTO_EEXISTS, SOTTO_EINVAL, SOTTO_EDENIED, SOTTO_EIO  as sotto_server_listen()
 */
SOTTO_MUST_CHECK enum sotto_err sotto_socket_port_free(const char *address, uint16_t port);

#endif
