/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_FLEET_PEER_H
#define SOTTO_TESTS_FLEET_PEER_H

/* A server that says what the test says, and one thread of a gateway that is connected to it. */

#include "fleet/server.h"

#define PEER_RUN_ID "0123456789012345678901234567890123456789"

/** What a server that may be used says of itself. */
#define PEER_INFO                                                                                  \
    "# Server\r\nredis_version:7.0.15\r\nrun_id:" PEER_RUN_ID "\r\nrole:master\r\n"                \
    "cluster_enabled:0\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"

struct peer {
    struct fleet_rig rig;
    struct sotto_fleet *fleet;
    struct sotto_buf in;
    int listener, fd;
};

/* Listens, and lets the gateway begin to connect. */
static inline void peer_listen(struct peer *p)
{
    *p = (struct peer){.rig = {.server = {.program = NULL}}, .fd = -1};
    fleet_rig_open(&p->rig, false);
    p->listener = rig_listen(&p->rig.options.link.port);
    sotto_buf_init(&p->in, SOTTO_BUF_UNBOUNDED);
    if (sotto_fleet_new(p->rig.loop, &p->rig.options, &p->fleet) != SOTTO_OK) {
        abort();
    }
}

/* Takes the connection and answers all greetings at once; `info`: what INFO says. */
static inline void peer_greet(struct peer *p, const char *info)
{
    char text[2048];
    int len = snprintf(text, sizeof(text), "+OK\r\n$%zu\r\n%s\r\n", strlen(info), info);
    for (size_t i = 0; i < FLEET_SCRIPTS; i++) {
        len += snprintf(text + len, sizeof(text) - (size_t)len, "$40\r\n%s\r\n",
                        sotto_fleet_scripts[i].sha1);
    }
    SERVER_UNTIL(p->rig.loop,
                 (p->fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
    sotto_ignore(rig_send(p->rig.loop, p->fd, sotto_span_init(text, (size_t)len)));
}

/* The gateway is connected and may ask. */
static inline void peer_open(struct peer *p)
{
    peer_listen(p);
    peer_greet(p, PEER_INFO);
    SERVER_UNTIL(p->rig.loop, sotto_valkey_is_open(sotto_fleet_store(p->fleet)));
}

/* Waits for a script or a look-up, and answers it. */
static inline void peer_answer(struct peer *p, const char *answer)
{
    SERVER_UNTIL(p->rig.loop, rig_take(p->fd, &p->in) != RIG_OPEN ||
                                  rig_find(&p->in, "EVALSHA") != SIZE_MAX ||
                                  rig_find(&p->in, "HGET") != SIZE_MAX);
    sotto_buf_truncate(&p->in, 0);
    sotto_ignore(rig_send(p->rig.loop, p->fd, sotto_span_str(answer)));
}

static inline void peer_close(struct peer *p)
{
    sotto_fleet_free(p->fleet);
    if (p->fd >= 0) {
        close(p->fd);
    }
    close(p->listener);
    sotto_buf_free(&p->in);
    fleet_rig_close(&p->rig);
}

#endif
