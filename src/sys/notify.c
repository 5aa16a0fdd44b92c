/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/clock.h"

static int notify_fd = -1;

enum sotto_err sotto_notify_open(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path != NULL ? strlen(path) : 0;
    sotto_notify_close();
    if (len == 0) {
        return SOTTO_OK;
    }
    if ((path[0] != '/' && path[0] != '@') || len >= sizeof(address.sun_path)) {
        return SOTTO_EIO;
    }
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, size) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        return SOTTO_EIO;
    }
    notify_fd = fd;
    return SOTTO_OK;
}

/* A manager that does not listen is no reason to stop. */
static void tell(const char *text)
{
    if (notify_fd >= 0) {
        /* Not send(): a room that has no sockets may not call that (sys/sandbox.h). */
        ssize_t sent = write(notify_fd, text, strlen(text));
        (void)sent;
    }
}

void sotto_notify_ready(void)
{
    tell("READY=1\nSTATUS=Serving");
}

void sotto_notify_reloading(void)
{
    char text[80];
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)sotto_clock_us());
    tell(text);
}

void sotto_notify_stopping(void)
{
    tell("STOPPING=1\nSTATUS=Finishing what runs");
}

void sotto_notify_close(void)
{
    if (notify_fd >= 0) {
        close(notify_fd);
        notify_fd = -1;
    }
}
