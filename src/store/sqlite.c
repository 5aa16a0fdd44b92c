/* SPDX-License-Identifier: Apache-2.0 */

#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

/* "Sott": marks the file as ours (PRAGMA application_id). */
#define DB_APPLICATION_ID 0x536f7474

/* How long a call waits for another process that writes. */
#define DB_BUSY_MS 5000

/* --- memory ---------------------------------------------------------------------------------- */

/* SQLite asks for the size of a block, which the allocator does not tell: it stands before it. */
union db_header {
    int size;
    max_align_t align;
};

static void *db_malloc(int size)
{
    union db_header *block = sotto_alloc(sizeof(*block) + (size_t)size);
    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    return block + 1;
}

static void db_free(void *p)
{
    sotto_free(p != NULL ? (union db_header *)p - 1 : NULL);
}

static void *db_realloc(void *p, int size)
{
    union db_header *block = sotto_resize((union db_header *)p - 1, sizeof(*block) + (size_t)size);
    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    return block + 1;
}

static int db_size(void *p)
{
    return p != NULL ? ((union db_header *)p - 1)->size : 0;
}

static int db_round_up(int size)
{
    return (size + 7) & ~7;
}

static int db_memory_init(void *unused)
{
    (void)unused;
    return SQLITE_OK;
}

static void db_memory_shutdown(void *unused)
{
    (void)unused;
}

static int library_result;

static void start_library(void)
{
    static const sqlite3_mem_methods memory = {
        db_malloc,   db_free,        db_realloc,         db_size,
        db_round_up, db_memory_init, db_memory_shutdown, NULL};
    library_result = sqlite3_config(SQLITE_CONFIG_MALLOC, &memory);
    if (library_result == SQLITE_OK) {
        library_result = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    }
    if (library_result == SQLITE_OK) {
        library_result = sqlite3_initialize();
    }
}

/* --- statements ------------------------------------------------------------------------------ */

/* What happened and what to do, for those who run a gateway. */
static const char *sentence(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return "the disk is full: make room on it";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return "cannot be written: see to the permissions of the file and its folder";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "another process has held it for too long: try again";
    case SQLITE_CORRUPT:
        return "is damaged: put back a copy of the state folder";
    case SQLITE_NOTADB:
        return "is not a database: move it away";
    case SQLITE_NOMEM:
        return "there is no memory left: give the process more";
    default:
        return "cannot be read or written: see to its disk";
    }
}

enum sotto_err sqlite_failed(struct store_sqlite *s, int rc)
{
    enum sotto_err err = (rc & 0xff) == SQLITE_NOMEM    ? SOTTO_ENOMEM
                         : (rc & 0xff) == SQLITE_NOTADB ? SOTTO_EFORMAT
                                                        : SOTTO_EIO;
    return store_refuse(&s->store, err, "%.400s: %s", s->path, sentence(rc));
}

enum sotto_err sqlite_run(struct store_sqlite *store, const char *sql)
{
    int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? SOTTO_OK : sqlite_failed(store, rc);
}

enum sotto_err sqlite_end(struct store_sqlite *store, enum sotto_err err)
{
    if (err == SOTTO_OK) {
        err = sqlite_run(store, "COMMIT");
    }
    if (err != SOTTO_OK && sqlite3_get_autocommit(store->db) == 0) {
        /* Nothing more can be done where this fails too: closing rolls back. */
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return err;
}

enum sotto_err sqlite_prepare(struct store_sqlite *store, const char *sql, sqlite3_stmt **stmt)
{
    *stmt = NULL;
    int rc = sqlite3_prepare_v2(store->db, sql, -1, stmt, NULL);
    return rc == SQLITE_OK ? SOTTO_OK : sqlite_failed(store, rc);
}

/* A failed binding leaves the parameter NULL, which the columns refuse. */
void sqlite_bind_text(sqlite3_stmt *stmt, int i, sotto_span text)
{
    (void)sqlite3_bind_text64(stmt, i, text.len != 0 ? (const char *)text.base : "", text.len,
                              SQLITE_STATIC, SQLITE_UTF8);
}

void sqlite_bind_blob(sqlite3_stmt *stmt, int i, const void *bytes, size_t len)
{
    (void)sqlite3_bind_blob64(stmt, i, bytes, len, SQLITE_STATIC);
}

void sqlite_bind_int(sqlite3_stmt *stmt, int i, int64_t number)
{
    (void)sqlite3_bind_int64(stmt, i, number);
}

enum sotto_err sqlite_step(struct store_sqlite *store, sqlite3_stmt *stmt, bool *row)
{
    int rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        return sqlite_failed(store, rc);
    }
    *row = rc == SQLITE_ROW;
    return SOTTO_OK;
}

sotto_span sqlite_text(sqlite3_stmt *stmt, int i)
{
    const void *bytes = sqlite3_column_blob(stmt, i);
    return bytes != NULL ? sotto_span_init(bytes, (size_t)sqlite3_column_bytes(stmt, i))
                         : sotto_span_init(NULL, 0);
}

int64_t sqlite_int(sqlite3_stmt *stmt, int i)
{
    return sqlite3_column_int64(stmt, i);
}

/* --- opening --------------------------------------------------------------------------------- */

/* Version 1; each later one is a script more.  An entry once released is never changed. */
static const char *const migrations[] = {
    "CREATE TABLE keys ("
    " id TEXT PRIMARY KEY NOT NULL CHECK (length(id) = 12),"
    " hash BLOB NOT NULL CHECK (length(hash) = 32),"
    " old_hash BLOB NOT NULL CHECK (length(old_hash) = 32),"
    " old_until INTEGER NOT NULL,"
    " created INTEGER NOT NULL,"
    " expires INTEGER NOT NULL,"
    " revoked INTEGER NOT NULL,"
    " name TEXT NOT NULL,"
    " tenant TEXT NOT NULL CHECK (tenant <> ''),"
    " scopes TEXT NOT NULL,"
    " mode TEXT NOT NULL,"
    " style TEXT NOT NULL,"
    " anonymize INTEGER NOT NULL,"
    " requests_per_minute INTEGER NOT NULL,"
    " tokens_per_minute INTEGER NOT NULL,"
    " monthly_requests INTEGER NOT NULL,"
    " monthly_tokens INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE usage ("
    " key TEXT NOT NULL,"
    " month INTEGER NOT NULL," /* months since January 1970 */
    " requests INTEGER NOT NULL,"
    " PRIMARY KEY (key, month)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE setting ("
    " name TEXT PRIMARY KEY NOT NULL,"
    " value INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",
    "ALTER TABLE keys ADD COLUMN monthly_cost INTEGER NOT NULL DEFAULT 0;" /* thousand-millionths */
    "ALTER TABLE usage ADD COLUMN prompt_tokens INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE usage ADD COLUMN completion_tokens INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE usage ADD COLUMN estimated_tokens INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE usage ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;",
};

/* Makes the file before SQLite does, for its mode; the files beside it get the same. */
static enum sotto_err make_file(struct store_sqlite *store)
{
    struct stat info;
    int fd = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return sqlite_failed(store, errno == ENOSPC ? SQLITE_FULL : SQLITE_CANTOPEN);
    }
    bool known = fstat(fd, &info) == 0;
    close(fd);
    if (!known || (info.st_mode & 077) != 0) {
        return store_refuse(&store->store, SOTTO_EDENIED,
                            "%.400s: others may read it: chmod 600 it", store->path);
    }
    return SOTTO_OK;
}

static enum sotto_err pragma_int(struct store_sqlite *store, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt;
    bool row = false;
    enum sotto_err err = sqlite_prepare(store, sql, &stmt);
    if (err == SOTTO_OK) {
        err = sqlite_step(store, stmt, &row);
    }
    if (err == SOTTO_OK) {
        *out = row ? sqlite_int(stmt, 0) : 0;
    }
    sqlite3_finalize(stmt);
    return err;
}

/* WAL cannot always wait for another process that opens the file at the same moment. */
static enum sotto_err set_journal(struct store_sqlite *store)
{
    int rc = SQLITE_BUSY;
    for (int waited_ms = 0; (rc & 0xff) == SQLITE_BUSY && waited_ms < DB_BUSY_MS; waited_ms += 20) {
        rc = sqlite3_exec(store->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if ((rc & 0xff) == SQLITE_BUSY) {
            (void)sqlite3_sleep(20);
        }
    }
    return rc == SQLITE_OK ? SOTTO_OK : sqlite_failed(store, rc);
}

static enum sotto_err migrate_from(struct store_sqlite *store, int64_t version)
{
    enum sotto_err err = SOTTO_OK;
    for (; err == SOTTO_OK && (size_t)version < SOTTO_COUNT(migrations); version++) {
        err = sqlite_run(store, migrations[version]);
    }
    char sql[120];
    snprintf(sql, sizeof(sql), "PRAGMA user_version=%zu; PRAGMA application_id=%d",
             SOTTO_COUNT(migrations), DB_APPLICATION_ID);
    return err == SOTTO_OK ? sqlite_run(store, sql) : err;
}

/* Reads the version; says no to files of others and of later versions. */
static enum sotto_err read_version(struct store_sqlite *store, int64_t *version)
{
    int64_t application = 0;
    enum sotto_err err = pragma_int(store, "PRAGMA application_id", &application);
    if (err == SOTTO_OK) {
        err = pragma_int(store, "PRAGMA user_version", version);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    if (application != DB_APPLICATION_ID && (application != 0 || *version != 0)) {
        return store_refuse(&store->store, SOTTO_EFORMAT,
                            "%.400s: is a database of another program: move it away", store->path);
    }
    if (*version > (int64_t)SOTTO_COUNT(migrations)) {
        return store_refuse(&store->store, SOTTO_ESTATE,
                            "%.400s: was made by a newer version of sotto: run that version",
                            store->path);
    }
    return SOTTO_OK;
}

static enum sotto_err migrate(struct store_sqlite *store)
{
    int64_t version = 0;
    enum sotto_err err = read_version(store, &version);
    if (err != SOTTO_OK || version == (int64_t)SOTTO_COUNT(migrations)) {
        return err;
    }
    err = sqlite_run(store, "BEGIN IMMEDIATE");
    if (err != SOTTO_OK) {
        return err;
    }
    err = read_version(store, &version); /* another process may have been faster */
    if (err == SOTTO_OK) {
        err = migrate_from(store, version);
    }
    return sqlite_end(store, err);
}

static enum sotto_err open_database(struct store_sqlite *store)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
    int rc = library_result;
    if (rc == SQLITE_OK) {
        rc = sqlite3_open_v2(store->path, &store->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
                             NULL);
    }
    if (rc != SQLITE_OK) {
        return sqlite_failed(store, rc);
    }
    (void)sqlite3_busy_timeout(store->db, DB_BUSY_MS);
    (void)sqlite3_extended_result_codes(store->db, 1);
    enum sotto_err err = set_journal(store);
    if (err == SOTTO_OK) {
        err = sqlite_run(store, "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
                                " PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF");
    }
    return err == SOTTO_OK ? migrate(store) : err;
}

static enum sotto_err open_generation(struct store_sqlite *store, const char *folder)
{
    char path[sizeof(store->path) + 32];
    snprintf(path, sizeof(path), "%s/keys.generation", folder);
    enum sotto_err err = sotto_shared_counter_open(path, &store->generation);
    if (err != SOTTO_OK) {
        return store_refuse(&store->store, err,
                            "%.400s: cannot be opened: see to its permissions, or remove it", path);
    }
    return SOTTO_OK;
}

/* Whoever has put the keys elsewhere must not meet old ones here that he has revoked there. */
static enum sotto_err check_elsewhere(struct store_sqlite *store, const char *folder)
{
    char path[sizeof(store->path) + 32];
    struct stat info;
    snprintf(path, sizeof(path), "%s/" STORE_ELSEWHERE, folder);
    if (lstat(path, &info) != 0 && errno == ENOENT) {
        return SOTTO_OK;
    }
    return store_refuse(&store->store, SOTTO_ESTATE,
                        "%.400s: the keys are in PostgreSQL: give the configuration that says so, "
                        "or remove this file to use those of the folder",
                        path);
}

static enum sotto_err open_all(struct store_sqlite *store, const char *folder)
{
    int len = snprintf(store->path, sizeof(store->path), "%s/sotto.db", folder);
    if (len < 0 || (size_t)len >= sizeof(store->path)) {
        return store_refuse(&store->store, SOTTO_EINVAL,
                            "the path of the state folder is too long");
    }
    enum sotto_err err;
    if ((err = sotto_store_folder(folder, store->store.why)) != SOTTO_OK ||
        (err = check_elsewhere(store, folder)) != SOTTO_OK ||
        (err = make_file(store)) != SOTTO_OK || (err = open_database(store)) != SOTTO_OK) {
        return err;
    }
    return open_generation(store, folder);
}

/* --- the kind -------------------------------------------------------------------------------- */

static void close_sqlite(struct sotto_store *store)
{
    struct store_sqlite *s = SQLITE_STORE(store);
    (void)sqlite3_close_v2(s->db);
    sotto_shared_counter_close(s->generation);
}

static uint64_t generation(const struct sotto_store *store)
{
    return sotto_shared_counter_get(((const struct store_sqlite *)store)->generation);
}

static void touch(struct sotto_store *store)
{
    sotto_shared_counter_bump(SQLITE_STORE(store)->generation);
}

static const struct store_kind kind = {
    .close = close_sqlite,
    .generation = generation,
    .touch = touch,
    .key_count = sqlite_key_count,
    .key_each = sqlite_key_each,
    .key_find = sqlite_key_find,
    .key_insert = sqlite_key_insert,
    .key_renew = sqlite_key_renew,
    .key_revoke = sqlite_key_revoke,
    .grace_set = sqlite_grace_set,
    .grace = sqlite_grace,
    .usage_each = sqlite_usage_each,
    .usage_add = sqlite_usage_add,
};

enum sotto_err store_sqlite_open(const char *folder, struct sotto_store **out)
{
    struct store_sqlite *s = sotto_calloc(1, sizeof(*s));
    if (s == NULL) {
        return SOTTO_ENOMEM;
    }
    s->store.kind = &kind;
    *out = &s->store;
    return open_all(s, folder);
}
