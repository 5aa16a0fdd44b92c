/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_FLEET_SERVER_H
#define SOTTO_TESTS_FLEET_SERVER_H

/*
 * A real Valkey or Redis server of a test's own, and gateways' threads that share it: one loop with
 * any number of objects of fleet/fleet.h.  Nothing sleeps but for what the server takes to start.
 */

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "fleet/fleet.h"
#include "fleet/fleet_state.h"
#include "net/rig.h"

/* Rounds of a millisecond or more: a server starts slowly on a machine that does other things. */
#define SERVER_ROUNDS 60000

#define SERVER_UNTIL(loop, cond)                                                                   \
    for (int left_ = SERVER_ROUNDS; left_ > 0 && !(cond); left_--) {                               \
        sotto_ignore(sotto_loop_step((loop), 1));                                                  \
    }

struct server {
    const char *program; /* NULL: there is none */
    uint16_t port;
    pid_t pid;
};

static inline const char *server_program(void)
{
    static const char *const paths[] = {"/usr/bin/valkey-server", "/usr/bin/redis-server",
                                        "/usr/local/bin/valkey-server",
                                        "/usr/local/bin/redis-server"};
    for (size_t i = 0; i < SOTTO_COUNT(paths); i++) {
        if (access(paths[i], X_OK) == 0) {
            return paths[i];
        }
    }
    return NULL;
}

static inline void server_start(struct server *s)
{
    char port[8];
    snprintf(port, sizeof(port), "%u", s->port);
    fflush(stdout);
    s->pid = fork();
    if (s->pid == 0) {
        int null = open("/dev/null", O_RDWR);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execl(s->program, s->program, "--port", port, "--bind", "127.0.0.1", "--save", "",
              "--appendonly", "no", "--dir", "/tmp", (char *)NULL);
        _exit(127);
    }
}

/* As a crash does; what it had in memory is gone. */
static inline void server_kill(struct server *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

/* One command on a connection of its own, and the start of the answer as it was sent. */
static inline void server_ask(const struct server *s, const sotto_span *words, size_t count,
                              char *out, size_t out_size)
{
    struct sotto_buf ask;
    struct sotto_resp_reply reply;
    size_t len = 0, used = 0;
    int fd = rig_connect(s->port);
    sotto_buf_init(&ask, SOTTO_BUF_UNBOUNDED);
    fcntl(fd, F_SETFL, 0);
    bool sent = sotto_resp_write(words, count, &ask) == SOTTO_OK &&
                write(fd, ask.base, ask.len) == (ssize_t)ask.len;
    while (sent && used == 0 && len + 1 < out_size) {
        ssize_t n = read(fd, out + len, out_size - 1 - len);
        len += n > 0 ? (size_t)n : 0;
        sent = n > 0 && sotto_resp_read(sotto_span_init(out, len), &reply, &used) == SOTTO_OK;
    }
    out[len] = '\0';
    close(fd);
    sotto_buf_free(&ask);
}

#define SERVER_ASK(s, out, ...)                                                                    \
    server_ask((s), (const sotto_span[]){__VA_ARGS__},                                             \
               SOTTO_COUNT(((const sotto_span[]){__VA_ARGS__})), (out), sizeof(out))

/* What several gateways have in common. */
struct fleet_rig {
    struct server server;
    struct sotto_loop *loop;
    struct sotto_resolver *resolver;
    struct sotto_fleet_options options;
};

static inline void fleet_rig_options(struct fleet_rig *rig, const char *master)
{
    rig->options = (struct sotto_fleet_options){
        .link = {.resolver = rig->resolver,
                 .host = SOTTO_LIT("127.0.0.1"),
                 .port = rig->server.port,
                 .wait_ms = 30000},
        .prefix = SOTTO_LIT("sotto:"),
        .hold_ms = 60000,
        .name = "books",
    };
    if (sotto_wrap_key(sotto_span_str(master), rig->options.key) != SOTTO_OK) {
        abort();
    }
}

/* Without a server where `started` is false: nothing listens at its port. */
static inline void fleet_rig_open(struct fleet_rig *rig, bool started)
{
    int fd = rig_listen(&rig->server.port);
    close(fd);
    if (started) {
        server_start(&rig->server);
    }
    if (sotto_loop_new(&rig->loop) != SOTTO_OK || sotto_resolver_new(&rig->resolver) != SOTTO_OK) {
        abort();
    }
    fleet_rig_options(rig, "a master secret");
}

static inline void fleet_rig_close(struct fleet_rig *rig)
{
    if (rig->server.pid != 0) {
        server_kill(&rig->server);
    }
    sotto_loop_free(rig->loop);
    sotto_resolver_free(rig->resolver);
}

/* One more thread of a gateway, and its connection. */
static inline struct sotto_fleet *fleet_rig_join(struct fleet_rig *rig,
                                                 const struct sotto_fleet_options *options)
{
    struct sotto_fleet *fleet = NULL;
    if (sotto_fleet_new(rig->loop, options, &fleet) != SOTTO_OK) {
        abort();
    }
    SERVER_UNTIL(rig->loop, sotto_valkey_is_open(sotto_fleet_store(fleet)));
    OK(sotto_valkey_is_open(sotto_fleet_store(fleet)), "a gateway finds the server");
    return fleet;
}

/* A question and what came of it. */
struct asked {
    struct sotto_fleet_call call;
    enum sotto_err err;
    int answers;
};

static inline void asked_answer(struct sotto_fleet_call *call, enum sotto_err err)
{
    struct asked *a = SOTTO_CONTAINER(call, struct asked, call);
    a->err = err;
    a->answers++;
}

/* Runs the loop until it is answered; `err` is what asking returned. */
static inline enum sotto_err asked_wait(struct fleet_rig *rig, struct asked *a, enum sotto_err err)
{
    if (err == SOTTO_OK) {
        SERVER_UNTIL(rig->loop, a->answers != 0);
        err = a->answers == 1 ? a->err : SOTTO_ETIMEOUT;
    }
    return err;
}

#endif
