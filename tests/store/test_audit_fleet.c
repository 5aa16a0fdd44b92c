/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <pthread.h>

#include "audit/subject.h"
#include "base/alloc.h"
#include "crypto/crypto.h"
#include "store/audit_log.h"
#include "store/secrets.h"
#include "store/server.h"
#include "sys/files.h"

#define ORIGIN  SOTTO_LIT("fleet.example/log")
#define BATCH   SOTTO_AUDIT_BATCH_MAX
#define FOLDERS 3

static uint8_t master[SOTTO_MASTER_BYTES] = "the secret of a fleet, of 32 by";
static char folders[FOLDERS][280];
static struct folder place;
static char why[SOTTO_STORE_WHY_BYTES];
static struct sotto_audit_found_state found;
static struct sotto_audit_fleet fleet;
static struct sotto_note_key witness;
static const uint8_t witness_seed[SOTTO_ED25519_SEED_BYTES] = {9};

/* --- a fleet ----------------------------------------------------------------------------------- */

/* The schema, as opening the keys makes it. */
static void make_schema(void)
{
    struct sotto_store *store = NULL;
    if (sotto_store_connect(NULL, sotto_span_str(url), &store, why) != SOTTO_OK) {
        printf("Bail out! %s\n", why);
        exit(1);
    }
    sotto_store_close(store);
}

static void remove_folders(void)
{
    for (size_t i = 0; i < FOLDERS; i++) {
        char command[1000];
        snprintf(command, sizeof(command), "rm -rf '%s'", folders[i]);
        if (system(command) != 0) { /* NOLINT(cert-env33-c,concurrency-mt-unsafe): of this tree */
            abort();
        }
    }
}

/* An empty database and empty folders. */
static void begin(void)
{
    empty();
    make_schema();
    remove_folders();
}

static enum sotto_err try_open(size_t n, struct sotto_audit_log **log)
{
    const struct sotto_audit_options options = {.folder = folders[n],
                                                .origin = ORIGIN,
                                                .witnesses = &witness,
                                                .witness_count = 1,
                                                .strict = true,
                                                .fleet = &fleet};
    *log = NULL;
    why[0] = '\0';
    return sotto_audit_open(&options, log, &found, why);
}

static struct sotto_audit_log *open_log(size_t n)
{
    struct sotto_audit_log *log = NULL;
    if (try_open(n, &log) != SOTTO_OK) {
        printf("Bail out! folder %zu: %s\n", n, why);
        exit(1);
    }
    return log;
}

/* Ids that tell their number. */
static void id_of(size_t n, char id[SOTTO_AUDIT_ID_SYMBOLS + 1])
{
    snprintf(id, SOTTO_AUDIT_ID_SYMBOLS + 1, "id%020zu", n);
}

struct batch {
    char ids[BATCH][SOTTO_AUDIT_ID_SYMBOLS + 1];
    char text[BATCH][SOTTO_AUDIT_RECORD_MAX];
    struct sotto_audit_item items[BATCH];
};

/* `len`: of each record, at least. */
static enum sotto_err append_long(struct sotto_audit_log *log, size_t from, size_t count,
                                  const char *subject, int len)
{
    struct batch *b = sotto_calloc(1, sizeof(*b));
    for (size_t i = 0; i < count; i++) {
        id_of(from + i, b->ids[i]);
        snprintf(b->text[i], sizeof(b->text[i]), "{\"v\":1,\"n\":%*zu}", len, from + i);
        b->items[i] = (struct sotto_audit_item){b->ids[i], sotto_span_str(subject),
                                                sotto_span_str(b->text[i])};
    }
    enum sotto_err err = sotto_audit_append(log, b->items, count);
    sotto_free(b);
    return err;
}

static enum sotto_err append(struct sotto_audit_log *log, size_t from, size_t count,
                             const char *subject)
{
    return append_long(log, from, count, subject, 1);
}

static enum sotto_err find(struct sotto_audit_log *log, size_t n, struct sotto_audit_entry *e)
{
    char id[SOTTO_AUDIT_ID_SYMBOLS + 1];
    id_of(n, id);
    return sotto_audit_find(log, sotto_span_init(id, SOTTO_AUDIT_ID_SYMBOLS), e);
}

static bool has(struct sotto_audit_log *log, size_t n)
{
    char text[64];
    struct sotto_audit_entry e;
    snprintf(text, sizeof(text), "{\"v\":1,\"n\":%zu}", n);
    if (find(log, n, &e) != SOTTO_OK) {
        return false;
    }
    bool same = !e.erased && sotto_span_eq(sotto_buf_span(&e.record), sotto_span_str(text));
    sotto_audit_entry_free(&e);
    return same;
}

static bool is_erased(struct sotto_audit_log *log, size_t n)
{
    struct sotto_audit_entry e;
    if (find(log, n, &e) != SOTTO_OK) {
        return false;
    }
    bool erased = e.erased && e.record.len == 0 && e.proof.len != 0;
    sotto_audit_entry_free(&e);
    return erased;
}

/* Brings all there is under a checkpoint. */
static enum sotto_err follow(struct sotto_audit_log *log)
{
    bool more = true;
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && more) {
        err = sotto_audit_catch_up(log, &more);
        if (err == SOTTO_OK) {
            err = sotto_audit_publish(log, NULL);
        }
    }
    return err;
}

static enum sotto_err check(size_t n, struct sotto_audit_report *report, uint64_t *erased)
{
    char log[320];
    struct sotto_note_key key;
    snprintf(log, sizeof(log), "%s/log", folders[n]);
    enum sotto_err err = sotto_audit_key_read(folders[n], &key, why);
    if (err == SOTTO_OK) {
        const struct sotto_audit_check_options options = {.log = log, .key = &key};
        err = sotto_audit_check(&options, report);
    }
    return err == SOTTO_OK
               ? sotto_audit_check_records(folders[n], &fleet, report->size, erased, why)
               : err;
}

/* Whether the first `count` folders are whole and have one log of `size` entries. */
static bool are_same(size_t count, uint64_t size)
{
    struct sotto_audit_report first, other;
    uint64_t erased = 0;
    bool same = check(0, &first, &erased) == SOTTO_OK && first.size == size;
    for (size_t i = 1; i < count && same; i++) {
        same = check(i, &other, &erased) == SOTTO_OK && other.size == size &&
               memcmp(&other.root, &first.root, sizeof(first.root)) == 0;
    }
    return same;
}

/* --- the log ----------------------------------------------------------------------------------- */

static void test_turns(void)
{
    begin();
    struct sotto_audit_log *one = open_log(0), *two = open_log(1);
    OK(memcmp(sotto_audit_key(one), sotto_audit_key(two), sizeof(struct sotto_note_key)) == 0,
       "gateways that begin a log sign with one key");
    bool appended = true;
    for (size_t i = 0; i < 20; i++) {
        appended = appended && append(i % 2 == 0 ? one : two, 3 * i, 3,
                                      i % 3 == 0 ? "keykeykeykey" : "otherotherot") == SOTTO_OK;
    }
    OK(appended, "both commit by turns");
    IS_INT(follow(one), SOTTO_OK, "one takes over what there is");
    IS_INT(follow(two), SOTTO_OK, "so does the other");
    OK(are_same(2, 60), "both have the same log: %s", why);
    bool all = true;
    for (size_t i = 0; i < 60; i++) {
        all = all && has(one, i) && has(two, i);
    }
    OK(all, "and every record of it");
    IS_INT(sql("SELECT count(*) FROM sotto.audit_subject"), 2, "a subject has one key for all");
    sotto_audit_close(one);
    IS_INT(append(two, 60, 1, "keykeykeykey"), SOTTO_OK, "when one has ended, the other goes on");
    IS_INT(follow(two), SOTTO_OK, "and publishes");
    one = open_log(0);
    IS_INT(found.recovered, 1, "which the first finds when it is opened again");
    OK(are_same(2, 61), "the same log: %s", why);
    struct sotto_audit_log *three = open_log(2);
    IS_INT(found.recovered, 61, "a folder that comes later takes over everything");
    OK(are_same(3, 61), "the same log in three folders: %s", why);
    sotto_audit_close(one);
    sotto_audit_close(two);
    sotto_audit_close(three);
}

struct racer {
    struct sotto_audit_log *log;
    size_t from;
    bool ok;
};

static void *race(void *arg)
{
    struct racer *r = arg;
    char subject[SOTTO_AUDIT_SUBJECT_MAX];
    r->ok = true;
    for (size_t i = 0; i < 60; i++) {
        snprintf(subject, sizeof(subject), "keykeykeykey/%zu", i / 4);
        r->ok = append(r->log, r->from + 2 * i, 2, subject) == SOTTO_OK && r->ok;
        if (i % 10 == 0) {
            r->ok = sotto_audit_publish(r->log, NULL) == SOTTO_OK && r->ok;
        }
    }
    return NULL;
}

static void test_races(void)
{
    begin();
    struct racer racers[FOLDERS];
    pthread_t threads[FOLDERS];
    for (size_t i = 0; i < FOLDERS; i++) {
        racers[i] = (struct racer){open_log(i), i * 1000, false};
    }
    for (size_t i = 0; i < FOLDERS; i++) {
        if (pthread_create(&threads[i], NULL, race, &racers[i]) != 0) {
            abort();
        }
    }
    bool ok = true;
    for (size_t i = 0; i < FOLDERS; i++) {
        pthread_join(threads[i], NULL);
        ok = ok && racers[i].ok;
    }
    OK(ok, "gateways that commit at the same time all do");
    bool followed = true, all = true;
    for (size_t i = 0; i < FOLDERS; i++) {
        followed = followed && follow(racers[i].log) == SOTTO_OK;
        for (size_t n = 0; n < 120; n++) {
            all = all && has(racers[i].log, ((i + 1) % FOLDERS) * 1000 + n);
        }
    }
    OK(followed && are_same(FOLDERS, 360), "into one log: %s", why);
    OK(all, "each has the records of another");
    IS_INT(sql("SELECT count(*) FROM sotto.audit_subject"), 15, "no subject was made twice");
    for (size_t i = 0; i < FOLDERS; i++) {
        sotto_audit_close(racers[i].log);
    }
}

static void test_erasing(void)
{
    begin();
    struct sotto_audit_log *one = open_log(0), *two = open_log(1);
    uint64_t slot = 0, erased = 0;
    struct sotto_audit_report report;
    bool appended = append(one, 0, 2, "keykeykeykey") == SOTTO_OK &&
                    append(two, 2, 2, "keykeykeykey") == SOTTO_OK &&
                    append(two, 4, 1, "otherotherot") == SOTTO_OK;
    OK(appended && follow(one) == SOTTO_OK && follow(two) == SOTTO_OK, "entries of two subjects");
    OK(has(two, 0) && has(one, 2), "each opens the records of the other");
    IS_INT(sotto_audit_erase(one, SOTTO_LIT("nobodynobody"), &slot), SOTTO_ENOTFOUND,
           "a subject that is none");
    IS_INT(sotto_audit_erase(one, SOTTO_LIT("keykeykeykey"), &slot), SOTTO_OK, "one erases");
    OK(is_erased(two, 0) && is_erased(two, 2) && is_erased(one, 3),
       "records of all gateways are gone for all, before another checkpoint");
    OK(has(one, 4) && has(two, 4), "those of another subject are not");
    IS_INT(append(two, 5, 1, "keykeykeykey"), SOTTO_OK, "the same name comes again");
    OK(follow(one) == SOTTO_OK && follow(two) == SOTTO_OK && has(one, 5), "as another subject");
    OK(is_erased(one, 0), "and the old records stay gone");
    IS_INT(check(1, &report, &erased), SOTTO_OK, "the folder is whole: %s", why);
    IS_INT(erased, 4, "with four records less");
    IS_INT(sotto_audit_erase(two, SOTTO_LIT("keykeykeykey"), &slot), SOTTO_OK, "it is erased, too");
    IS_INT(append(one, 6, 1, "keykeykeykey"), SOTTO_OK,
           "the other's next entry is not under keys that are destroyed");
    OK(follow(one) == SOTTO_OK && has(one, 6) && is_erased(one, 5), "but under new ones");
    sotto_audit_close(one);
    sotto_audit_close(two);
}

static void test_readers(void)
{
    begin();
    struct sotto_audit_log *one = open_log(0);
    struct sotto_audit_entry e;
    char id[SOTTO_AUDIT_ID_SYMBOLS + 1];
    uint64_t erased = 0;
    id_of(1, id);
    OK(append(one, 0, 3, "keykeykeykey") == SOTTO_OK && follow(one) == SOTTO_OK, "three entries");
    IS_INT(sotto_audit_look(folders[0], NULL, sotto_span_str(id), &e, why), SOTTO_ESTATE,
           "a reader without the database: %s", why);
    IS_INT(sotto_audit_check_records(folders[0], NULL, 3, &erased, why), SOTTO_ESTATE,
           "nor can it check records");
    IS_INT(sotto_audit_look(folders[0], &fleet, sotto_span_str(id), &e, why), SOTTO_OK,
           "with it the record is there");
    IS_TEXT(e.record.base, e.record.len, "{\"v\":1,\"n\":1}", "as it was committed");
    sotto_audit_entry_free(&e);
    sql("UPDATE sotto.audit_subject SET slot = set_byte(slot, 100, get_byte(slot, 100) # 1)");
    IS_INT(sotto_audit_look(folders[0], &fleet, sotto_span_str(id), &e, why), SOTTO_EAUTH,
           "a slot that was changed");
    OK(strstr(why, "row 0 of sotto.audit_subject") != NULL, "is named: %s", why);
    sotto_audit_close(one);
}

/* More than one read of frames spans, and more than may wait for the tree. */
static void test_far_behind(void)
{
    begin();
    struct sotto_audit_log *one = open_log(0), *two = open_log(1);
    bool appended = true, more = false;
    size_t n = 0;
    for (; n < (size_t)18 * BATCH; n += BATCH) {
        appended = append_long(one, n, BATCH, "keykeykeykey", 4060) == SOTTO_OK && appended;
    }
    OK(appended && follow(one) == SOTTO_OK, "one commits %zu entries", n);
    IS_INT(append(two, n, 1, "keykeykeykey"), SOTTO_ELIMIT,
           "who is that far behind publishes first");
    IS_INT(sotto_audit_catch_up(two, &more), SOTTO_OK, "what was taken over stays");
    OK(more, "and there is more");
    IS_INT(follow(two), SOTTO_OK, "until it is there");
    IS_INT(append(two, n, 1, "keykeykeykey"), SOTTO_OK, "and goes on");
    struct sotto_audit_log *three = open_log(2);
    IS_INT(found.entries, n + 1, "a new folder takes over as much");
    OK(follow(one) == SOTTO_OK && follow(two) == SOTTO_OK && are_same(FOLDERS, n + 1),
       "the same log: %s", why);
    sotto_audit_close(one);
    sotto_audit_close(two);
    sotto_audit_close(three);
}

static void test_witnesses(void)
{
    begin();
    struct sotto_audit_log *one = open_log(0), *two = open_log(1);
    char path[400];
    struct sotto_buf note, line;
    struct sotto_note parsed;
    sotto_buf_init(&note, SOTTO_NOTE_MAX_BYTES);
    sotto_buf_init(&line, SOTTO_NOTE_MAX_BYTES);
    OK(append(one, 0, 3, "keykeykeykey") == SOTTO_OK && follow(one) == SOTTO_OK, "three entries");
    snprintf(path, sizeof(path), "%s/log/checkpoint", folders[0]);
    OK(sotto_file_read(path, SOTTO_NOTE_MAX_BYTES, &note) == SOTTO_OK &&
           sotto_note_parse(sotto_buf_span(&note), &parsed) == SOTTO_OK &&
           sotto_note_cosign(&witness, witness_seed, 1700000000, parsed.text, &line) == SOTTO_OK &&
           sotto_buf_append(&note, sotto_buf_span(&line)) == SOTTO_OK,
       "a witness cosigns the checkpoint of one gateway");
    IS_INT(sotto_audit_cosign(two, sotto_buf_span(&note)), SOTTO_OK,
           "another takes it, which had not come that far");
    sotto_buf_truncate(&note, 0);
    snprintf(path, sizeof(path), "%s/log/checkpoint", folders[1]);
    OK(sotto_file_read(path, SOTTO_NOTE_MAX_BYTES, &note) == SOTTO_OK &&
           memmem(note.base, note.len, line.base, line.len) != NULL,
       "and shows it with its own");
    sotto_buf_free(&note);
    sotto_buf_free(&line);
    sotto_audit_close(one);
    sotto_audit_close(two);
}

/* --- trouble ----------------------------------------------------------------------------------- */

static void test_server_dies(void)
{
    begin();
    struct sotto_audit_log *one = open_log(0), *two = open_log(1);
    IS_INT(append(one, 0, 1, "keykeykeykey"), SOTTO_OK, "an entry");
    end_server(SIGKILL);
    bool more = false;
    struct sotto_audit_entry e;
    IS_INT(append(one, 1, 1, "keykeykeykey"), SOTTO_EIO, "without the server none is committed");
    IS_INT(sotto_audit_catch_up(two, &more), SOTTO_EIO, "nor taken over");
    IS_INT(find(two, 0, &e), SOTTO_EIO, "nor told");
    start_server();
    enum sotto_err err = SOTTO_EIO;
    for (int64_t end = sotto_clock_ms() + PATIENCE_MS;
         err == SOTTO_EIO && sotto_clock_ms() < end;) {
        err = append(one, 2, 1, "otherotherot");
        pause_ms(20);
    }
    IS_INT(err, SOTTO_OK, "when it is back, one goes on by itself");
    OK(follow(one) == SOTTO_OK && has(one, 0) && has(one, 2) && !has(one, 1),
       "with what was committed");
    err = SOTTO_EIO;
    for (int64_t end = sotto_clock_ms() + PATIENCE_MS;
         err == SOTTO_EIO && sotto_clock_ms() < end;) {
        err = follow(two);
        pause_ms(20);
    }
    OK(err == SOTTO_OK && are_same(2, 2), "and so does the other: %s", why);
    sotto_audit_close(one);
    sotto_audit_close(two);
}

/* Nobody knows whether it was committed; the next turn does. */
static void test_commit_in_doubt(void)
{
    begin();
    struct sotto_audit_log *one = open_log(0), *two = open_log(1);
    IS_INT(append(one, 0, 1, "keykeykeykey"), SOTTO_OK, "an entry");
    /* The session ends when the transaction is committed, before that is told. */
    sql("CREATE FUNCTION public.die() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON sotto.audit_frame DEFERRABLE INITIALLY"
        " DEFERRED FOR EACH ROW EXECUTE FUNCTION public.die()");
    IS_INT(append(one, 1, 1, "newnewnewnew"), SOTTO_EIO, "a connection that ends in a commit");
    sql("DROP FUNCTION public.die() CASCADE");
    IS_INT(append(two, 2, 1, "otherotherot"), SOTTO_OK, "another gateway goes on");
    IS_INT(append(one, 3, 1, "newnewnewnew"), SOTTO_OK, "and so does the first");
    OK(follow(one) == SOTTO_OK && follow(two) == SOTTO_OK, "both publish");
    OK(has(one, 2) && has(two, 3), "what was committed is in both");
    struct sotto_audit_report report;
    uint64_t erased = 0;
    OK(check(0, &report, &erased) == SOTTO_OK && are_same(2, report.size), "the same log: %s", why);
    sotto_audit_close(one);
    sotto_audit_close(two);
}

static void contradicted(const char *what, const char *change, const char *back, const char *says)
{
    struct sotto_audit_log *log = NULL;
    sql(change);
    IS_INT(try_open(0, &log), SOTTO_EAUTH, "%s: not opened", what);
    OK(strstr(why, says) != NULL, "it says what: %s", why);
    sotto_audit_close(log);
    sql(back);
}

static void test_tampering(void)
{
    begin();
    struct sotto_audit_log *one = open_log(0), *two = NULL;
    for (size_t i = 0; i < 5; i++) {
        IS_INT(append(one, 2 * i, 2, "keykeykeykey"), SOTTO_OK, "two entries");
    }
    sotto_audit_close(one);
    sql("DROP TABLE IF EXISTS kept; DROP TABLE IF EXISTS head;"
        "CREATE TABLE kept AS SELECT * FROM sotto.audit_frame;"
        "CREATE TABLE head AS SELECT * FROM sotto.audit");
#define BACK                                                                                       \
    "DELETE FROM sotto.audit_frame; INSERT INTO sotto.audit_frame SELECT * FROM kept;"             \
    "DELETE FROM sotto.audit; INSERT INTO sotto.audit SELECT * FROM head"
    contradicted("an entry",
                 "UPDATE sotto.audit_frame SET frame = set_byte(frame, 60, get_byte(frame, 60) # 1)"
                 " WHERE first = 4",
                 BACK, "entry 4 in sotto.audit_frame");
    contradicted("a code", "UPDATE sotto.audit_frame SET code = sha256('') WHERE first = 4", BACK,
                 "entries 4 to 5 in sotto.audit_frame is not the one that was committed");
    contradicted("a frame that is no frame",
                 "UPDATE sotto.audit_frame SET frame = '' WHERE first = 4", BACK, "entries 4 to 5");
    contradicted("a frame that is gone", "DELETE FROM sotto.audit_frame WHERE first = 4", BACK,
                 "entries 4 to 5 are missing");
    contradicted("the last frame is gone", "DELETE FROM sotto.audit_frame WHERE first = 8", BACK,
                 "entry 8 is missing");
    contradicted("two frames that changed places",
                 "UPDATE sotto.audit_frame a SET frame = b.frame, code = b.code FROM kept b"
                 " WHERE a.first IN (2, 4) AND b.first = 6 - a.first",
                 BACK, "entries 2 to 3");
    contradicted("a head that is behind",
                 "DELETE FROM sotto.audit_frame WHERE first = 8; UPDATE sotto.audit SET next = 8,"
                 " code = (SELECT code FROM kept WHERE first = 6)",
                 BACK, "entries 8 to 9 are missing in the database");
    contradicted("a head with another code", "UPDATE sotto.audit SET code = sha256('')", BACK,
                 "are not those that");
    contradicted("no head", "DELETE FROM sotto.audit", BACK, "the database has no audit log");
    one = open_log(0);
    two = open_log(1);
    sql("UPDATE sotto.audit SET next = 8, code = (SELECT code FROM kept WHERE first = 6);"
        "DELETE FROM sotto.audit_frame WHERE first = 8");
    bool more = false;
    IS_INT(sotto_audit_catch_up(one, &more), SOTTO_EAUTH, "one that is set back under a gateway");
    sql(BACK);
    IS_INT(append(one, 10, 1, "keykeykeykey"), SOTTO_EIO, "takes nothing any more");
    sotto_audit_close(one);
    one = open_log(0);
    IS_INT(append(one, 10, 1, "keykeykeykey"), SOTTO_OK, "until it is opened anew, and whole");
    sql("UPDATE sotto.audit_frame SET frame = set_byte(frame, length(frame) - 20, 1) WHERE first = "
        "10");
    IS_INT(sotto_audit_catch_up(two, &more), SOTTO_EAUTH,
           "a record that was changed before another gateway has it is not taken over");
    sotto_audit_close(one);
    sotto_audit_close(two);
}

static void test_refusals(void)
{
    begin();
    struct sotto_audit_log *log = open_log(0), *other = NULL;
    IS_INT(append(log, 0, 1, "keykeykeykey"), SOTTO_OK, "a log");
    sotto_audit_close(log);
    master[0] ^= 1;
    IS_INT(try_open(1, &other), SOTTO_EAUTH, "another master secret is refused");
    OK(strstr(why, "secrets.master") != NULL, "and named: %s", why);
    master[0] ^= 1;
    const struct sotto_audit_options journal = {
        .folder = folders[0], .origin = ORIGIN, .strict = true};
    IS_INT(sotto_audit_open(&journal, &other, &found, why), SOTTO_ESTATE,
           "a copy is not gone on with alone: %s", why);
    const struct sotto_audit_options own = {.folder = folders[2], .origin = ORIGIN};
    IS_INT(sotto_audit_open(&own, &other, &found, why), SOTTO_OK, "a log of its own");
    sotto_audit_close(other);
    IS_INT(try_open(2, &other), SOTTO_ESTATE, "does not become a fleet's: %s", why);
    empty();
    make_schema();
    IS_INT(try_open(0, &other), SOTTO_EAUTH, "a database without the log: %s", why);
    log = open_log(1);
    IS_INT(try_open(0, &other), SOTTO_EAUTH, "one with another log: %s", why);
    sotto_audit_close(log);
    empty();
    IS_INT(try_open(1, &other), SOTTO_EFORMAT, "one without the schema: %s", why);
}

static void test_allocation_faults(void)
{
    fleet.postgres = sotto_span_str(trusted_url());
    begin();
    struct sotto_audit_log *one = open_log(0);
    enum sotto_err err = SOTTO_ENOMEM;
    bool as_said = true;
    size_t n = 1, next = 0;
    for (; err != SOTTO_OK && n < 300; n++) {
        char subject[SOTTO_AUDIT_SUBJECT_MAX];
        snprintf(subject, sizeof(subject), "keykeykeykey/%zu", n);
        struct sotto_audit_item item = {"aaaaaaaaaaaaaaaaaaaaaa", sotto_span_str(subject),
                                        SOTTO_LIT("{}")};
        sotto_alloc_set_fault(n);
        err = sotto_audit_append(one, &item, 1);
        sotto_alloc_set_fault(0);
        as_said = as_said && (err == SOTTO_OK || err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO);
        as_said = as_said && sql("SELECT next FROM sotto.audit") == (err == SOTTO_OK);
        next += err == SOTTO_OK;
    }
    OK(err == SOTTO_OK && n > 5, "an append: each of %zu allocations fails once", n - 2);
    OK(as_said, "and nothing is committed by one that fails");
    IS_INT(append(one, 1, 4, "otherotherot"), SOTTO_OK, "others are");
    sotto_audit_close(one);
    struct sotto_audit_log *two = NULL;
    err = SOTTO_ENOMEM;
    bool clean = true;
    for (n = 1; err != SOTTO_OK && n < 2000; n++) {
        sotto_alloc_set_fault(n);
        err = try_open(1, &two);
        sotto_alloc_set_fault(0);
        clean = clean && (err == SOTTO_OK) == (two != NULL) && err != SOTTO_EAUTH;
    }
    OK(err == SOTTO_OK && n > 20, "opening: each of %zu allocations fails once", n - 2);
    OK(clean, "and nothing half comes out, nor an accusation");
    one = open_log(0);
    OK(follow(one) == SOTTO_OK && follow(two) == SOTTO_OK && are_same(2, next + 4),
       "the same log: %s", why);
    sotto_audit_close(one);
    sotto_audit_close(two);
}

int main(void)
{
    /* The test talks to the server through libpq before the store does. */
    IS_INT(sotto_crypto_init(), SOTTO_OK, "our cryptography is ready before libpq's");
    make_server();
    place = folder_new();
    for (size_t i = 0; i < FOLDERS; i++) {
        snprintf(folders[i], sizeof(folders[i]), "%s/%zu", place.path, i);
    }
    fleet = (struct sotto_audit_fleet){sotto_span_str(url), master};
    uint8_t public_key[SOTTO_ED25519_PUBLIC_BYTES];
    if (sotto_ed25519_public(witness_seed, public_key) != SOTTO_OK ||
        sotto_note_key_make(SOTTO_LIT("witness.example"), SOTTO_NOTE_COSIGNATURE, public_key,
                            &witness) != SOTTO_OK) {
        abort();
    }
    test_turns();
    test_races();
    test_erasing();
    test_readers();
    test_witnesses();
    test_far_behind();
    test_commit_in_doubt();
    test_tampering();
    test_refusals();
    test_allocation_faults();
    test_server_dies();
    remove_folders();
    folder_remove(&place);
    remove_server();
    return done_testing();
}
