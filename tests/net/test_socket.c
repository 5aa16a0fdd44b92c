/* SPDX-License-Identifier: Apache-2.0 */

#include "net/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "tap/tap.h"

static bool is_loopback(int family, const char *text)
{
    struct sockaddr_storage addr = {0};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (family == AF_INET) {
        inet_pton(AF_INET, text, &v4.sin_addr);
        memcpy(&addr, &v4, sizeof(v4));
    } else {
        inet_pton(AF_INET6, text, &v6.sin6_addr);
        memcpy(&addr, &v6, sizeof(v6));
    }
    return sotto_socket_is_loopback(&addr);
}

static void test_loopback(void)
{
    OK(is_loopback(AF_INET, "127.0.0.1") && is_loopback(AF_INET, "127.9.8.7"), "127/8");
    OK(!is_loopback(AF_INET, "128.0.0.1") && !is_loopback(AF_INET, "10.127.0.1"), "others");
    OK(is_loopback(AF_INET6, "::1"), "::1");
    OK(is_loopback(AF_INET6, "::ffff:127.0.0.1"), "127/8 mapped into IPv6");
    OK(!is_loopback(AF_INET6, "::ffff:10.0.0.1") && !is_loopback(AF_INET6, "::2"), "others");
    struct sockaddr_storage unknown = {0};
    OK(!sotto_socket_is_loopback(&unknown), "another family");
}

static void test_listening(void)
{
    int first = -1, second = -1;
    uint16_t port = 0, again = 0;
    bool loopback = false;
    IS_INT(sotto_socket_listen("localhost", 0, &first, &port, &loopback), SOTTO_OK, "a free port");
    OK(port != 0 && loopback, "is named, and loopback");
    IS_INT(sotto_socket_port_free("127.0.0.1", port), SOTTO_EEXISTS, "it is not free any more");
    IS_INT(sotto_socket_listen("127.0.0.1", port, &second, &again, &loopback), SOTTO_OK,
           "this program may share it");
    IS_INT(again, port, "the same port");
    close(first);
    close(second);
    IS_INT(sotto_socket_port_free("127.0.0.1", port), SOTTO_OK, "it is free again");
    IS_INT(sotto_socket_port_free("127.0.0.1", 0), SOTTO_OK, "any port is free");
}

static void test_refusals(void)
{
    int fd = -1;
    uint16_t port = 7;
    bool loopback = true;
    IS_INT(sotto_socket_listen("nowhere", 0, &fd, &port, &loopback), SOTTO_EINVAL, "no address");
    IS_INT(sotto_socket_port_free("nowhere", 80), SOTTO_EINVAL, "no address");
    OK(fd == -1 && port == 7 && loopback, "outputs are unchanged");
}

int main(void)
{
    test_loopback();
    test_listening();
    test_refusals();
    return done_testing();
}
