/* SPDX-License-Identifier: Apache-2.0 */

#include "store/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "store/folder.h"
#include "tap/tap.h"

static const struct sotto_key_quota no_defaults;

static struct sotto_store *open_store(const char *path)
{
    struct sotto_store *store = NULL;
    char why[SOTTO_STORE_WHY_BYTES] = "";
    if (sotto_store_open(path, &store, why) != SOTTO_OK) {
        printf("Bail out! %s\n", why);
        fflush(stdout);
        abort();
    }
    return store;
}

static struct sotto_limits *new_limits(void)
{
    struct sotto_limits *limits = NULL;
    if (sotto_limits_new(&limits) != SOTTO_OK) {
        abort();
    }
    return limits;
}

static unsigned mode_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? info.st_mode & 07777 : 0;
}

static struct sotto_key_table *load(struct sotto_store *store, struct sotto_limits *limits)
{
    struct sotto_key_table *table = NULL;
    IS_INT(sotto_store_key_table(store, limits, &no_defaults, &table), SOTTO_OK, "keys are read");
    return table;
}

/* Whether a key works at a time, with what is stored now. */
static enum sotto_err try_key(struct sotto_store *store, const char *text, int64_t now_s)
{
    struct sotto_limits *limits = new_limits();
    struct sotto_key_table *table = load(store, limits);
    const struct sotto_key_row *row = NULL;
    enum sotto_err err = sotto_key_table_verify(table, sotto_span_str(text), now_s, &row);
    sotto_key_table_unref(table);
    sotto_limits_free(limits);
    return err;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void test_making(void)
{
    struct folder base = folder_new();
    char path[400];
    snprintf(path, sizeof(path), "%s/a/state", base.path);
    struct sotto_store *store = open_store(path);
    struct folder state = {""};
    snprintf(state.path, sizeof(state.path), "%.255s", path);
    IS_INT(mode_of(path), 0700, "the folder is private");
    IS_INT(mode_of(folder_file(&state, "sotto.db")), 0600, "the database too");
    IS_INT(mode_of(folder_file(&state, "sotto.db-wal")), 0600, "and its journal");
    IS_INT(mode_of(folder_file(&state, "keys.generation")), 0600, "and the counter");
    size_t count = 77;
    IS_INT(sotto_store_key_count(store, &count), SOTTO_OK, "keys are counted");
    IS_SIZE(count, 0, "there are none");
    sotto_store_close(store);
    sotto_store_close(NULL);
    store = open_store(path);
    OK(store != NULL, "it is opened again");
    sotto_store_close(store);
    folder_remove(&state);
    snprintf(path, sizeof(path), "%s/a", base.path);
    rmdir(path);
    folder_remove(&base);
}

static void refused(const char *path, enum sotto_err want, const char *sentence)
{
    struct sotto_store *store = NULL;
    char why[SOTTO_STORE_WHY_BYTES] = "";
    IS_INT(sotto_store_open(path, &store, why), want, "refused: %s", sentence);
    OK(store == NULL, "nothing comes out");
    OK(strstr(why, sentence) != NULL, "it says why: %s", why);
    IS_INT(sotto_store_open(path, &store, NULL), want, "it need not be told");
}

static void put_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        abort();
    }
    fchmod(fd, mode);
    close(fd);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        abort();
    }
    sqlite3_close(db);
}

static void test_refusals(void)
{
    struct folder f = folder_new();
    chmod(f.path, 0770);
    refused(f.path, SOTTO_EDENIED, "others may write it: chmod go-w it");
    chmod(f.path, 0755);
    sotto_store_close(open_store(f.path));
    OK(true, "others may look into the folder");
    chmod(folder_file(&f, "sotto.db"), 0640);
    refused(f.path, SOTTO_EDENIED, "sotto.db: others may read it: chmod 600 it");
    folder_remove(&f);

    f = folder_new();
    put_file(folder_file(&f, "sotto.db"), "this is a text, and not a short one, but no database",
             0600);
    refused(f.path, SOTTO_EFORMAT, "sotto.db: is not a database: move it away");
    unlink(folder_file(&f, "sotto.db"));
    umask(077);
    run_sql(folder_file(&f, "sotto.db"), "PRAGMA application_id=7; CREATE TABLE x (y)");
    refused(f.path, SOTTO_EFORMAT, "is a database of another program: move it away");
    unlink(folder_file(&f, "sotto.db"));
    sotto_store_close(open_store(f.path));
    run_sql(folder_file(&f, "sotto.db"), "PRAGMA user_version=99");
    refused(f.path, SOTTO_ESTATE, "was made by a newer version of sotto: run that version");
    unlink(folder_file(&f, "sotto.db"));
    if (symlink("/nowhere", folder_file(&f, "sotto.db")) == 0) {
        refused(f.path, SOTTO_EIO, "cannot be written: see to the permissions");
    }
    unlink(folder_file(&f, "sotto.db"));
    put_file(folder_file(&f, "keys.generation"), "this is no counter", 0600);
    refused(f.path, SOTTO_EFORMAT, "keys.generation: cannot be opened");
    put_file(folder_file(&f, "file"), "", 0600);
    struct sotto_store *store = NULL;
    char why[SOTTO_STORE_WHY_BYTES] = "";
    OK(sotto_store_open(folder_file(&f, "file"), &store, why) != SOTTO_OK && why[0] != '\0',
       "a file is no folder: %s", why);
    char longest[5000];
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    OK(sotto_store_open(longest, &store, why) == SOTTO_EINVAL, "a path may be too long");
    folder_remove(&f);
}

/* --- keys ------------------------------------------------------------------------------------- */

static const struct sotto_key full_key = {
    .created_s = 100,
    .expires_s = 5000,
    .name = SOTTO_LIT_INIT("Stra\xc3\x9f"
                           "e 'x' \"y\"; DROP TABLE keys"),
    .tenant = SOTTO_LIT_INIT("ward 4"),
    .scopes = SOTTO_LIT_INIT("model:gpt-*,mode:hipaa"),
    .mode = SOTTO_LIT_INIT("hipaa"),
    .style = SOTTO_LIT_INIT("redact"),
    .anonymize = true,
    .quota = {60, 1000, 20000, 3000000, 4500000000},
};

static void test_keys(void)
{
    struct folder f = folder_new();
    struct sotto_store *store = open_store(f.path);
    char text[SOTTO_KEY_TEXT_BYTES], plain[SOTTO_KEY_TEXT_BYTES];
    const struct sotto_key simple = {.created_s = 200};
    IS_INT(sotto_store_key_create(store, &full_key, text), SOTTO_OK, "a key with everything");
    IS_INT(sotto_store_key_create(store, &simple, plain), SOTTO_OK, "and a simple one");
    IS_SIZE(strlen(text), SOTTO_KEY_TEXT_LEN, "the text is complete");

    struct sotto_limits *limits = new_limits();
    struct sotto_key_table *table = load(store, limits);
    const struct sotto_key_row *row = NULL;
    IS_INT(sotto_key_table_verify(table, sotto_span_str(text), 4999, &row), SOTTO_OK, "it works");
    const struct sotto_key *key = &row->key;
    OK(sotto_span_eq(key->name, full_key.name) && sotto_span_eq(key->tenant, full_key.tenant) &&
           sotto_span_eq(key->scopes, full_key.scopes) && sotto_span_eq(key->mode, full_key.mode) &&
           sotto_span_eq(key->style, full_key.style),
       "all texts come back");
    OK(key->created_s == 100 && key->expires_s == 5000 && key->revoked_s == 0 &&
           key->old_until_s == 0 && key->anonymize,
       "and times and switches");
    OK(memcmp(&key->quota, &full_key.quota, sizeof(key->quota)) == 0, "and quotas");
    IS_INT(sotto_key_table_verify(table, sotto_span_str(text), 5000, &row), SOTTO_EAUTH,
           "it expires");
    IS_INT(sotto_key_table_verify(table, sotto_span_str(plain), 1, &row), SOTTO_OK,
           "the simple one works");
    OK(sotto_span_eq(row->key.tenant, sotto_span_init(plain + 3, 12)), "its tenant is its id");
    OK(!row->key.anonymize && row->key.name.len == 0, "the rest is empty");
    sotto_key_table_unref(table);
    sotto_limits_free(limits);
    size_t count = 0;
    IS_INT(sotto_store_key_count(store, &count), SOTTO_OK, "keys are counted");
    IS_SIZE(count, 2, "two");
    sotto_store_close(store);

    /* The secret is nowhere in the folder. */
    char command[700];
    snprintf(command, sizeof(command), "grep -rqa '%.32s' '%s'", text + 16, f.path);
    OK(system(command) != 0, "no file has the secret"); /* NOLINT: a fixed command of the test */
    folder_remove(&f);
}

static void test_rotation(void)
{
    struct folder f = folder_new();
    struct sotto_store *store = open_store(f.path);
    const struct sotto_key key = {.created_s = 1};
    char first[SOTTO_KEY_TEXT_BYTES], second[SOTTO_KEY_TEXT_BYTES], third[SOTTO_KEY_TEXT_BYTES];
    IS_INT(sotto_store_key_create(store, &key, first), SOTTO_OK, "a key");
    char id_text[SOTTO_KEY_ID_LEN];
    memcpy(id_text, first + 3, sizeof(id_text));
    sotto_span id = sotto_span_init(id_text, sizeof(id_text));
    IS_INT(sotto_store_key_rotate(store, id, 1000, second), SOTTO_OK, "gets a new secret");
    OK(memcmp(first, second, 16) == 0, "under its id");
    OK(strcmp(first, second) != 0, "another one");
    IS_INT(try_key(store, second, 999), SOTTO_OK, "the new one works");
    IS_INT(try_key(store, first, 999), SOTTO_OK, "the old one too, in its grace");
    IS_INT(try_key(store, first, 1000), SOTTO_EAUTH, "and then no more");
    memcpy(third, second, sizeof(third));
    IS_INT(sotto_store_key_rotate(store, sotto_span_init(third + 3, 12), 2000, third), SOTTO_OK,
           "and one more, with its id where the new text goes");
    OK(memcmp(first, third, 16) == 0, "it keeps its id");
    IS_INT(try_key(store, first, 999), SOTTO_EAUTH, "ends the first at once");
    IS_INT(try_key(store, second, 1999), SOTTO_OK, "the second has its grace");
    IS_INT(try_key(store, third, 1999), SOTTO_OK, "the third works");

    IS_INT(sotto_store_key_revoke(store, id, 1500), SOTTO_OK, "the key is revoked");
    IS_INT(try_key(store, third, 1500), SOTTO_EAUTH, "and dead");
    IS_INT(try_key(store, second, 1500), SOTTO_EAUTH, "with both secrets");
    IS_INT(sotto_store_key_revoke(store, id, 1600), SOTTO_OK, "again changes nothing");
    memset(first, 'x', sizeof(first));
    IS_INT(sotto_store_key_rotate(store, id, 9999, first), SOTTO_ESTATE, "it cannot be rotated");
    OK(first[0] == '\0', "no key comes out");
    OK(strcmp(sotto_store_why(store), "the key is revoked: create a new one") == 0, "it says so");
    IS_INT(sotto_store_key_rotate(store, SOTTO_LIT("zzzzzzzzzzzz"), 9, first), SOTTO_ENOTFOUND,
           "nor can one that is not there");
    IS_INT(sotto_store_key_revoke(store, SOTTO_LIT("zzzzzzzzzzzz"), 9), SOTTO_ENOTFOUND,
           "nor be revoked");
    OK(strcmp(sotto_store_why(store), "there is no key with this id") == 0, "it says so");
    sotto_store_close(store);
    folder_remove(&f);
}

static void test_grace(void)
{
    struct folder f = folder_new();
    struct sotto_store *gateway = open_store(f.path), *command = open_store(f.path);
    int64_t grace_s = 0;
    IS_INT(sotto_store_grace(command, &grace_s), SOTTO_OK, "the grace after a rotation");
    IS_INT(grace_s, 48 * 3600, "is 48 hours");
    IS_INT(sotto_store_grace_set(gateway, 2), SOTTO_OK, "until a gateway says otherwise");
    IS_INT(sotto_store_grace_set(gateway, 2), SOTTO_OK, "once or twice");
    IS_INT(sotto_store_grace(command, &grace_s), SOTTO_OK, "then others read");
    IS_INT(grace_s, 2, "what it said");
    sotto_store_close(gateway);
    sotto_store_close(command);
    folder_remove(&f);
}

static void test_adoption(void)
{
    struct folder f = folder_new();
    struct sotto_store *store = open_store(f.path);
    const struct sotto_key key = {.created_s = 1};
    const char *mine = "ql_aB3dE6gH9jK2_0123456789ABCDEFGHIJKLMNOPQRSTUV";
    const char *other = "ql_aB3dE6gH9jK2_0123456789ABCDEFGHIJKLMNOPQRSTUW";
    IS_INT(sotto_store_key_adopt(store, &key, SOTTO_LIT("my-key")), SOTTO_EFORMAT,
           "what is no key is refused");
    OK(strstr(sotto_store_why(store), "a key is ql_") != NULL, "it says so");
    IS_INT(sotto_store_key_adopt(store, &key, sotto_span_str(mine)), SOTTO_OK,
           "a key of one's own");
    IS_INT(try_key(store, mine, 5), SOTTO_OK, "works");
    uint64_t generation = sotto_store_generation(store);
    IS_INT(sotto_store_key_adopt(store, &key, sotto_span_str(mine)), SOTTO_OK,
           "at the next start too");
    IS_INT(sotto_store_generation(store), generation, "nothing has changed");
    IS_INT(sotto_store_key_adopt(store, &key, sotto_span_str(other)), SOTTO_EEXISTS,
           "its id with another secret is refused");
    IS_INT(sotto_store_key_revoke(store, SOTTO_LIT("aB3dE6gH9jK2"), 9), SOTTO_OK, "once revoked");
    IS_INT(sotto_store_key_adopt(store, &key, sotto_span_str(mine)), SOTTO_EEXISTS,
           "it does not come back");
    OK(strcmp(sotto_store_why(store), "key aB3dE6gH9jK2 is revoked") == 0, "it says so");
    sotto_store_close(store);
    folder_remove(&f);
}

static enum sotto_err stop_at_two(void *ctx, const struct sotto_key *key)
{
    int *seen = ctx;
    return key->created_s == ++*seen && *seen < 2 ? SOTTO_OK : SOTTO_ELIMIT;
}

static void test_order(void)
{
    struct folder f = folder_new();
    struct sotto_store *store = open_store(f.path);
    char text[SOTTO_KEY_TEXT_BYTES];
    for (int64_t i = 3; i > 0; i--) {
        const struct sotto_key key = {.created_s = i};
        IS_INT(sotto_store_key_create(store, &key, text), SOTTO_OK, "key %d", (int)i);
    }
    int seen = 0;
    IS_INT(sotto_store_key_each(store, stop_at_two, &seen), SOTTO_ELIMIT,
           "what the callback says ends the reading");
    IS_INT(seen, 2, "oldest first");
    sotto_store_close(store);
    run_sql(folder_file(&f, "sotto.db"),
            "PRAGMA ignore_check_constraints=1; UPDATE keys SET id='!' WHERE created=2");
    store = open_store(f.path);
    seen = 0;
    IS_INT(sotto_store_key_each(store, stop_at_two, &seen), SOTTO_EIO,
           "a row that is broken is seen");
    OK(strstr(sotto_store_why(store), "is damaged") != NULL, "it says so");
    sotto_store_close(store);
    folder_remove(&f);
}

/* --- several processes ------------------------------------------------------------------------ */

static void test_announcement(void)
{
    struct folder f = folder_new();
    struct sotto_store *gateway = open_store(f.path), *command = open_store(f.path);
    const struct sotto_key key = {.created_s = 1};
    char text[SOTTO_KEY_TEXT_BYTES];
    uint64_t before = sotto_store_generation(gateway);
    IS_INT(sotto_store_key_create(command, &key, text), SOTTO_OK, "a key is made elsewhere");
    OK(sotto_store_generation(gateway) > before, "the gateway notices");
    IS_INT(try_key(gateway, text, 5), SOTTO_OK, "and accepts it");
    before = sotto_store_generation(gateway);
    IS_INT(sotto_store_key_revoke(command, sotto_span_init(text + 3, 12), 5), SOTTO_OK, "revoked");
    OK(sotto_store_generation(gateway) > before, "the gateway notices");
    IS_INT(try_key(gateway, text, 5), SOTTO_EAUTH, "and refuses it");
    sotto_store_close(gateway);
    sotto_store_close(command);
    folder_remove(&f);
}

enum {
    PROCESSES = 4,
    KEYS_EACH = 12
};

static int make_keys(const char *path)
{
    struct sotto_store *store = NULL;
    char why[SOTTO_STORE_WHY_BYTES] = "";
    if (sotto_store_open(path, &store, why) != SOTTO_OK) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    for (int i = 0; i < KEYS_EACH; i++) {
        const struct sotto_key key = {.created_s = i + 1};
        char text[SOTTO_KEY_TEXT_BYTES];
        if (sotto_store_key_create(store, &key, text) != SOTTO_OK ||
            (i % 3 == 0 &&
             sotto_store_key_revoke(store, sotto_span_init(text + 3, 12), 5) != SOTTO_OK)) {
            fprintf(stderr, "%s\n", sotto_store_why(store));
            return 2;
        }
    }
    sotto_store_close(store);
    return 0;
}

/* Four processes open a folder that is not there yet and make keys; this one reads meanwhile. */
static void test_processes(void)
{
    struct folder f = folder_new();
    pid_t children[PROCESSES];
    fflush(stdout);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(make_keys(f.path));
        }
    }
    struct sotto_store *store = open_store(f.path);
    struct sotto_limits *limits = new_limits();
    bool steady = true;
    size_t count = 0, running = PROCESSES;
    int worst = 0;
    while (running != 0) {
        struct sotto_key_table *table = NULL;
        if (sotto_store_key_table(store, limits, &no_defaults, &table) != SOTTO_OK) {
            steady = false;
        } else {
            steady = steady && sotto_key_table_count(table) >= count;
            count = sotto_key_table_count(table);
            sotto_key_table_unref(table);
        }
        int status;
        if (waitpid(-1, &status, WNOHANG) > 0) {
            running--;
            worst = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? worst : 1;
        }
    }
    OK(worst == 0, "four processes make keys at once");
    OK(steady, "while another reads, and sees no fewer than before");
    IS_INT(sotto_store_key_count(store, &count), SOTTO_OK, "in the end");
    IS_SIZE(count, (size_t)PROCESSES * KEYS_EACH, "all are there");
    OK(sotto_store_generation(store) >= (size_t)PROCESSES * KEYS_EACH, "and each was announced");
    sotto_limits_free(limits);
    sotto_store_close(store);
    folder_remove(&f);
}

/* --- usage ------------------------------------------------------------------------------------ */

#define NOW 1795359600000LL

static void use(struct sotto_limits *limits, const char *id, int times)
{
    static const struct sotto_key_quota unlimited;
    static const struct sotto_use one = {.requests = 1,
                                         .prompt_tokens = 10,
                                         .completion_tokens = 4,
                                         .estimated_tokens = 3,
                                         .cost_nano = 2500000001};
    struct sotto_usage *usage = NULL;
    if (sotto_limits_usage(limits, sotto_span_str(id), &usage) != SOTTO_OK) {
        abort();
    }
    for (int i = 0; i < times; i++) {
        struct sotto_reservation reservation;
        if (sotto_limit_reserve(usage, &unlimited, NOW, &reservation, NULL) != SOTTO_LIMIT_OK) {
            abort();
        }
        sotto_limit_settle(&reservation, &one, NOW);
    }
}

static int64_t used(struct sotto_limits *limits, const char *id, int32_t month)
{
    struct sotto_usage *usage = NULL;
    if (sotto_limits_usage(limits, sotto_span_str(id), &usage) != SOTTO_OK) {
        abort();
    }
    const struct sotto_use use = sotto_usage_get(usage, month);
    if (use.prompt_tokens != use.requests * 10 || use.completion_tokens != use.requests * 4 ||
        use.estimated_tokens != use.requests * 3 || use.cost_nano != use.requests * 2500000001) {
        return -1; /* the figures of a request stay together */
    }
    return use.requests;
}

static void test_usage(void)
{
    struct folder f = folder_new();
    struct sotto_store *store = open_store(f.path), *other = open_store(f.path);
    struct sotto_limits *limits = new_limits();
    const int32_t month = sotto_limit_month(NOW);
    use(limits, "aaaaaaaaaaaa", 5);
    use(limits, "bbbbbbbbbbbb", 2);
    IS_INT(sotto_store_usage_save(store, limits), SOTTO_OK, "usage is saved");
    use(limits, "aaaaaaaaaaaa", 3);

    run_sql(folder_file(&f, "sotto.db"), "ALTER TABLE usage RENAME TO hidden");
    IS_INT(sotto_store_usage_save(store, limits), SOTTO_EIO, "it cannot always be");
    run_sql(folder_file(&f, "sotto.db"), "ALTER TABLE hidden RENAME TO usage");
    IS_INT(sotto_store_usage_save(store, limits), SOTTO_OK, "then it is the next time");
    IS_INT(sotto_store_usage_save(store, limits), SOTTO_OK, "and no more after that");

    struct sotto_limits *next = new_limits();
    IS_INT(sotto_store_usage_load(other, month, next), SOTTO_OK, "the next process reads it");
    IS_INT(used(next, "aaaaaaaaaaaa", month), 8, "all of it");
    IS_INT(used(next, "bbbbbbbbbbbb", month), 2, "of each key");
    use(next, "aaaaaaaaaaaa", 1);
    IS_INT(sotto_store_usage_save(other, next), SOTTO_OK, "and adds its own");
    sotto_limits_free(next);
    next = new_limits();
    IS_INT(sotto_store_usage_load(store, month, next), SOTTO_OK, "which the one after it reads");
    IS_INT(used(next, "aaaaaaaaaaaa", month), 9, "with that");
    sotto_limits_free(next);
    next = new_limits();
    IS_INT(sotto_store_usage_load(store, month - 1, next), SOTTO_OK, "the month before");
    IS_INT(used(next, "aaaaaaaaaaaa", month - 1), 0, "was empty");
    sotto_limits_free(next);
    sotto_limits_free(limits);
    sotto_store_close(store);
    sotto_store_close(other);
    folder_remove(&f);
}

/* A commit that fails after the rows were written must not lose them. */
static void test_usage_commit(void)
{
    struct folder f = folder_new();
    struct sotto_store *store = open_store(f.path);
    struct sotto_limits *limits = new_limits();
    const int32_t month = sotto_limit_month(NOW);
    run_sql(folder_file(&f, "sotto.db"),
            "CREATE TRIGGER stop BEFORE INSERT ON usage WHEN new.key = 'cccccccccccc'"
            " BEGIN SELECT raise(ABORT, 'stop'); END");
    use(limits, "aaaaaaaaaaaa", 5);
    use(limits, "cccccccccccc", 1);
    OK(sotto_store_usage_save(store, limits) != SOTTO_OK, "one key cannot be saved");
    run_sql(folder_file(&f, "sotto.db"), "DROP TRIGGER stop");
    IS_INT(sotto_store_usage_save(store, limits), SOTTO_OK, "later it can");
    struct sotto_limits *next = new_limits();
    IS_INT(sotto_store_usage_load(store, month, next), SOTTO_OK, "what is there");
    IS_INT(used(next, "aaaaaaaaaaaa", month), 5, "is all of the first");
    IS_INT(used(next, "cccccccccccc", month), 1, "and of the other");
    sotto_limits_free(next);
    sotto_limits_free(limits);
    sotto_store_close(store);
    folder_remove(&f);
}

/* --- trouble ---------------------------------------------------------------------------------- */

/* Opens as somebody who may not write there; gives the exit code 100 + the error. */
static int open_as_nobody(const char *path)
{
    struct sotto_store *store = NULL;
    char why[SOTTO_STORE_WHY_BYTES] = "";
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0) {
        return 1;
    }
    enum sotto_err err = sotto_store_open(path, &store, why);
    return why[0] != '\0' || err == SOTTO_OK ? 100 + (int)err : 2;
}

static int in_child(int (*run)(const char *path), const char *path)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        _exit(run(path));
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_read_only(void)
{
    struct folder f = folder_new();
    chmod(f.path, 0555);
    IS_INT(in_child(open_as_nobody, f.path), 100 + SOTTO_EIO, "a folder that may not be written");
    chmod(f.path, 0755);
    sotto_store_close(open_store(f.path));
    IS_INT(in_child(open_as_nobody, f.path), 100 + (geteuid() == 0 ? SOTTO_EIO : SOTTO_OK),
           "files of another user");
    folder_remove(&f);
}

/* Fills a small disk with keys until none fits; gives 0 when that was said well. */
static int fill_disk(const char *path)
{
    struct sotto_store *store = NULL;
    char name[SOTTO_KEY_NAME_MAX], text[SOTTO_KEY_TEXT_BYTES] = "";
    enum sotto_err err = sotto_store_open(path, &store, NULL);
    memset(name, 'n', sizeof(name));
    size_t made = 0, count = 0;
    while (err == SOTTO_OK && made < 100000) {
        const struct sotto_key key = {.created_s = 1, .name = sotto_span_init(name, sizeof(name))};
        err = sotto_store_key_create(store, &key, text);
        made += err == SOTTO_OK ? 1 : 0;
    }
    bool good = err == SOTTO_EIO && store != NULL && text[0] == '\0' &&
                strstr(sotto_store_why(store), "the disk is full: make room on it") != NULL &&
                sotto_store_key_count(store, &count) == SOTTO_OK && count == made;
    sotto_store_close(store);
    return good ? 0 : 1;
}

static int fill_file(const char *path)
{
    const struct rlimit limit = {100000, 100000};
    struct sotto_store *store = NULL;
    char text[SOTTO_KEY_TEXT_BYTES] = "";
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    enum sotto_err err = sotto_store_open(path, &store, NULL);
    for (int i = 0; err == SOTTO_OK && i < 100000; i++) {
        const struct sotto_key key = {.created_s = 1};
        err = sotto_store_key_create(store, &key, text);
    }
    return err == SOTTO_EIO && text[0] == '\0' && sotto_store_why(store)[0] != '\0' ? 0 : 1;
}

static void test_full_disk(void)
{
    struct folder f = folder_new();
    IS_INT(in_child(fill_file, f.path), 0, "a file that may not grow");
    folder_remove(&f);
    f = folder_new();
    if (mount("tmpfs", f.path, "tmpfs", 0, "size=256k,mode=0700") != 0) {
        SKIP(2, "no permission to mount a small disk");
    } else {
        IS_INT(in_child(fill_disk, f.path), 0, "a full disk is named, and nothing is lost");
        struct sotto_store *store = open_store(f.path);
        size_t count = 0;
        OK(sotto_store_key_count(store, &count) == SOTTO_OK && count > 10, "it opens again");
        sotto_store_close(store);
        umount(f.path);
    }
    folder_remove(&f);
}

static void test_every_allocation_failure(void)
{
    struct folder f = folder_new();
    struct sotto_store *first = open_store(f.path);
    const struct sotto_key key = {.created_s = 1};
    char text[SOTTO_KEY_TEXT_BYTES];
    sotto_ignore(sotto_store_key_create(first, &key, text));
    enum sotto_err err = SOTTO_ENOMEM;
    size_t n = 0;
    bool clean = true;
    while (err != SOTTO_OK && n < 2000) {
        struct sotto_store *store = NULL;
        struct sotto_key_table *table = NULL;
        struct sotto_limits *limits = new_limits();
        sotto_alloc_set_fault(++n);
        err = sotto_store_open(f.path, &store, NULL);
        clean = clean && (err == SOTTO_OK) == (store != NULL);
        if (err == SOTTO_OK) {
            err = sotto_store_key_table(store, limits, &no_defaults, &table);
            clean = clean && (err == SOTTO_OK) == (table != NULL);
        }
        if (err == SOTTO_OK) {
            err = sotto_store_key_rotate(store, sotto_span_init(text + 3, 12), 5, text);
        }
        sotto_alloc_set_fault(0);
        sotto_key_table_unref(table);
        sotto_limits_free(limits);
        sotto_store_close(store);
        if (text[0] == '\0') { /* wiped by the rotation that failed */
            sotto_ignore(sotto_store_key_create(first, &key, text));
        }
    }
    OK(err == SOTTO_OK && n > 20, "each of %zu allocations fails once", n - 1);
    OK(clean, "and nothing half comes out");
    sotto_store_close(first);
    folder_remove(&f);
}

int main(void)
{
    /* First: forked later, the children would have the same random bytes in stock. */
    test_processes();
    test_making();
    test_refusals();
    test_keys();
    test_rotation();
    test_grace();
    test_adoption();
    test_order();
    test_announcement();
    test_usage();
    test_usage_commit();
    test_read_only();
    test_full_disk();
    test_every_allocation_failure();
    return done_testing();
}
