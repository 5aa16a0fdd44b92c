/* SPDX-License-Identifier: Apache-2.0 */

#include "net/resolver.h"

#include <pthread.h>
#include <stdatomic.h>

#include "net/rig.h"

static struct sotto_loop *loop;
static struct sotto_resolver *resolver;

/* The names of the test; a lock lets it hold answers back. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int asked;

static int source(const char *host, struct sotto_addresses *out)
{
    atomic_fetch_add(&asked, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    if (strcmp(host, "missing.example") == 0) {
        return -2;
    }
    if (strcmp(host, "six.example") == 0) {
        struct sockaddr_in6 addr = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        memcpy(&out->list[0].addr, &addr, sizeof(addr));
        out->list[0].len = sizeof(addr);
    } else {
        struct sockaddr_in addr = rig_address(0);
        memcpy(&out->list[0].addr, &addr, sizeof(addr));
        out->list[0].len = sizeof(addr);
    }
    out->count = 1;
    return 0;
}

struct want {
    struct sotto_addresses addresses;
    struct sotto_lookup *lookup;
    int calls;
    bool at_once;
};

static void on_found(void *ctx, const struct sotto_addresses *addresses)
{
    struct want *want = ctx;
    want->addresses = *addresses;
    want->calls++;
}

static enum sotto_err look(struct want *want, const char *host)
{
    memset(want, 0, sizeof(*want));
    enum sotto_err err = sotto_resolver_lookup(resolver, loop, sotto_span_str(host), 443, on_found,
                                               want, &want->addresses, &want->lookup);
    want->at_once = err == SOTTO_OK && want->lookup == NULL;
    return err;
}

static uint16_t port_of(const struct want *want)
{
    struct sockaddr_in addr;
    memcpy(&addr, &want->addresses.list[0].addr, sizeof(addr));
    return ntohs(addr.sin_port);
}

static size_t answered(const struct want *wants, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        n += (size_t)wants[i].calls;
    }
    return n;
}

static void test_literals(void)
{
    struct want a;
    IS_INT(look(&a, "127.0.0.1"), SOTTO_OK, "an IPv4 address");
    OK(a.at_once && a.addresses.count == 1 && port_of(&a) == 443, "needs no thread");
    IS_INT(look(&a, "::1"), SOTTO_OK, "an IPv6 address");
    OK(a.at_once && a.addresses.list[0].addr.ss_family == AF_INET6 && port_of(&a) == 443,
       "neither");
    IS_INT(atomic_load(&asked), 0, "nobody was asked");
}

static void test_one_question(void)
{
    struct want a, b, c;
    pthread_mutex_lock(&gate);
    IS_INT(look(&a, "one.example"), SOTTO_OK, "a name");
    IS_INT(look(&b, "ONE.example"), SOTTO_OK, "the same in capitals");
    OK(!a.at_once && !b.at_once, "takes a while");
    rig_settle(loop);
    OK(a.calls == 0 && b.calls == 0, "and does not block the loop");
    pthread_mutex_unlock(&gate);
    UNTIL(loop, a.calls == 1 && b.calls == 1);
    OK(a.addresses.count == 1 && b.addresses.count == 1 && port_of(&b) == 443, "both are answered");
    IS_INT(atomic_load(&asked), 1, "by one question");
    IS_INT(look(&c, "one.example"), SOTTO_OK, "again");
    OK(c.at_once && c.addresses.count == 1, "is known");
    IS_INT(atomic_load(&asked), 1, "without a question");
    IS_INT(look(&a, "six.example"), SOTTO_OK, "an IPv6 name");
    UNTIL(loop, a.calls == 1);
    OK(a.addresses.list[0].addr.ss_family == AF_INET6 && port_of(&a) == 443, "has its port, too");
}

static void test_failures(void)
{
    struct want a;
    IS_INT(look(&a, "missing.example"), SOTTO_OK, "a name that does not exist");
    UNTIL(loop, a.calls == 1);
    IS_SIZE(a.addresses.count, 0, "has no address");
    IS_INT(look(&a, "missing.example"), SOTTO_OK, "asked at once again");
    OK(a.at_once && a.addresses.count == 0, "the failure is remembered");
}

static void test_many_names(void)
{
    struct want a, many[20];
    int before = atomic_load(&asked);
    pthread_mutex_lock(&gate);
    for (size_t i = 0; i < SOTTO_COUNT(many); i++) {
        char host[32];
        snprintf(host, sizeof(host), "n%zu.example", i);
        IS_INT(look(&many[i], host), SOTTO_OK, "name %zu", i);
    }
    sotto_lookup_cancel(many[0].lookup);
    sotto_lookup_cancel(many[19].lookup);
    sotto_lookup_cancel(NULL);
    pthread_mutex_unlock(&gate);
    size_t called = 0;
    UNTIL(loop, (called = answered(many, SOTTO_COUNT(many))) == 18);
    IS_SIZE(called, 18, "all are answered but those cancelled");
    OK(many[0].calls == 0 && many[19].calls == 0, "which hear nothing");
    OK(atomic_load(&asked) - before <= 20, "each was asked for once");

    /* More names than are remembered. */
    for (int i = 0; i < 300; i++) {
        char host[32];
        snprintf(host, sizeof(host), "m%d.example", i);
        IS_INT(look(&a, host), SOTTO_OK, "name %d", i);
        UNTIL(loop, a.calls == 1);
    }
}

static void test_bad_names(void)
{
    struct want a;
    char long_name[300];
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    IS_INT(look(&a, ""), SOTTO_EINVAL, "no name");
    IS_INT(look(&a, long_name), SOTTO_EINVAL, "a name that is too long");
    IS_INT(sotto_resolver_lookup(resolver, loop, SOTTO_LIT("a\0b"), 1, on_found, &a, &a.addresses,
                                 &a.lookup),
           SOTTO_EINVAL, "a NUL in a name");
}

static void test_late_answers(void)
{
    struct want a;
    /* One that is cancelled when its answer is on the way, and one that nobody waits for. */
    IS_INT(look(&a, "late.example"), SOTTO_OK, "late");
    for (int i = 0; i < RIG_ROUNDS && atomic_load(&asked) == 0; i++) {
        rig_settle(loop);
    }
    sotto_lookup_cancel(a.lookup);
    rig_settle(loop);
    IS_INT(a.calls, 0, "hears nothing");
    sotto_resolver_set_source(resolver, NULL);
    IS_INT(look(&a, "localhost"), SOTTO_OK, "the system's source");
    UNTIL(loop, a.at_once || a.calls == 1);
    OK(a.addresses.count >= 1, "knows localhost");
    pthread_mutex_lock(&gate);
    sotto_resolver_set_source(resolver, source);
    IS_INT(look(&a, "never.example"), SOTTO_OK, "one that hangs");
    sotto_lookup_cancel(a.lookup);
    sotto_resolver_free(resolver); /* is not waited for */
    sotto_resolver_free(NULL);
    pthread_mutex_unlock(&gate);
}

int main(void)
{
    if (sotto_loop_new(&loop) != SOTTO_OK || sotto_resolver_new(&resolver) != SOTTO_OK) {
        abort();
    }
    sotto_resolver_set_source(resolver, source);
    test_literals();
    test_one_question();
    test_failures();
    test_many_names();
    test_bad_names();
    test_late_answers();
    sotto_loop_free(loop);
    return done_testing();
}
