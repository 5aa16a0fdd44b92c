/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_STORE_SERVER_H
#define SOTTO_TESTS_STORE_SERVER_H

/* A PostgreSQL of a test program's own, started with tests/store/postgres.  SOURCE_ROOT is given. */

#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/folder.h"
#include "sys/clock.h"
#include "tap/tap.h"

/* Generous: the machine may be slow, and a test waits for what it names, never for a time. */
#define PATIENCE_MS 60000

static struct folder server;
static char url[512];
static int port;
static pid_t running;

static inline const char *script(void)
{
    static char path[512];
    const char *source = getenv("SOTTO_SOURCE"); /* NOLINT(concurrency-mt-unsafe) */
    snprintf(path, sizeof(path), "%s/tests/store/postgres", source != NULL ? source : SOURCE_ROOT);
    return path;
}

/* Between two looks at what a test waits for. */
static inline void pause_ms(int ms)
{
    poll(NULL, 0, ms);
}

static inline void run_server(void)
{
    char number[16];
    snprintf(number, sizeof(number), "%d", port);
    fflush(stdout);
    running = fork();
    if (running == 0) {
        execl(script(), "postgres", "run", server.path, number, (char *)NULL);
        _exit(127);
    }
}

static inline void start_server(void)
{
    bool up = false;
    run_server();
    for (int64_t end = sotto_clock_ms() + PATIENCE_MS; !up && sotto_clock_ms() < end;) {
        if (waitpid(running, NULL, WNOHANG) == running) {
            run_server(); /* what was killed had not ended yet */
        }
        PGconn *conn = PQconnectdb(url);
        up = PQstatus(conn) == CONNECTION_OK;
        PQfinish(conn);
        if (!up) {
            pause_ms(50);
        }
    }
    if (!up) {
        printf("Bail out! PostgreSQL does not start\n");
        exit(1);
    }
}

static inline void end_server(int sig)
{
    kill(running, sig);
    waitpid(running, NULL, 0);
}

/* Runs SQL as somebody who is no gateway; gives the first field of the last result. */
static inline int64_t sql(const char *text)
{
    PGconn *conn = PQconnectdb(url);
    PQclear(PQexec(conn, "SET client_min_messages = error"));
    PGresult *result = PQexec(conn, text);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        printf("# %s: %s\n", text, PQerrorMessage(conn));
        abort();
    }
    int64_t number = PQntuples(result) > 0 ? strtoll(PQgetvalue(result, 0, 0), NULL, 10) : 0;
    PQclear(result);
    PQfinish(conn);
    return number;
}

static inline void empty(void)
{
    sql("DROP SCHEMA IF EXISTS sotto CASCADE");
}

static inline void make_server(void)
{
    char command[1200];
    server = folder_new();
    chmod(server.path, 0755);
    snprintf(command, sizeof(command), "'%s' init '%s' >&2", script(), server.path);
    if (system(command) != 0) { /* NOLINT(cert-env33-c,concurrency-mt-unsafe): of this tree */
        printf("Bail out! PostgreSQL cannot be made: see above\n");
        exit(1);
    }
    port = 20000 + (int)(getpid() % 12000);
    snprintf(url, sizeof(url), "postgresql://sotto:secret@localhost:%d/postgres?host=%s", port,
             server.path);
    start_server();
}

/* How one gets in without a password, as long as the server runs: where libpq shares OpenSSL with
 * us, hashing one is eight thousand allocations, which a test that fails each once would count. */
static inline const char *trusted_url(void)
{
    static char trusted[sizeof(url)];
    snprintf(trusted, sizeof(trusted), "postgresql://trusted@localhost:%d/postgres?host=%s", port,
             server.path);
    sql("DO $$ BEGIN CREATE ROLE trusted SUPERUSER LOGIN;"
        " EXCEPTION WHEN duplicate_object THEN NULL; END $$");
    return trusted;
}

static inline void remove_server(void)
{
    char command[600];
    end_server(SIGINT);
    snprintf(command, sizeof(command), "rm -rf '%s'", server.path);
    if (system(command) != 0) { /* NOLINT(cert-env33-c,concurrency-mt-unsafe): of this tree */
        printf("# %s stays\n", server.path);
    }
}

#endif
