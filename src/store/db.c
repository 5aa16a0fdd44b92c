/* SPDX-License-Identifier: Apache-2.0 */

#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sys/files.h"

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

enum sotto_err store_failed(struct sotto_store *store, int rc)
{
    snprintf(store->why, sizeof(store->why), "%.400s: %s", store->path, sentence(rc));
    if ((rc & 0xff) == SQLITE_NOMEM) {
        return SOTTO_ENOMEM;
    }
    return (rc & 0xff) == SQLITE_NOTADB ? SOTTO_EFORMAT : SOTTO_EIO;
}

enum sotto_err store_run(struct sotto_store *store, const char *sql)
{
    int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? SOTTO_OK : store_failed(store, rc);
}

enum sotto_err store_end(struct sotto_store *store, enum sotto_err err)
{
    if (err == SOTTO_OK) {
        err = store_run(store, "COMMIT");
    }
    if (err != SOTTO_OK && sqlite3_get_autocommit(store->db) == 0) {
        /* Nothing more can be done where this fails too: closing rolls back. */
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return err;
}

enum sotto_err store_prepare(struct sotto_store *store, const char *sql, sqlite3_stmt **stmt)
{
    *stmt = NULL;
    int rc = sqlite3_prepare_v2(store->db, sql, -1, stmt, NULL);
    return rc == SQLITE_OK ? SOTTO_OK : store_failed(store, rc);
}

/* A failed binding leaves the parameter NULL, which the columns refuse. */
void store_bind_text(sqlite3_stmt *stmt, int i, sotto_span text)
{
    (void)sqlite3_bind_text64(stmt, i, text.len != 0 ? (const char *)text.base : "", text.len,
                              SQLITE_STATIC, SQLITE_UTF8);
}

void store_bind_blob(sqlite3_stmt *stmt, int i, const void *bytes, size_t len)
{
    (void)sqlite3_bind_blob64(stmt, i, bytes, len, SQLITE_STATIC);
}

void store_bind_int(sqlite3_stmt *stmt, int i, int64_t number)
{
    (void)sqlite3_bind_int64(stmt, i, number);
}

enum sotto_err store_step(struct sotto_store *store, sqlite3_stmt *stmt, bool *row)
{
    int rc = sqlite3_step(stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        return store_failed(store, rc);
    }
    *row = rc == SQLITE_ROW;
    return SOTTO_OK;
}

sotto_span store_text(sqlite3_stmt *stmt, int i)
{
    const void *bytes = sqlite3_column_blob(stmt, i);
    return bytes != NULL ? sotto_span_init(bytes, (size_t)sqlite3_column_bytes(stmt, i))
                         : sotto_span_init(NULL, 0);
}

int64_t store_int(sqlite3_stmt *stmt, int i)
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

/* Others may look into the folder, but not put files there. */
static enum sotto_err check_folder(struct sotto_store *store, const char *folder)
{
    struct stat info;
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
        snprintf(store->why, sizeof(store->why),
                 "%.400s: cannot be opened as a folder: see to its permissions", folder);
        return SOTTO_EIO;
    }
    if ((info.st_mode & 022) != 0) {
        snprintf(store->why, sizeof(store->why), "%.400s: others may write it: chmod go-w it",
                 folder);
        return SOTTO_EDENIED;
    }
    return SOTTO_OK;
}

/* Makes the file before SQLite does, for its mode; the files beside it get the same. */
static enum sotto_err make_file(struct sotto_store *store)
{
    struct stat info;
    int fd = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return store_failed(store, errno == ENOSPC ? SQLITE_FULL : SQLITE_CANTOPEN);
    }
    bool known = fstat(fd, &info) == 0;
    close(fd);
    if (!known || (info.st_mode & 077) != 0) {
        snprintf(store->why, sizeof(store->why), "%.400s: others may read it: chmod 600 it",
                 store->path);
        return SOTTO_EDENIED;
    }
    return SOTTO_OK;
}

static enum sotto_err pragma_int(struct sotto_store *store, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt;
    bool row = false;
    enum sotto_err err = store_prepare(store, sql, &stmt);
    if (err == SOTTO_OK) {
        err = store_step(store, stmt, &row);
    }
    if (err == SOTTO_OK) {
        *out = row ? store_int(stmt, 0) : 0;
    }
    sqlite3_finalize(stmt);
    return err;
}

/* WAL cannot always wait for another process that opens the file at the same moment. */
static enum sotto_err set_journal(struct sotto_store *store)
{
    int rc = SQLITE_BUSY;
    for (int waited_ms = 0; (rc & 0xff) == SQLITE_BUSY && waited_ms < DB_BUSY_MS; waited_ms += 20) {
        rc = sqlite3_exec(store->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
        if ((rc & 0xff) == SQLITE_BUSY) {
            (void)sqlite3_sleep(20);
        }
    }
    return rc == SQLITE_OK ? SOTTO_OK : store_failed(store, rc);
}

static enum sotto_err migrate_from(struct sotto_store *store, int64_t version)
{
    enum sotto_err err = SOTTO_OK;
    for (; err == SOTTO_OK && (size_t)version < SOTTO_COUNT(migrations); version++) {
        err = store_run(store, migrations[version]);
    }
    char sql[120];
    snprintf(sql, sizeof(sql), "PRAGMA user_version=%zu; PRAGMA application_id=%d",
             SOTTO_COUNT(migrations), DB_APPLICATION_ID);
    return err == SOTTO_OK ? store_run(store, sql) : err;
}

static enum sotto_err refuse(struct sotto_store *store, enum sotto_err err, const char *why)
{
    snprintf(store->why, sizeof(store->why), "%.400s: %s", store->path, why);
    return err;
}

/* Reads the version; says no to files of others and of later versions. */
static enum sotto_err read_version(struct sotto_store *store, int64_t *version)
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
        return refuse(store, SOTTO_EFORMAT, "is a database of another program: move it away");
    }
    if (*version > (int64_t)SOTTO_COUNT(migrations)) {
        return refuse(store, SOTTO_ESTATE,
                      "was made by a newer version of sotto: run that version");
    }
    return SOTTO_OK;
}

static enum sotto_err migrate(struct sotto_store *store)
{
    int64_t version = 0;
    enum sotto_err err = read_version(store, &version);
    if (err != SOTTO_OK || version == (int64_t)SOTTO_COUNT(migrations)) {
        return err;
    }
    err = store_run(store, "BEGIN IMMEDIATE");
    if (err != SOTTO_OK) {
        return err;
    }
    err = read_version(store, &version); /* another process may have been faster */
    if (err == SOTTO_OK) {
        err = migrate_from(store, version);
    }
    return store_end(store, err);
}

static enum sotto_err open_database(struct sotto_store *store)
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
        return store_failed(store, rc);
    }
    (void)sqlite3_busy_timeout(store->db, DB_BUSY_MS);
    (void)sqlite3_extended_result_codes(store->db, 1);
    enum sotto_err err = set_journal(store);
    if (err == SOTTO_OK) {
        err = store_run(store, "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
                               " PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF");
    }
    return err == SOTTO_OK ? migrate(store) : err;
}

static enum sotto_err open_generation(struct sotto_store *store, const char *folder)
{
    char path[sizeof(store->path) + 32];
    snprintf(path, sizeof(path), "%s/keys.generation", folder);
    enum sotto_err err = sotto_shared_counter_open(path, &store->generation);
    if (err != SOTTO_OK) {
        snprintf(store->why, sizeof(store->why),
                 "%.400s: cannot be opened: see to its permissions, or remove it", path);
    }
    return err;
}

static enum sotto_err open_all(struct sotto_store *store, const char *folder)
{
    int len = snprintf(store->path, sizeof(store->path), "%s/sotto.db", folder);
    if (len < 0 || (size_t)len >= sizeof(store->path)) {
        snprintf(store->why, sizeof(store->why), "the path of the state folder is too long");
        return SOTTO_EINVAL;
    }
    enum sotto_err err = sotto_folder_make(folder);
    if (err != SOTTO_OK) {
        snprintf(store->why, sizeof(store->why),
                 "%.400s: the folder cannot be made: see to the permissions above it", folder);
        return err;
    }
    if ((err = check_folder(store, folder)) != SOTTO_OK || (err = make_file(store)) != SOTTO_OK ||
        (err = open_database(store)) != SOTTO_OK) {
        return err;
    }
    return open_generation(store, folder);
}

enum sotto_err sotto_store_open(const char *folder, struct sotto_store **out,
                                char why[SOTTO_STORE_WHY_BYTES])
{
    struct sotto_store *store = sotto_calloc(1, sizeof(*store));
    if (store == NULL) {
        if (why != NULL) {
            snprintf(why, SOTTO_STORE_WHY_BYTES, "there is no memory left");
        }
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = open_all(store, folder);
    if (err == SOTTO_OK) {
        *out = store;
        return SOTTO_OK;
    }
    if (why != NULL) {
        memcpy(why, store->why, sizeof(store->why));
    }
    sotto_store_close(store);
    return err;
}

void sotto_store_close(struct sotto_store *store)
{
    if (store != NULL) {
        (void)sqlite3_close_v2(store->db);
        sotto_shared_counter_close(store->generation);
        sotto_free(store);
    }
}

const char *sotto_store_why(const struct sotto_store *store)
{
    return store->why;
}

uint64_t sotto_store_generation(const struct sotto_store *store)
{
    return sotto_shared_counter_get(store->generation);
}
