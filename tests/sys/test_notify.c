/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tap/tap.h"

static int listener = -1;

/* What was told last; empty: nothing. */
static const char *heard(void)
{
    static char text[200];
    ssize_t len = recv(listener, text, sizeof(text) - 1, MSG_DONTWAIT);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static void test_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    listener = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address,
                             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
        abort();
    }
    IS_INT(sotto_notify_open(path), SOTTO_OK, "%c: the socket is opened", path[0]);
    sotto_notify_ready();
    OK(strncmp(heard(), "READY=1\n", 8) == 0, "%c: ready", path[0]);
    sotto_notify_reloading();
    OK(strncmp(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27) == 0, "%c: reloading", path[0]);
    sotto_notify_stopping();
    OK(strncmp(heard(), "STOPPING=1\n", 11) == 0, "%c: stopping", path[0]);
    sotto_notify_close();
    sotto_notify_ready();
    IS_TEXT(heard(), strlen(heard()), "", "%c: after the end nothing is told", path[0]);
    close(listener);
}

int main(void)
{
    char folder[] = "/tmp/sotto-notify-XXXXXX", path[64], name[64];
    IS_INT(sotto_notify_open(NULL), SOTTO_OK, "without a manager there is nothing to open");
    sotto_notify_ready();
    IS_INT(sotto_notify_open(""), SOTTO_OK, "an empty name is none");
    IS_INT(sotto_notify_open("relative"), SOTTO_EIO, "a path is absolute");
    IS_INT(sotto_notify_open("/no/such/socket"), SOTTO_EIO, "nobody listens");
    sotto_notify_stopping();
    if (mkdtemp(folder) == NULL) {
        abort();
    }
    snprintf(path, sizeof(path), "%s/socket", folder);
    test_path(path);
    unlink(path);
    rmdir(folder);
    snprintf(name, sizeof(name), "@%s", folder + 5);
    test_path(name);
    return done_testing();
}
