/* SPDX-License-Identifier: Apache-2.0 */

#include "store/postgres_link.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/crypto.h"
#include "store/postgres_url.h"
#include "store/store.h"
#include "sys/clock.h"

/* Between two tries to connect: doubled up to the second. */
#define LINK_RETRY_MIN_MS 100
#define LINK_RETRY_MAX_MS 5000

/* Statements that a link keeps in mind as prepared. */
#define LINK_PREPARED 24

/* The key of the advisory lock: "Sotto" in ASCII. */
#define LINK_LOCK "357854704751"

struct postgres_link {
    char *url; /* has the password */
    char name[POSTGRES_NAME_BYTES];
    bool remote;
    PGconn *conn; /* NULL: not connected */
    const struct postgres_statement *prepared[LINK_PREPARED];
    size_t prepared_count;
    int64_t retry_at_ms; /* not before; 0: at once */
    int64_t retry_ms;
    uint64_t connections;
    bool silent; /* the last call waited in vain */
    bool in_transaction;
    char why[SOTTO_STORE_WHY_BYTES];
};

/* --- values ---------------------------------------------------------------------------------- */

void postgres_add_int(struct postgres_values *values, int64_t number)
{
    uint8_t *to = values->numbers[values->count];
    for (int i = 0; i < 8; i++) {
        to[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
    }
    postgres_add_bytes(values, to, 8);
}

void postgres_add_bytes(struct postgres_values *values, const void *bytes, size_t len)
{
    values->at[values->count] = len != 0 ? bytes : "";
    values->len[values->count] = (int)len;
    values->count++;
}

sotto_span postgres_bytes(const PGresult *result, int row, int column)
{
    return sotto_span_init(PQgetvalue(result, row, column),
                           (size_t)PQgetlength(result, row, column));
}

int64_t postgres_int(const PGresult *result, int row, int column)
{
    sotto_span bytes = postgres_bytes(result, row, column);
    uint64_t number = 0;
    for (size_t i = 0; i < bytes.len && i < 8; i++) {
        number = number << 8 | bytes.base[i];
    }
    return (int64_t)number;
}

/* --- errors ---------------------------------------------------------------------------------- */

SOTTO_PRINTF(3, 4)
static enum sotto_err fail(struct postgres_link *link, enum sotto_err err, const char *fmt, ...)
{
    int len = snprintf(link->why, sizeof(link->why), "PostgreSQL %s: ", link->name);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(link->why + len, sizeof(link->why) - (size_t)len, fmt, ap);
    va_end(ap);
    return err;
}

static void disconnect(struct postgres_link *link)
{
    PQfinish(link->conn);
    link->conn = NULL;
    link->prepared_count = 0;
    link->in_transaction = false;
}

static enum sotto_err lost(struct postgres_link *link, const char *how)
{
    disconnect(link);
    return fail(link, SOTTO_EIO, "%s", how);
}

/* States of SQL (PostgreSQL 15, appendix A) that have a sentence of their own. */
static const struct link_state {
    const char *state; /* its beginning */
    enum sotto_err err;
    bool lost; /* another connection may do better */
    const char *text;
} link_states[] = {
    {"23505", SOTTO_EEXISTS, false, "it is there already"},
    {"42501", SOTTO_EDENIED, false,
     "the role may not do that: make it the owner of the schema sotto"},
    {"25006", SOTTO_EIO, true, "this server is a copy that cannot be written: name the primary"},
    {"57014", SOTTO_EIO, false, "a statement took longer than 5 seconds: see to its load"},
    {"55P03", SOTTO_EIO, false, "another process has held a lock for too long: try again"},
    {"40", SOTTO_EIO, false, "another transaction was in the way: try again"},
    {"53", SOTTO_EIO, false, "the server has no room left (memory, disk or connections)"},
    {"57", SOTTO_EIO, true, "the server is being stopped or started"},
    {"08", SOTTO_EIO, true, "the connection broke"},
    {"22021", SOTTO_EFORMAT, false, "a text is not UTF-8, or has a character that it cannot hold"},
};

static enum sotto_err refused(struct postgres_link *link, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    for (size_t i = 0; state != NULL && i < SOTTO_COUNT(link_states); i++) {
        const struct link_state *known = &link_states[i];
        if (strncmp(state, known->state, strlen(known->state)) == 0) {
            if (known->lost) {
                return lost(link, known->text);
            }
            return fail(link, known->err, "%s", known->text);
        }
    }
    if (state == NULL || PQstatus(link->conn) != CONNECTION_OK) {
        return lost(link, "the connection broke");
    }
    return fail(link, SOTTO_EFORMAT, "refuses a statement (SQLSTATE %.5s): see its log", state);
}

/* --- waiting --------------------------------------------------------------------------------- */

/* Waits for the socket; false: not in time. */
static bool await_socket(struct postgres_link *link, bool writing, int64_t until_ms)
{
    struct pollfd fd = {PQsocket(link->conn), (short)(POLLIN | (writing ? POLLOUT : 0)), 0};
    for (;;) {
        int64_t left_ms = until_ms - sotto_clock_ms();
        if (left_ms <= 0) {
            return false;
        }
        int n = poll(&fd, 1, (int)left_ms);
        if (n > 0) {
            return true;
        }
        if (n < 0 && errno != EINTR) {
            return false;
        }
    }
}

static enum sotto_err no_answer(struct postgres_link *link)
{
    link->silent = true;
    return lost(link, "does not answer");
}

/* Sends what libpq holds. */
static enum sotto_err flush(struct postgres_link *link, int64_t until_ms)
{
    int rest;
    while ((rest = PQflush(link->conn)) == 1) {
        if (!await_socket(link, true, until_ms)) {
            return no_answer(link);
        }
        if (PQconsumeInput(link->conn) == 0) {
            break;
        }
    }
    return rest == 0 ? SOTTO_OK : lost(link, "the connection broke");
}

/* Waits for all results of what was sent; the last one counts, or the first that is an error. */
static enum sotto_err take_result(struct postgres_link *link, PGresult **out)
{
    int64_t until_ms = sotto_clock_ms() + POSTGRES_WAIT_MS;
    PGresult *kept = NULL;
    bool bad = false;
    enum sotto_err err = flush(link, until_ms);
    for (bool more = err == SOTTO_OK; more;) {
        while (err == SOTTO_OK && PQisBusy(link->conn) != 0) {
            if (!await_socket(link, false, until_ms)) {
                err = no_answer(link);
            } else if (PQconsumeInput(link->conn) == 0) {
                err = lost(link, "the connection broke");
            }
        }
        PGresult *next = err == SOTTO_OK ? PQgetResult(link->conn) : NULL;
        more = next != NULL;
        if (more && bad) {
            PQclear(next);
        } else if (more) {
            PQclear(kept);
            kept = next;
            ExecStatusType status = PQresultStatus(kept);
            bad = status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
        }
    }
    if (err == SOTTO_OK) {
        err = kept == NULL ? lost(link, "the connection broke")
              : bad        ? refused(link, kept)
                           : SOTTO_OK;
    }
    if (err != SOTTO_OK) {
        PQclear(kept);
        return err;
    }
    *out = kept;
    return SOTTO_OK;
}

static enum sotto_err not_sent(struct postgres_link *link)
{
    return PQstatus(link->conn) == CONNECTION_OK ? fail(link, SOTTO_ENOMEM, "out of memory")
                                                 : lost(link, "the connection broke");
}

static enum sotto_err run_script(struct postgres_link *link, const char *sql)
{
    PGresult *result = NULL;
    if (PQsendQuery(link->conn, sql) == 0) {
        return not_sent(link);
    }
    enum sotto_err err = take_result(link, &result);
    PQclear(err == SOTTO_OK ? result : NULL);
    return err;
}

/* --- connecting ------------------------------------------------------------------------------ */

/* For each session.  Who asks for more than `on` (remote_apply) keeps it. */
static const char session_sql[] =
    "SET search_path = pg_catalog; SET statement_timeout = 5000; SET lock_timeout = 4000;"
    " SET idle_in_transaction_session_timeout = 10000;"
    " SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');";

/* What libpq says of a connection that failed, in one line.  It never has the password. */
static enum sotto_err explain_connect(struct postgres_link *link)
{
    char text[300];
    snprintf(text, sizeof(text), "%s", PQerrorMessage(link->conn));
    for (char *c = text; *c != '\0'; c++) {
        *c = *c == '\n' && c[1] == '\0' ? '\0' : (unsigned char)*c < 0x20 ? ' ' : *c;
    }
    bool denied = strstr(text, "authentication failed") != NULL ||
                  strstr(text, "no password supplied") != NULL;
    enum sotto_err err =
        fail(link, denied ? SOTTO_EDENIED : SOTTO_EIO, "cannot be connected: %s%s", text,
             denied ? ": correct the user or the password in stores.postgres" : "");
    disconnect(link);
    return err;
}

static void back_off(struct postgres_link *link)
{
    link->retry_ms = link->retry_ms == 0 ? LINK_RETRY_MIN_MS : link->retry_ms * 2;
    if (link->retry_ms > LINK_RETRY_MAX_MS) {
        link->retry_ms = LINK_RETRY_MAX_MS;
    }
    link->retry_at_ms = sotto_clock_ms() + link->retry_ms;
}

/* libpq would write them to standard error. */
static void ignore_notice(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

static enum sotto_err connect_now(struct postgres_link *link)
{
    /* What stands before the URL it may change, what stands behind it not. */
    const char *const names[] = {
        "sslmode",         "sslrootcert",          "fallback_application_name",
        "gssencmode",      "target_session_attrs", "dbname",
        "connect_timeout", "client_encoding",      NULL};
    const char *const values[] = {link->remote ? "verify-full" : "prefer",
                                  link->remote ? POSTGRES_TRUST_FILE : "",
                                  "sotto",
                                  "disable",
                                  "read-write",
                                  link->url,
                                  "5", /* POSTGRES_WAIT_MS */
                                  "UTF8",
                                  NULL};
    link->conn = PQconnectdbParams(names, values, 1);
    if (link->conn == NULL) {
        return fail(link, SOTTO_ENOMEM, "out of memory");
    }
    if (PQstatus(link->conn) != CONNECTION_OK || PQsetnonblocking(link->conn, 1) != 0) {
        return explain_connect(link);
    }
    PQsetNoticeProcessor(link->conn, ignore_notice, NULL);
    return run_script(link, session_sql);
}

/* Connects where that is needed.  An idle connection that the server closed counts as none. */
static enum sotto_err make_ready(struct postgres_link *link)
{
    if (link->conn != NULL && !link->in_transaction) {
        struct pollfd fd = {PQsocket(link->conn), POLLIN, 0};
        while (link->conn != NULL && poll(&fd, 1, 0) > 0) { /* last words, then its end */
            if (PQconsumeInput(link->conn) == 0 || PQstatus(link->conn) != CONNECTION_OK) {
                disconnect(link);
            }
        }
    }
    if (link->conn != NULL) {
        return SOTTO_OK;
    }
    if (link->retry_at_ms > sotto_clock_ms()) {
        return SOTTO_EIO; /* for the reason that stands in `why` */
    }
    enum sotto_err err = connect_now(link);
    if (err != SOTTO_OK) {
        if (link->conn != NULL) {
            disconnect(link);
        }
        back_off(link);
        return err;
    }
    link->retry_ms = 0;
    link->retry_at_ms = 0;
    link->connections++;
    return SOTTO_OK;
}

/* --- statements ------------------------------------------------------------------------------ */

static int count_types(const struct postgres_statement *statement)
{
    int count = 0;
    while (count < POSTGRES_PARAMETERS && statement->types[count] != 0) {
        count++;
    }
    return count;
}

static enum sotto_err prepare(struct postgres_link *link,
                              const struct postgres_statement *statement)
{
    PGresult *result = NULL;
    for (size_t i = 0; i < link->prepared_count; i++) {
        if (link->prepared[i] == statement) {
            return SOTTO_OK;
        }
    }
    if (PQsendPrepare(link->conn, statement->name, statement->sql, count_types(statement),
                      statement->types) == 0) {
        return not_sent(link);
    }
    enum sotto_err err = take_result(link, &result);
    if (err == SOTTO_OK) {
        PQclear(result);
        assert(link->prepared_count < LINK_PREPARED);
        link->prepared[link->prepared_count++] = statement;
    }
    return err;
}

static enum sotto_err run_once(struct postgres_link *link,
                               const struct postgres_statement *statement,
                               const struct postgres_values *values, PGresult **result, bool *sent)
{
    int binary[POSTGRES_PARAMETERS];
    for (int i = 0; i < POSTGRES_PARAMETERS; i++) {
        binary[i] = 1;
    }
    enum sotto_err err = make_ready(link);
    if (err == SOTTO_OK) {
        err = prepare(link, statement);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    *sent = true;
    int count = values != NULL ? values->count : 0;
    if (PQsendQueryPrepared(link->conn, statement->name, count, count != 0 ? values->at : NULL,
                            count != 0 ? values->len : NULL, binary, 1) == 0) {
        return not_sent(link);
    }
    return take_result(link, result);
}

enum sotto_err postgres_run(struct postgres_link *link, const struct postgres_statement *statement,
                            const struct postgres_values *values, PGresult **result)
{
    PGresult *taken = NULL;
    bool sent = false;
    bool was_connected = link->conn != NULL;
    bool alone = !link->in_transaction;
    link->silent = false;
    enum sotto_err err = run_once(link, statement, values, &taken, &sent);
    /* A connection that had been idle may be gone: that is no fault of a server that is there. */
    if (err == SOTTO_EIO && was_connected && link->conn == NULL && alone && !link->silent &&
        !(sent && statement->once)) {
        err = run_once(link, statement, values, &taken, &sent);
    }
    if (err == SOTTO_OK) {
        if (result != NULL) {
            *result = taken;
        } else {
            PQclear(taken);
        }
    }
    return err;
}

enum sotto_err postgres_script(struct postgres_link *link, const char *sql)
{
    enum sotto_err err = make_ready(link);
    return err == SOTTO_OK ? run_script(link, sql) : err;
}

enum sotto_err postgres_start(struct postgres_link *link)
{
    enum sotto_err err = postgres_script(link, "BEGIN ISOLATION LEVEL READ COMMITTED");
    link->in_transaction = err == SOTTO_OK;
    return err;
}

enum sotto_err postgres_begin(struct postgres_link *link)
{
    enum sotto_err err = postgres_start(link);
    if (err == SOTTO_OK) {
        err = postgres_script(link, "SELECT pg_advisory_xact_lock(" LINK_LOCK ")");
    }
    return err == SOTTO_OK ? SOTTO_OK : postgres_end(link, err);
}

enum sotto_err postgres_end(struct postgres_link *link, enum sotto_err err)
{
    if (link->conn == NULL || !link->in_transaction) { /* the server has rolled back */
        return err != SOTTO_OK ? err : fail(link, SOTTO_EIO, "the connection broke");
    }
    link->in_transaction = false;
    if (err == SOTTO_OK) {
        return run_script(link, "COMMIT");
    }
    char why[sizeof(link->why)];
    memcpy(why, link->why, sizeof(why));
    if (run_script(link, "ROLLBACK") != SOTTO_OK && link->conn != NULL) {
        disconnect(link);
    }
    memcpy(link->why, why, sizeof(why));
    return err;
}

/* --- a link ---------------------------------------------------------------------------------- */

enum sotto_err postgres_link_new(sotto_span url, struct postgres_link **out)
{
    /* libpq may share the system's OpenSSL with us, which takes an allocator only before its first
       use: whoever comes second must not be us. */
    enum sotto_err err = sotto_crypto_init();
    if (err != SOTTO_OK) {
        return err;
    }
    struct postgres_link *link = sotto_calloc(1, sizeof(*link));
    if (link == NULL || (link->url = sotto_calloc(1, url.len + 1)) == NULL) {
        sotto_free(link);
        return SOTTO_ENOMEM;
    }
    memcpy(link->url, url.base, url.len);
    struct postgres_url about;
    err = postgres_url_read(url, &about);
    if (err != SOTTO_OK) {
        postgres_link_free(link);
        return err;
    }
    memcpy(link->name, about.name, sizeof(link->name));
    link->remote = about.remote;
    *out = link;
    return SOTTO_OK;
}

void postgres_link_free(struct postgres_link *link)
{
    if (link != NULL) {
        disconnect(link);
        sotto_free(link->url);
        sotto_free(link);
    }
}

const char *postgres_link_why(const struct postgres_link *link)
{
    return link->why;
}

int postgres_socket(const struct postgres_link *link)
{
    return link->conn != NULL ? PQsocket(link->conn) : -1;
}

enum sotto_err postgres_notified(struct postgres_link *link, bool *told)
{
    if (link->conn == NULL || PQconsumeInput(link->conn) == 0) {
        return lost(link, "the connection broke");
    }
    *told = false;
    PGnotify *note;
    while ((note = PQnotifies(link->conn)) != NULL) {
        *told = true;
        PQfreemem(note);
    }
    return SOTTO_OK;
}

uint64_t postgres_connections(const struct postgres_link *link)
{
    return link->connections;
}
