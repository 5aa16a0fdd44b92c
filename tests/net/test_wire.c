/* SPDX-License-Identifier: Apache-2.0 */

#include "net/wire.h"

#include "net/rig.h"

int main(void)
{
    int fds[2];
    uint8_t to[16];
    size_t n = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0) {
        abort();
    }
    struct sotto_wire wire = {.fd = fds[0]};
    IS_INT(sotto_wire_read(&wire, to, sizeof(to), &n), SOTTO_TLS_AGAIN, "nothing is there");
    OK(send(fds[1], "abc", 3, 0) == 3, "something comes");
    IS_INT(sotto_wire_read(&wire, to, sizeof(to), &n), SOTTO_TLS_AGAIN,
           "it is not looked for before an event");
    sotto_wire_readable(&wire, false);
    IS_INT(sotto_wire_read(&wire, to, sizeof(to), &n), SOTTO_TLS_OK, "then it is");
    IS_TEXT(to, n, "abc", "read");
    OK(send(fds[1], "de", 2, 0) == 2, "more");
    IS_INT(sotto_wire_read(&wire, to, 1, &n), SOTTO_TLS_AGAIN, "a short read was the last");
    sotto_wire_readable(&wire, false);
    IS_INT(sotto_wire_read(&wire, to, 1, &n), SOTTO_TLS_OK, "a full read");
    IS_INT(sotto_wire_read(&wire, to, 1, &n), SOTTO_TLS_OK, "is followed by another");
    IS_INT(sotto_wire_read(&wire, to, 1, &n), SOTTO_TLS_AGAIN, "until there is no more");

    const struct iovec iov[] = {sotto_wire_iov(SOTTO_LIT("x")), sotto_wire_iov(SOTTO_LIT("yz"))};
    IS_INT(sotto_wire_writev(&wire, iov, 2, &n), SOTTO_TLS_OK, "two pieces");
    IS_SIZE(n, 3, "go in one write");
    OK(recv(fds[1], to, sizeof(to), 0) == 3, "and arrive");
    static uint8_t big[1 << 20];
    const struct iovec more = sotto_wire_iov(sotto_span_init(big, sizeof(big)));
    size_t sent = 0;
    enum sotto_tls_result result;
    while ((result = sotto_wire_writev(&wire, &more, 1, &n)) == SOTTO_TLS_OK) {
        sent += n;
    }
    OK(result == SOTTO_TLS_AGAIN && n == 0 && sent > 0 && !wire.failed, "a full socket says so");

    OK(send(fds[1], "end", 3, 0) == 3 && shutdown(fds[1], SHUT_WR) == 0, "the other side ends");
    sotto_wire_readable(&wire, true);
    IS_INT(sotto_wire_read(&wire, to, sizeof(to), &n), SOTTO_TLS_OK, "what was sent is read");
    IS_INT(sotto_wire_read(&wire, to, sizeof(to), &n), SOTTO_TLS_END,
           "and the end behind it, although the read was short");
    close(fds[1]);
    IS_INT(sotto_wire_writev(&wire, iov, 2, &n), SOTTO_TLS_FAILED, "nobody reads any more");
    OK(wire.failed && n == 0, "which is remembered");
    sotto_wire_shutdown(&wire);
    sotto_wire_close(&wire);
    IS_INT(wire.fd, -1, "closed");
    sotto_wire_close(&wire);
    return done_testing();
}
