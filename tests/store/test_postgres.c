/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "crypto/crypto.h"
#include "store/kind.h"
#include "store/postgres_url.h"
#include "store/server.h"
#include "tap/tap.h"

static const struct sotto_key_quota no_defaults;

/* --- a store --------------------------------------------------------------------------------- */

static struct sotto_store *open_store(void)
{
    struct sotto_store *store = NULL;
    char why[SOTTO_STORE_WHY_BYTES] = "";
    if (sotto_store_connect(NULL, sotto_span_str(url), &store, why) != SOTTO_OK) {
        printf("Bail out! %s\n", why);
        exit(1);
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

static enum sotto_err try_key(struct sotto_store *store, const char *text, int64_t now_s)
{
    struct sotto_limits *limits = new_limits();
    struct sotto_key_table *table = NULL;
    const struct sotto_key_row *row = NULL;
    enum sotto_err err = sotto_store_key_table(store, limits, &no_defaults, &table);
    if (err == SOTTO_OK) {
        err = sotto_key_table_verify(table, sotto_span_str(text), now_s, &row);
    }
    sotto_key_table_unref(table);
    sotto_limits_free(limits);
    return err;
}

static bool same_key(const struct sotto_key *a, const struct sotto_key *b)
{
    return sotto_span_eq(a->name, b->name) && sotto_span_eq(a->tenant, b->tenant) &&
           sotto_span_eq(a->scopes, b->scopes) && sotto_span_eq(a->mode, b->mode) &&
           sotto_span_eq(a->style, b->style) && a->anonymize == b->anonymize &&
           a->created_s == b->created_s && a->expires_s == b->expires_s &&
           memcmp(&a->quota, &b->quota, sizeof(a->quota)) == 0;
}

static enum sotto_err compare_one(void *ctx, const struct sotto_key *key)
{
    return same_key(ctx, key) ? SOTTO_OK : SOTTO_EINVAL;
}

static void test_keys(void)
{
    empty();
    struct sotto_store *store = open_store(), *other = open_store();
    const struct sotto_key key = {.name = SOTTO_LIT("M\xc3\xbcller's 'key'; --"),
                                  .tenant = SOTTO_LIT("acme"),
                                  .scopes = SOTTO_LIT("model:gpt-4,admin"),
                                  .mode = SOTTO_LIT("hipaa"),
                                  .style = SOTTO_LIT("angle"),
                                  .created_s = 100,
                                  .expires_s = 5000000000,
                                  .anonymize = true,
                                  .quota = {1, 2, 3, 4, 5000000000000}};
    char first[SOTTO_KEY_TEXT_BYTES], second[SOTTO_KEY_TEXT_BYTES], none[SOTTO_KEY_TEXT_BYTES];
    size_t count = 0;
    IS_INT(sotto_store_key_first(store, &key, first), SOTTO_OK, "the first key");
    IS_INT(sotto_store_key_first(other, &key, none), SOTTO_EEXISTS, "there is one first key");
    IS_INT(none[0], '\0', "and no text of another");
    IS_INT(sotto_store_key_each(other, compare_one, (void *)(uintptr_t)&key), SOTTO_OK,
           "another gateway reads all of it");
    sotto_span id = sotto_span_init(first + 3, 12);
    IS_INT(try_key(other, first, 500), SOTTO_OK, "and takes it");
    IS_INT(sotto_store_key_rotate(store, id, 1000, second), SOTTO_OK, "it gets a new secret");
    IS_INT(try_key(other, second, 2000), SOTTO_OK, "which works");
    IS_INT(try_key(other, first, 999), SOTTO_OK, "the old one does for its grace");
    IS_INT(try_key(other, first, 1001), SOTTO_EAUTH, "and no longer");
    IS_INT(sotto_store_key_revoke(store, id, 1500), SOTTO_OK, "the key is revoked");
    IS_INT(try_key(other, second, 1600), SOTTO_EAUTH, "and refused");
    IS_INT(sotto_store_key_revoke(other, id, 1600), SOTTO_OK, "again changes nothing");
    IS_INT(sotto_store_key_rotate(other, id, 9, none), SOTTO_ESTATE, "it cannot be rotated");
    IS_INT(sotto_store_key_rotate(other, SOTTO_LIT("zzzzzzzzzzzz"), 9, none), SOTTO_ENOTFOUND,
           "one that is not there neither");
    IS_INT(sotto_store_key_revoke(other, SOTTO_LIT("zzzzzzzzzzzz"), 9), SOTTO_ENOTFOUND,
           "nor revoked");
    IS_INT(sotto_store_key_count(other, &count), SOTTO_OK, "keys are counted");
    IS_INT(count, 1, "there is one");
    OK(sql("SELECT count(*) FROM sotto.keys WHERE strpos(keys::text, 'ql_') > 0") == 0,
       "no secret is stored");
    sotto_store_close(store);
    sotto_store_close(other);
}

static void test_adopting(void)
{
    empty();
    struct sotto_store *store = open_store();
    const struct sotto_key key = {.name = SOTTO_LIT("mine"), .anonymize = true};
    const char *mine = "ql_aB3dE6gH9jK2_0123456789abcdefghijABCDEFGHIJ01";
    const char *other = "ql_aB3dE6gH9jK2_0123456789abcdefghijABCDEFGHIJ02";
    IS_INT(sotto_store_key_adopt(store, &key, SOTTO_LIT("my-key")), SOTTO_EFORMAT, "no key");
    IS_INT(sotto_store_key_adopt(store, &key, sotto_span_str(mine)), SOTTO_OK, "a key of ours");
    IS_INT(sotto_store_key_adopt(store, &key, sotto_span_str(mine)), SOTTO_OK, "is there already");
    IS_INT(sotto_store_key_adopt(store, &key, sotto_span_str(other)), SOTTO_EEXISTS,
           "another secret under its id is refused");
    int64_t grace_s = 0;
    IS_INT(sotto_store_grace(store, &grace_s), SOTTO_OK, "the grace");
    IS_INT(grace_s, SOTTO_STORE_GRACE_S, "until a gateway says otherwise");
    IS_INT(sotto_store_grace_set(store, 7), SOTTO_OK, "it does");
    IS_INT(sotto_store_grace(store, &grace_s), SOTTO_OK, "then others read");
    IS_INT(grace_s, 7, "that one");
    sotto_store_close(store);
}

/* --- at once --------------------------------------------------------------------------------- */

static int race(void)
{
    struct sotto_store *store = NULL;
    char text[SOTTO_KEY_TEXT_BYTES];
    const struct sotto_key key = {.name = SOTTO_LIT("first")};
    if (sotto_store_connect(NULL, sotto_span_str(url), &store, NULL) != SOTTO_OK) {
        return 2;
    }
    enum sotto_err err = sotto_store_key_first(store, &key, text);
    sotto_store_close(store);
    return err == SOTTO_OK ? 0 : err == SOTTO_EEXISTS ? 1 : 3;
}

static void test_starting_at_once(void)
{
    enum {
        GATEWAYS = 6
    };
    pid_t children[GATEWAYS];
    int made = 0, found = 0;
    empty();
    fflush(stdout);
    for (int i = 0; i < GATEWAYS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(race());
        }
    }
    for (int i = 0; i < GATEWAYS; i++) {
        int status = -1;
        waitpid(children[i], &status, 0);
        made += status == 0 ? 1 : 0;
        found += WIFEXITED(status) && WEXITSTATUS(status) == 1 ? 1 : 0;
    }
    IS_INT(made, 1, "of gateways that start at once on an empty database, one makes the first key");
    IS_INT(found, GATEWAYS - 1, "and the others find it");
    IS_INT(sql("SELECT count(*) FROM sotto.fleet"), 1, "the schema was made once");
    sql("UPDATE sotto.fleet SET version = 99");
    struct sotto_store *store = NULL;
    char why[SOTTO_STORE_WHY_BYTES];
    IS_INT(sotto_store_connect(NULL, sotto_span_str(url), &store, why), SOTTO_ESTATE,
           "a schema of a later version is refused");
    OK(strstr(why, "newer version") != NULL, "it says so");
}

static bool await_generation(struct sotto_store *store, uint64_t more_than)
{
    for (int64_t end = sotto_clock_ms() + PATIENCE_MS; sotto_clock_ms() < end;) {
        if (sotto_store_generation(store) > more_than) {
            return true;
        }
        pause_ms(5);
    }
    return false;
}

static bool await_trust(struct sotto_store *store, bool wanted)
{
    for (int64_t end = sotto_clock_ms() + PATIENCE_MS; sotto_clock_ms() < end;) {
        if (sotto_store_trusted(store) == wanted) {
            return true;
        }
        pause_ms(5);
    }
    return false;
}

static void test_watching(void)
{
    empty();
    struct sotto_store *gateway = open_store(), *other = open_store();
    const struct sotto_key key = {.name = SOTTO_LIT("k")};
    char text[SOTTO_KEY_TEXT_BYTES];
    OK(sotto_store_trusted(gateway), "who does not watch trusts what he reads");
    IS_INT(sotto_store_watch(gateway, 3000), SOTTO_OK, "a gateway watches");
    OK(await_generation(gateway, 0), "it asks at once");
    uint64_t before = sotto_store_generation(gateway);
    IS_INT(sotto_store_key_create(other, &key, text), SOTTO_OK, "another one makes a key");
    OK(await_generation(gateway, before), "the first one notices");
    before = sotto_store_generation(gateway);
    sql("UPDATE sotto.keys SET revoked = 5");
    OK(await_generation(gateway, before), "as it does a change by hand");
    before = sotto_store_generation(gateway);
    IS_INT(sotto_store_key_revoke(gateway, sotto_span_init(text + 3, 12), 5), SOTTO_OK, "revoked");
    OK(sotto_store_generation(gateway) > before, "its own change it knows before the call returns");

    sql("SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
    before = sotto_store_generation(gateway);
    IS_INT(sotto_store_key_create(other, &key, text), SOTTO_OK, "connections that end come back");
    OK(await_generation(gateway, before), "and what was changed meanwhile is noticed");
    sotto_store_close(gateway);
    sotto_store_close(other);
}

/* Between two tries to connect a link refuses: then until it does not. */
static bool await_count(struct sotto_store *store)
{
    size_t count;
    for (int64_t end = sotto_clock_ms() + PATIENCE_MS; sotto_clock_ms() < end; pause_ms(20)) {
        if (sotto_store_key_count(store, &count) == SOTTO_OK) {
            return true;
        }
    }
    return false;
}

/* The server's children outlive it for a moment. */
static bool await_failure(struct sotto_store *store)
{
    size_t count;
    for (int64_t end = sotto_clock_ms() + PATIENCE_MS; sotto_clock_ms() < end; pause_ms(20)) {
        if (sotto_store_key_count(store, &count) == SOTTO_EIO) {
            return true;
        }
    }
    return false;
}

static void test_silence(void)
{
    empty();
    struct sotto_store *gateway = open_store();
    const struct sotto_key key = {.name = SOTTO_LIT("k")};
    char text[SOTTO_KEY_TEXT_BYTES];
    size_t count = 0;
    IS_INT(sotto_store_watch(gateway, 3000), SOTTO_OK, "a gateway watches");
    OK(await_generation(gateway, 0), "and has asked");
    IS_INT(sotto_store_key_create(gateway, &key, text), SOTTO_OK, "a key");

    pid_t backend = (pid_t)sql("SELECT pid FROM pg_stat_activity WHERE query LIKE 'INSERT INTO "
                               "sotto.keys%' AND pid <> pg_backend_pid()");
    kill(backend, SIGSTOP);
    IS_INT(sotto_store_key_create(gateway, &key, text), SOTTO_EIO, "a server that hangs");
    OK(strstr(sotto_store_why(gateway), "does not answer") != NULL, "it says so");
    IS_INT(text[0], '\0', "no key is shown that may not be there");
    kill(backend, SIGCONT);
    OK(await_count(gateway), "the next connection serves");

    end_server(SIGKILL);
    OK(await_failure(gateway), "a server that was killed");
    OK(strstr(sotto_store_why(gateway), "PostgreSQL ") != NULL, "it says so");
    OK(strstr(sotto_store_why(gateway), "secret") == NULL, "without the password");
    OK(await_trust(gateway, false), "after a while its keys are trusted no longer");
    uint64_t before = sotto_store_generation(gateway);
    start_server();
    OK(await_trust(gateway, true), "when it is back they are");
    OK(await_count(gateway), "and it is asked again");
    IS_INT(sotto_store_key_count(gateway, &count), SOTTO_OK, "with the keys");
    OK(count >= 1, "that were there");
    OK(sotto_store_generation(gateway) >= before, "the number never falls");
    sotto_store_close(gateway);
}

/* --- use ------------------------------------------------------------------------------------- */

/* A moment in November 2026. */
#define NOW 1795359600000LL

static void use(struct sotto_limits *limits, const char *id, int times)
{
    static const struct sotto_key_quota unlimited;
    static const struct sotto_use one = {1, 10, 4, 3, 2500000001};
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

/* Requests of a key; -1 where the figures of a request did not stay together. */
static int64_t used(struct sotto_limits *limits, const char *id)
{
    struct sotto_usage *usage = NULL;
    if (sotto_limits_usage(limits, sotto_span_str(id), &usage) != SOTTO_OK) {
        abort();
    }
    const struct sotto_use sum = sotto_usage_get(usage, sotto_limit_month(NOW));
    bool whole =
        sum.prompt_tokens == sum.requests * 10 && sum.completion_tokens == sum.requests * 4 &&
        sum.estimated_tokens == sum.requests * 3 && sum.cost_nano == sum.requests * 2500000001;
    return whole ? sum.requests : -1;
}

static void test_usage(void)
{
    empty();
    struct sotto_store *store = open_store(), *other = open_store();
    struct sotto_limits *mine = new_limits(), *theirs = new_limits();
    const int32_t month = sotto_limit_month(NOW);
    use(mine, "aaaaaaaaaaaa", 5);
    use(mine, "bbbbbbbbbbbb", 2);
    use(theirs, "aaaaaaaaaaaa", 3);
    IS_INT(sotto_store_usage_save(store, mine), SOTTO_OK, "a gateway writes what was used");
    IS_INT(sotto_store_usage_save(other, theirs), SOTTO_OK, "another one, too");
    use(mine, "aaaaaaaaaaaa", 1);
    IS_INT(sotto_store_usage_load(store, month, mine), SOTTO_OK, "the first one reads the sums");
    IS_INT(used(mine, "aaaaaaaaaaaa"), 9, "with its own that is not written yet");
    IS_INT(used(mine, "bbbbbbbbbbbb"), 2, "of each key");
    IS_INT(sotto_store_usage_save(store, mine), SOTTO_OK, "which it writes");
    IS_INT(sotto_store_usage_save(store, mine), SOTTO_OK, "once");
    IS_INT(sotto_store_usage_load(other, month, theirs), SOTTO_OK, "the other one reads");
    IS_INT(used(theirs, "aaaaaaaaaaaa"), 9, "the same");
    sotto_limits_free(mine);
    sotto_limits_free(theirs);
    sotto_store_close(store);
    sotto_store_close(other);
}

/* The server commits and dies before it can say so, or dies before it commits: nobody can tell. */
static void test_use_in_doubt(void)
{
    empty();
    struct sotto_store *store = open_store();
    struct sotto_limits *limits = new_limits();
    const int32_t month = sotto_limit_month(NOW);
    size_t saved = 0;
    use(limits, "aaaaaaaaaaaa", 4);
    sql("CREATE FUNCTION sotto.slow() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(7); RETURN NULL; END';"
        " CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON sotto.usage DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION sotto.slow();");
    enum sotto_err err = sotto_store_usage_save(store, limits);
    IS_INT(err, SOTTO_EIO, "a commit that takes too long");
    use(limits, "aaaaaaaaaaaa", 1);
    sql("ALTER TABLE sotto.usage DISABLE TRIGGER slow");
    for (int64_t end = sotto_clock_ms() + PATIENCE_MS; sotto_clock_ms() < end && saved == 0;) {
        saved = sotto_store_usage_save(store, limits) == SOTTO_OK ? 1 : 0;
        pause_ms(20);
    }
    OK(saved == 1, "is tried again until it is known");
    IS_INT(sql("SELECT requests FROM sotto.usage"), 5, "and counts once");

    /* The same batch again, as after a commit whose answer was lost. */
    struct store_use_row row = {.month = month, .used = {1, 10, 4, 3, 2500000001}};
    memcpy(row.id, "aaaaaaaaaaaa", sizeof(row.id));
    const struct store_batch batch = {.id = {7}, .rows = &row, .count = 1};
    for (int i = 0; i < 3; i++) {
        IS_INT(store->kind->usage_add(store, &batch), SOTTO_OK, "a batch is written, time %d", i);
    }
    IS_INT(sql("SELECT requests FROM sotto.usage"), 6, "and counts once");
    sotto_limits_free(limits);
    sotto_store_close(store);
}

/* Killed at any moment while two gateways write: every request is booked once. */
static void test_killed_while_booking(void)
{
    enum {
        ROUNDS = 40
    };
    empty();
    struct sotto_store *store = open_store();
    struct sotto_limits *limits = new_limits();
    int more = 0;
    for (int i = 0; i < ROUNDS; i++) {
        use(limits, i % 2 == 0 ? "aaaaaaaaaaaa" : "bbbbbbbbbbbb", 1);
        sotto_ignore(sotto_store_usage_save(store, limits)); /* what fails comes again */
        if (i % 10 == 4) {
            sql("SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
        }
        if (i == ROUNDS / 2) {
            end_server(SIGKILL);
            bool waits = false; /* a session may outlive its server for a moment */
            for (int64_t end = sotto_clock_ms() + PATIENCE_MS; !waits && sotto_clock_ms() < end;) {
                use(limits, "aaaaaaaaaaaa", 1);
                more++;
                waits = sotto_store_usage_save(store, limits) != SOTTO_OK;
            }
            OK(waits, "without a server it waits");
            start_server();
        }
    }
    bool saved = false;
    for (int64_t end = sotto_clock_ms() + PATIENCE_MS; !saved && sotto_clock_ms() < end;) {
        saved = sotto_store_usage_save(store, limits) == SOTTO_OK;
        pause_ms(20);
    }
    OK(saved, "in the end all is written");
    IS_INT(sql("SELECT sum(requests) FROM sotto.usage"), ROUNDS + more, "each request once");
    sotto_limits_free(limits);
    sotto_store_close(store);
}

/* --- trouble --------------------------------------------------------------------------------- */

static void refused(const char *of, enum sotto_err want, const char *sentence)
{
    struct sotto_store *store = NULL;
    char why[SOTTO_STORE_WHY_BYTES] = "";
    IS_INT(sotto_store_connect(NULL, sotto_span_str(of), &store, why), want, "refused: %s",
           sentence);
    OK(strstr(why, sentence) != NULL, "it says so: %s", why);
    OK(strstr(why, "hush") == NULL, "but not the password");
}

static void test_refusals(void)
{
    char wrong[512];
    snprintf(wrong, sizeof(wrong), "postgresql://sotto:hush@127.0.0.1:%d/postgres", port);
    refused(wrong, SOTTO_EDENIED, "password authentication failed for user");
    snprintf(wrong, sizeof(wrong), "postgresql://sotto:hush@127.0.0.1:%d/none", port + 1);
    refused(wrong, SOTTO_EIO, "cannot be connected");
    refused("postgresql://sotto:hush@[::1/x", SOTTO_EINVAL, "is not postgresql://");
    refused("postgresql://sotto:hush@h/x?nonsense=1", SOTTO_EINVAL, "is not postgresql://");
    refused("mysql://sotto:hush@h/x", SOTTO_EINVAL, "is not postgresql://");
}

/* Who put the keys into PostgreSQL does not meet old ones in the folder. */
static void test_marked_folder(void)
{
    struct folder f = folder_new();
    struct sotto_store *store = NULL;
    char why[SOTTO_STORE_WHY_BYTES] = "";
    empty();
    IS_INT(sotto_store_connect(f.path, sotto_span_str(url), &store, why), SOTTO_OK,
           "a gateway with PostgreSQL: %s", why);
    sotto_store_close(store);
    IS_INT(sotto_store_open(f.path, &store, why), SOTTO_ESTATE, "its folder has no keys");
    OK(strstr(why, "the keys are in PostgreSQL") != NULL, "it says so");
    folder_remove(&f);
}

static void test_urls(void)
{
    static const struct {
        const char *url, *name;
        bool remote;
        uint16_t port, next;
    } cases[] = {
        {"postgresql://u:p@db.example:6000/keys", "db.example:6000/keys", true, 6000, 0},
        {"postgresql://u:p@db.example/keys", "db.example/keys", true, 5432, 0},
        {"postgres://a:1,b:2/keys", "a,b:1,2/keys", true, 1, 2},
        {"postgresql://localhost/keys", "localhost/keys", false, 5432, 0},
        {"postgresql://localhost,db/keys", "localhost,db/keys", true, 5432, 5432},
        {"postgresql:///keys?host=/run/postgresql", "/run/postgresql/keys", false, 5432, 0},
        {"postgresql://127.0.0.1/keys?hostaddr=10.0.0.1", "127.0.0.1/keys", true, 5432, 0},
        {"postgresql://[::1]/keys", "::1/keys", false, 5432, 0},
    };
    struct postgres_url out;
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        IS_INT(postgres_url_read(sotto_span_str(cases[i].url), &out), SOTTO_OK, "%s", cases[i].url);
        IS_TEXT(out.name, strlen(out.name), cases[i].name, "its name");
        OK(out.remote == cases[i].remote, "where it is");
        IS_INT(out.ports[0], cases[i].port, "its port");
        IS_INT(out.ports[1], cases[i].next, "the next");
    }
    IS_INT(postgres_url_read(SOTTO_LIT("postgresql://h/k?sslrootcert=/a&sslkey=/b"), &out),
           SOTTO_OK, "one with files");
    OK(strcmp(out.files[0], "/a") == 0 && strcmp(out.files[2], "/b") == 0, "names them");
    IS_INT(postgres_url_read(SOTTO_LIT("postgresql://h:65536/k"), &out), SOTTO_EINVAL, "no port");
    static const char nul[] = "postgresql://a\0b";
    IS_INT(postgres_url_read(sotto_span_init(nul, sizeof(nul) - 1), &out), SOTTO_EINVAL,
           "a NUL is refused");
}

static void test_allocation_faults(void)
{
    sotto_span trusted = sotto_span_str(trusted_url());
    empty();
    struct sotto_store *first = open_store();
    const struct sotto_key key = {.name = SOTTO_LIT("k")};
    char text[SOTTO_KEY_TEXT_BYTES];
    enum sotto_err err = SOTTO_ENOMEM;
    bool clean = true;
    size_t n = 1;
    sotto_ignore(sotto_store_key_create(first, &key, text));
    for (; err != SOTTO_OK && n < 500; n++) {
        struct sotto_limits *limits = new_limits();
        struct sotto_store *store = NULL;
        struct sotto_key_table *table = NULL;
        use(limits, "aaaaaaaaaaaa", 1);
        sotto_alloc_set_fault(n);
        err = sotto_store_connect(NULL, trusted, &store, NULL);
        clean = clean && (err == SOTTO_OK) == (store != NULL);
        if (err == SOTTO_OK) {
            err = sotto_store_key_table(store, limits, &no_defaults, &table);
            clean = clean && (err == SOTTO_OK) == (table != NULL);
        }
        if (err == SOTTO_OK) {
            err = sotto_store_usage_save(store, limits);
        }
        sotto_alloc_set_fault(0);
        sotto_key_table_unref(table);
        sotto_store_close(store);
        sotto_limits_free(limits);
    }
    OK(err == SOTTO_OK && n > 10, "each of %zu allocations fails once", n - 2);
    OK(clean, "and nothing half comes out");
    sotto_store_close(first);
}

int main(void)
{
    /* The test talks to the server through libpq before the store does. */
    IS_INT(sotto_crypto_init(), SOTTO_OK, "our cryptography is ready before libpq's");
    make_server();
    /* First: forked later, the children would have the same random bytes in stock. */
    test_starting_at_once();
    test_urls();
    test_keys();
    test_adopting();
    test_watching();
    test_usage();
    test_use_in_doubt();
    test_refusals();
    test_marked_folder();
    test_allocation_faults();
    test_killed_while_booking();
    test_silence();
    remove_server();
    return done_testing();
}
