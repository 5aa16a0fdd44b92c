/* SPDX-License-Identifier: Apache-2.0 */

#include "fleet/valkey.h"

#include "base/alloc.h"
#include "fleet/peer.h"
#include "tap/tap.h"

#define INFO(version, role, cluster, memory, policy)                                               \
    "redis_version:" version "\r\nrun_id:" PEER_RUN_ID "\r\nrole:" role                            \
    "\r\ncluster_enabled:" cluster "\r\nmaxmemory:" memory "\r\nmaxmemory_policy:" policy "\r\n"

/* What is asked of a server that nobody asks anything. */
#define SIGN "*1\r\n$4\r\nTIME\r\n"

static const struct sotto_valkey *link_of(const struct peer *p)
{
    return sotto_fleet_store(p->fleet);
}

/* What a server tells of itself decides whether it may be used. */
static void test_info(void)
{
    static const struct {
        const char *name, *info, *why; /* NULL: it may */
    } cases[] = {
        {"Redis 7", PEER_INFO, NULL},
        {"Redis 6", INFO("6.0.0", "master", "0", "0", "noeviction"), NULL},
        {"Redis 10", INFO("10.1", "master", "0", "0", "noeviction"), NULL},
        {"a bound, and nothing is dropped", INFO("7.2.4", "master", "0", "99", "noeviction"), NULL},
        {"no bound, so nothing is dropped", INFO("7.2.4", "master", "0", "0", "allkeys-lru"), NULL},
        {"Redis 5", INFO("5.0.14", "master", "0", "0", "noeviction"), "older than Redis 6"},
        {"a replica", INFO("7.0.0", "slave", "0", "0", "noeviction"), "is a replica"},
        {"a cluster", INFO("7.0.0", "master", "1", "0", "noeviction"), "one of a cluster"},
        {"one that drops", INFO("7.0.0", "master", "0", "9", "volatile-ttl"), "may drop counters"},
        {"no run id", "redis_version:7.0.0\r\nrole:master\r\n", "does not tell its run id"},
        {"a run id that is cut", "redis_version:7.0.0\r\nrun_id:0123\r\n",
         "does not tell its run id"},
        {"no role", "redis_version:7.0.0\r\nrun_id:" PEER_RUN_ID "\r\ncluster_enabled:0\r\n",
         "is a replica"},
        {"nothing", "", "does not tell its run id"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct peer p;
        peer_listen(&p);
        peer_greet(&p, cases[i].info);
        SERVER_UNTIL(p.rig.loop,
                     sotto_valkey_is_open(link_of(&p)) || sotto_valkey_why(link_of(&p))[0] != '\0');
        if (cases[i].why == NULL) {
            OK(sotto_valkey_is_open(link_of(&p)), "%s: it is used", cases[i].name);
            OK(strcmp(sotto_valkey_run_id(link_of(&p)), PEER_RUN_ID) == 0, "and its run is known");
        } else {
            OK(!sotto_valkey_is_open(link_of(&p)) && sotto_valkey_is_refused(link_of(&p)),
               "%s: it is refused", cases[i].name);
            OK(strstr(sotto_valkey_why(link_of(&p)), cases[i].why) != NULL, "with the reason: %s",
               sotto_valkey_why(link_of(&p)));
        }
        peer_close(&p);
    }
}

/* Nobody asks anything: the server is asked for a sign of life. */
static void test_silence(void)
{
    struct peer p;
    peer_open(&p);
    SERVER_UNTIL(p.rig.loop,
                 rig_take(p.fd, &p.in) != RIG_OPEN || rig_find(&p.in, SIGN) != SIZE_MAX);
    OK(rig_find(&p.in, SIGN) != SIZE_MAX, "after a while of silence there is a question");
    OK(sotto_valkey_is_open(link_of(&p)), "which is no reason to worry");
    sotto_ignore(rig_send(p.rig.loop, p.fd, SOTTO_LIT("*2\r\n$1\r\n1\r\n$1\r\n2\r\n")));
    sotto_buf_truncate(&p.in, 0);
    SERVER_UNTIL(p.rig.loop,
                 rig_take(p.fd, &p.in) != RIG_OPEN || rig_find(&p.in, SIGN) != SIZE_MAX);
    OK(rig_find(&p.in, SIGN) != SIZE_MAX, "answered, it is asked again later");
    OK(sotto_valkey_is_open(link_of(&p)), "and the connection stays");
    peer_close(&p);
}

static void test_no_greeting(void)
{
    struct peer p;
    peer_listen(&p);
    sotto_fleet_free(p.fleet);
    p.rig.options.link.wait_ms = 1;
    if (sotto_fleet_new(p.rig.loop, &p.rig.options, &p.fleet) != SOTTO_OK) {
        abort();
    }
    SERVER_UNTIL(p.rig.loop, sotto_valkey_why(link_of(&p))[0] != '\0');
    OK(strstr(sotto_valkey_why(link_of(&p)), "in time") != NULL,
       "a server that does not greet in time is lost: %s", sotto_valkey_why(link_of(&p)));
    peer_close(&p);
}

static void test_found_again(void)
{
    struct peer p;
    peer_open(&p);
    close(p.fd);
    p.fd = -1;
    SERVER_UNTIL(p.rig.loop, !sotto_valkey_is_open(link_of(&p)));
    OK(!sotto_valkey_is_open(link_of(&p)), "one that closes is lost");
    peer_greet(&p, PEER_INFO);
    SERVER_UNTIL(p.rig.loop, sotto_valkey_is_open(link_of(&p)));
    OK(sotto_valkey_is_open(link_of(&p)), "and found again by itself");
    IS_TEXT(sotto_valkey_why(link_of(&p)), strlen(sotto_valkey_why(link_of(&p))), "",
            "without a reason to tell any more");
    peer_close(&p);
}

int main(void)
{
    test_info();
    test_silence();
    test_no_greeting();
    test_found_again();
    return done_testing();
}
