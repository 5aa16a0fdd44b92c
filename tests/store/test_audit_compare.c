/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "crypto/crypto.h"
#include "store/audit_log.h"
#include "store/secrets.h"
#include "store/server.h"

/* A gateway's copy of a fleet's log beside a database that has it, or has something else. */

#define ENTRIES 10

static uint8_t master[SOTTO_MASTER_BYTES] = "the secret of a fleet, of 32 by";
static char folder[280], behind[280]; /* with all entries, with the first four */
static struct folder place;
static char why[SOTTO_STORE_WHY_BYTES];
static struct sotto_audit_fleet fleet;
static struct sotto_note_key key;

static void bail_unless(bool ok)
{
    if (!ok) {
        printf("Bail out! %s\n", why);
        exit(1);
    }
}

static struct sotto_audit_log *open_log(const char *where)
{
    struct sotto_audit_log *log = NULL;
    struct sotto_audit_found_state found;
    const struct sotto_audit_options options = {
        .folder = where, .origin = SOTTO_LIT("fleet.example/log"), .strict = true, .fleet = &fleet};
    bail_unless(sotto_audit_open(&options, &log, &found, why) == SOTTO_OK);
    return log;
}

/* Five frames of two entries each. */
static void make_log(void)
{
    struct sotto_store *store = NULL;
    bail_unless(sotto_store_connect(NULL, fleet.postgres, &store, why) == SOTTO_OK);
    sotto_store_close(store);
    struct sotto_audit_log *log = open_log(folder);
    for (int i = 0; i < ENTRIES; i += 2) {
        char ids[2][SOTTO_AUDIT_ID_SYMBOLS + 1];
        struct sotto_audit_item items[2];
        for (int j = 0; j < 2; j++) {
            snprintf(ids[j], sizeof(ids[j]), "id%020d", i + j);
            items[j] =
                (struct sotto_audit_item){ids[j], SOTTO_LIT("keykeykeykey"), SOTTO_LIT("{}")};
        }
        if (i == 4) {
            sotto_audit_close(open_log(behind));
        }
        bail_unless(sotto_audit_append(log, items, 2) == SOTTO_OK);
    }
    sotto_audit_close(log);
    bail_unless(sotto_audit_key_read(folder, &key, why) == SOTTO_OK);
    sql("CREATE TABLE kept AS SELECT * FROM sotto.audit_frame;"
        "CREATE TABLE head AS SELECT * FROM sotto.audit");
}

static enum sotto_err compare(uint64_t size, uint64_t *entries)
{
    return sotto_audit_check_database(folder, &fleet, &key, size, entries, why);
}

static void test_same(void)
{
    uint64_t entries = 0;
    OK(compare(ENTRIES, &entries) == SOTTO_OK && entries == ENTRIES, "the same entries: %s", why);
    OK(sotto_audit_check_database(behind, &fleet, &key, 4, &entries, why) == SOTTO_OK &&
           entries == ENTRIES,
       "and those of a folder that is behind: %s", why);
    entries = 7;
    IS_INT(compare(ENTRIES + 1, &entries), SOTTO_EAUTH, "one that is ahead");
    OK(strstr(why, "entries 10 to 10 are missing in the database") != NULL, "it says so: %s", why);
    IS_INT(entries, 7, "and nothing comes out");
}

static void test_differences(void)
{
    static const struct {
        const char *change, *says;
    } rows[] = {
        {"UPDATE sotto.audit_frame SET frame = set_byte(frame, 60, get_byte(frame, 60) # 1)"
         " WHERE first = 4",
         "entry 4 in sotto.audit_frame is not the one that"},
        {"UPDATE sotto.audit_frame SET frame = set_byte(frame, 90, get_byte(frame, 90) # 1)"
         " WHERE first = 4",
         "entries 4 to 5 in sotto.audit_frame is not the one that was committed"},
        {"UPDATE sotto.audit_frame SET code = sha256('') WHERE first = 4", "entries 4 to 5"},
        {"UPDATE sotto.audit_frame SET frame = '' WHERE first = 4", "entries 4 to 5"},
        {"UPDATE sotto.audit_frame SET frame = substr(frame, 1, 100) WHERE first = 4",
         "entries 4 to 5"},
        {"UPDATE sotto.audit_frame a SET frame = b.frame, code = b.code FROM kept b"
         " WHERE a.first IN (2, 4) AND b.first = 6 - a.first",
         "entries 2 to 3"},
        {"DELETE FROM sotto.audit_frame WHERE first = 0", "entries 0 to 1 are missing"},
        {"DELETE FROM sotto.audit_frame WHERE first = 4", "entries 4 to 5 are missing"},
        {"DELETE FROM sotto.audit_frame WHERE first = 8", "entries 8 to 9 are missing"},
        {"DELETE FROM sotto.audit_frame WHERE first = 8; UPDATE sotto.audit SET next = 8,"
         " code = (SELECT code FROM kept WHERE first = 6)",
         "entries 8 to 9 are missing in the database"},
        {"UPDATE sotto.audit SET code = sha256('')", "does not belong to the 10 entries"},
        {"DELETE FROM sotto.audit", "the row of sotto.audit is missing"},
    };
    uint64_t entries = 0;
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        sql(rows[i].change);
        IS_INT(compare(ENTRIES, &entries), SOTTO_EAUTH, "%s", rows[i].change);
        OK(strstr(why, rows[i].says) != NULL, "it says what: %s", why);
        sql("DELETE FROM sotto.audit_frame; INSERT INTO sotto.audit_frame SELECT * FROM kept;"
            "DELETE FROM sotto.audit; INSERT INTO sotto.audit SELECT * FROM head");
    }
    master[0] ^= 1;
    IS_INT(compare(ENTRIES, &entries), SOTTO_EAUTH, "another master secret: %s", why);
    master[0] ^= 1;
    IS_INT(compare(ENTRIES, &entries), SOTTO_OK, "put back, they are the same");
}

static void test_allocation_faults(void)
{
    enum sotto_err err = SOTTO_ENOMEM;
    uint64_t entries = 0;
    bool as_said = true;
    size_t n = 1;
    fleet.postgres = sotto_span_str(trusted_url());
    for (; err != SOTTO_OK && n < 300; n++) {
        sotto_alloc_set_fault(n);
        err = compare(ENTRIES, &entries);
        sotto_alloc_set_fault(0);
        as_said = as_said && err != SOTTO_EAUTH && (err == SOTTO_OK) == (entries == ENTRIES) &&
                  (err == SOTTO_OK) == (why[0] == '\0');
    }
    OK(err == SOTTO_OK && n > 3, "each of %zu allocations fails once", n - 2);
    OK(as_said, "and is told as that, never as a difference");
}

static void test_no_server(void)
{
    uint64_t entries = 0;
    remove_server();
    IS_INT(compare(ENTRIES, &entries), SOTTO_EIO, "a database that is away: %s", why);
}

int main(void)
{
    /* The test talks to the server through libpq before the store does. */
    IS_INT(sotto_crypto_init(), SOTTO_OK, "our cryptography is ready before libpq's");
    make_server();
    place = folder_new();
    snprintf(folder, sizeof(folder), "%s/log", place.path);
    snprintf(behind, sizeof(behind), "%s/behind", place.path);
    fleet = (struct sotto_audit_fleet){sotto_span_str(url), master};
    make_log();
    test_same();
    test_differences();
    test_allocation_faults();
    test_no_server();
    char command[640];
    snprintf(command, sizeof(command), "rm -rf '%s' '%s'", folder, behind);
    if (system(command) != 0) { /* NOLINT(cert-env33-c,concurrency-mt-unsafe): of this tree */
        abort();
    }
    folder_remove(&place);
    return done_testing();
}
