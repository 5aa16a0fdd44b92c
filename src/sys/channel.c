/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum sotto_err sotto_channel_open(int *one, int *other)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
        return SOTTO_EIO;
    }
    *one = pair[0];
    *other = pair[1];
    return SOTTO_OK;
}

void sotto_channel_close(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

enum sotto_err sotto_channel_read(int fd, void *to, size_t cap, size_t *n)
{
    ssize_t got;
    do {
        got = read(fd, to, cap);
    } while (got < 0 && errno == EINTR);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        return SOTTO_ECLOSED;
    }
    *n = got > 0 ? (size_t)got : 0;
    return SOTTO_OK;
}

enum sotto_err sotto_channel_write(int fd, const void *from, size_t len, size_t *n)
{
    ssize_t put;
    do {
        put = write(fd, from, len);
    } while (put < 0 && errno == EINTR);
    if (put < 0 && errno != EAGAIN) {
        return SOTTO_ECLOSED;
    }
    *n = put > 0 ? (size_t)put : 0;
    return SOTTO_OK;
}
