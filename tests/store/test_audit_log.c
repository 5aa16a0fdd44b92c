/* SPDX-License-Identifier: Apache-2.0 */

#include "store/audit_log.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/audit_state.h"
#include "sys/files.h"
#include "tap/tap.h"

#define ORIGIN SOTTO_LIT("test.example/log")

static char folder[64];
static char why[SOTTO_STORE_WHY_BYTES];
static struct sotto_audit_found_state state;

static void new_folder(void)
{
    /* In memory where there is such a folder: a hundred syncs a second are no subject of this. */
    snprintf(folder, sizeof(folder), "%s/sotto-audit-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(folder) == NULL) {
        abort();
    }
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    if (system(command) != 0) {
        abort();
    }
}

static enum sotto_err open_log(bool strict, struct sotto_audit_log **log)
{
    const struct sotto_audit_options options = {
        .folder = folder, .origin = ORIGIN, .strict = strict};
    *log = NULL;
    return sotto_audit_open(&options, log, &state, why);
}

/* Ids that tell their number. */
static void id_of(size_t n, char id[SOTTO_AUDIT_ID_SYMBOLS + 1])
{
    snprintf(id, SOTTO_AUDIT_ID_SYMBOLS + 1, "id%020zu", n);
}

static enum sotto_err append(struct sotto_audit_log *log, size_t from, size_t count,
                             const char *subject)
{
    static char ids[SOTTO_AUDIT_BATCH_MAX][SOTTO_AUDIT_ID_SYMBOLS + 1],
        text[SOTTO_AUDIT_BATCH_MAX][64];
    struct sotto_audit_item items[SOTTO_AUDIT_BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        id_of(from + i, ids[i]);
        snprintf(text[i], sizeof(text[i]), "{\"v\":1,\"n\":%zu}", from + i);
        items[i] =
            (struct sotto_audit_item){ids[i], sotto_span_str(subject), sotto_span_str(text[i])};
    }
    return sotto_audit_append(log, items, count);
}

static bool has(struct sotto_audit_log *log, size_t n)
{
    char id[SOTTO_AUDIT_ID_SYMBOLS + 1], text[64];
    struct sotto_audit_entry e;
    id_of(n, id);
    snprintf(text, sizeof(text), "{\"v\":1,\"n\":%zu}", n);
    if (sotto_audit_find(log, sotto_span_init(id, SOTTO_AUDIT_ID_SYMBOLS), &e) != SOTTO_OK) {
        return false;
    }
    bool ok = sotto_span_eq(sotto_buf_span(&e.record), sotto_span_str(text)) &&
              sotto_audit_opening_check(e.entry, e.opening, sotto_buf_span(&e.record)) == SOTTO_OK;
    sotto_audit_entry_free(&e);
    return ok;
}

static enum sotto_err check(struct sotto_audit_report *report)
{
    char log[128];
    struct sotto_note_key key;
    snprintf(log, sizeof(log), "%s/log", folder);
    enum sotto_err err = sotto_audit_key_read(folder, &key, why);
    const struct sotto_audit_check_options options = {.log = log, .key = &key};
    return err == SOTTO_OK ? sotto_audit_check(&options, report) : err;
}

static void test_life(void)
{
    struct sotto_audit_log *log, *second;
    struct sotto_audit_report report;
    uint64_t entries = 0, erased = 0;
    char id[SOTTO_AUDIT_ID_SYMBOLS + 1];
    struct sotto_audit_entry e;
    new_folder();
    IS_INT(open_log(true, &log), SOTTO_OK, "a new log: %s", why);
    IS_INT(open_log(true, &second), SOTTO_EEXISTS, "it has one writer");
    IS_INT(check(&report), SOTTO_OK, "an empty log is whole");
    IS_INT(append(log, 0, 3, "key1"), SOTTO_OK, "entries");
    id_of(1, id);
    IS_INT(sotto_audit_find(log, sotto_span_str(id), &e), SOTTO_ESTATE, "wait for a checkpoint");
    IS_INT(sotto_audit_publish(log, &entries), SOTTO_OK, "which comes");
    IS_INT(entries, 3, "with all of them");
    OK(has(log, 0) && has(log, 2), "then they are found, with record and opening");
    OK(!has(log, 3), "another is not");
    for (size_t n = 3; n < 700;) {
        size_t count = 1 + n % 90;
        if (append(log, n, count, n / 7 % 2 != 0 ? "key1" : "key2/user") != SOTTO_OK) {
            abort();
        }
        n += count;
        if (n % 3 == 0 && sotto_audit_publish(log, NULL) != SOTTO_OK) {
            abort();
        }
    }
    IS_INT(sotto_audit_publish(log, NULL), SOTTO_OK, "many more");
    IS_INT(check(&report), SOTTO_OK, "the log is whole: %s", report.why);
    OK(report.size >= 700, "with all entries");
    IS_INT(sotto_audit_check_records(folder, NULL, report.size, &erased, why), SOTTO_OK,
           "and records");
    uint64_t size = report.size;
    sotto_audit_close(log);

    IS_INT(open_log(true, &log), SOTTO_OK, "opened again: %s", why);
    IS_INT(state.entries, size, "it has as many entries");
    OK(has(log, 0) && has(log, 255) && has(log, 256) && has(log, 699), "they are found");
    uint64_t slot = 0;
    IS_INT(sotto_audit_erase(log, SOTTO_LIT("key2/user"), &slot), SOTTO_OK, "a subject is erased");
    IS_INT(sotto_audit_erase(log, SOTTO_LIT("key2/user"), &slot), SOTTO_ENOTFOUND, "once");
    IS_INT(sotto_audit_erase(log, SOTTO_LIT("-"), &slot), SOTTO_EDENIED, "the gateway never");
    OK(has(log, 0), "the other's records are there");
    IS_INT(append(log, 5000, 1, "key2/user"), SOTTO_OK, "it may come back");
    IS_INT(sotto_audit_publish(log, NULL), SOTTO_OK, "with new keys");
    OK(has(log, 5000), "its new record is read");
    IS_INT(check(&report), SOTTO_OK, "the log is whole");
    IS_INT(sotto_audit_check_records(folder, NULL, report.size, &erased, why), SOTTO_OK,
           "the rest, too");
    OK(erased > 100, "erased records are counted");
    sotto_audit_close(log);
    IS_INT(open_log(false, &log), SOTTO_OK, "opened after an erasure");
    OK(has(log, 0) && has(log, 5000), "all is as it was");
    sotto_audit_close(log);
    remove_folder();
}

/* A segment of records and the table of ids behind it. */
static void test_segments(void)
{
    struct sotto_audit_log *log;
    new_folder();
    IS_INT(open_log(false, &log), SOTTO_OK, "a log");
    size_t n = 0;
    for (; n < 66000; n += 250) {
        if (append(log, n, 250, "key") != SOTTO_OK ||
            (n % 20000 == 0 && sotto_audit_publish(log, NULL) != SOTTO_OK)) {
            abort();
        }
    }
    IS_INT(sotto_audit_publish(log, NULL), SOTTO_OK, "with more entries than a segment has");
    OK(has(log, 0) && has(log, 65535) && has(log, 65536) && has(log, 65999) && has(log, 31234),
       "they are found in both");
    OK(!has(log, 70000), "and others are not");
    sotto_audit_close(log);
    IS_INT(open_log(false, &log), SOTTO_OK, "opened again: %s", why);
    OK(has(log, 0) && has(log, 65535) && has(log, 65536), "likewise");
    sotto_audit_close(log);
    remove_folder();
}

static void flip(const char *name, long at)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "r+b");
    if (f == NULL || fseek(f, at, at < 0 ? SEEK_END : SEEK_SET) != 0) {
        abort();
    }
    int c = fgetc(f);
    if (fseek(f, -1, SEEK_CUR) != 0 || fputc(c ^ 1, f) == EOF || fclose(f) != 0) {
        abort();
    }
}

/* Each file of the log, damaged in one byte: not opened, and the sentence says where. */
static void test_tampering(void)
{
    static const struct {
        const char *file;
        long at;
        const char *says;
    } cases[] = {
        {"log/tile/entries/000", 57 * 77 + 30, "entry 77"},
        {"log/tile/entries/001.p/44", 57 * 3 + 40, "entry 259"},
        {"log/tile/entries/000", 57 * 5, "tile/entries/000"},
        {"log/tile/0/000", 32 * 9 + 4, "entry 9"},
        {"log/tile/0/001.p/44", 32 * 9 + 4, "entry 265"},
        {"log/tile/1/000.p/1", 4, "tile/1/000.p/1"},
        {"log/checkpoint", 20, "checkpoint"},
        {"log/checkpoint", -9, "checkpoint"},
        {"key", 3, "key cannot be read"},
        {"wrap", 3, "subjects"},
        {"subjects", 10, "subjects"},
        {"subjects", 40, "subjects"},
        {"subjects", 140, "subjects"},
        {"records/000000000.idx", 299 * 8 + 5, "record of entry 299"},
    };
    struct sotto_audit_log *log;
    new_folder();
    if (open_log(true, &log) != SOTTO_OK || append(log, 0, 250, "key") != SOTTO_OK ||
        append(log, 250, 50, "key") != SOTTO_OK || sotto_audit_publish(log, NULL) != SOTTO_OK) {
        abort();
    }
    sotto_audit_close(log);
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        flip(cases[i].file, cases[i].at);
        OK(open_log(true, &log) != SOTTO_OK, "%s is damaged: not opened", cases[i].file);
        OK(strstr(why, cases[i].says) != NULL, "and said so: %s", why);
        flip(cases[i].file, cases[i].at);
    }
    uint64_t erased = 0;
    flip("records/000000000.rec", 500);
    IS_INT(sotto_audit_check_records(folder, NULL, 300, &erased, why), SOTTO_EAUTH, "a record: %s",
           why);
    flip("records/000000000.rec", 500);
    IS_INT(open_log(true, &log), SOTTO_OK, "undamaged it opens: %s", why);
    sotto_audit_close(log);
    remove_folder();
}

static void copy(const char *from, const char *to)
{
    char command[300];
    snprintf(command, sizeof(command), "rm -rf '%s/%s' && cp -a '%s/%s' '%s/%s'", folder, to,
             folder, from, folder, to);
    if (system(command) != 0) {
        abort();
    }
}

static void test_cut_and_rolled_back(void)
{
    struct sotto_audit_log *log;
    struct sotto_note_key witness;
    uint8_t seed[32] = {9}, public_key[32];
    new_folder();
    if (sotto_ed25519_public(seed, public_key) != SOTTO_OK ||
        sotto_note_key_make(SOTTO_LIT("witness.example"), SOTTO_NOTE_COSIGNATURE, public_key,
                            &witness) != SOTTO_OK ||
        open_log(true, &log) != SOTTO_OK || append(log, 0, 10, "key") != SOTTO_OK) {
        abort();
    }
    sotto_audit_close(log);
    copy("log", "old-log");
    copy("records", "old-records");
    const struct sotto_audit_options options = {.folder = folder,
                                                .origin = ORIGIN,
                                                .strict = true,
                                                .witnesses = &witness,
                                                .witness_count = 1};
    struct sotto_buf note;
    char path[128];
    struct sotto_note parsed;
    snprintf(path, sizeof(path), "%s/log/checkpoint", folder);
    sotto_buf_init(&note, SOTTO_NOTE_MAX_BYTES);
    IS_INT(sotto_audit_open(&options, &log, &state, why), SOTTO_OK, "with a witness: %s", why);
    IS_INT(append(log, 10, 5, "key"), SOTTO_OK, "more entries");
    IS_INT(sotto_audit_publish(log, NULL), SOTTO_OK, "published");
    OK(sotto_file_read(path, 4096, &note) == SOTTO_OK &&
           sotto_note_parse(sotto_buf_span(&note), &parsed) == SOTTO_OK,
       "the checkpoint");
    IS_INT(sotto_audit_cosign(log, sotto_buf_span(&note)), SOTTO_ENOTFOUND, "not cosigned yet");
    struct sotto_buf line;
    sotto_buf_init(&line, 4096);
    OK(sotto_note_cosign(&witness, seed, 1700000000, parsed.text, &line) == SOTTO_OK &&
           sotto_buf_append(&note, sotto_buf_span(&line)) == SOTTO_OK,
       "the witness signs");
    IS_INT(sotto_audit_cosign(log, sotto_buf_span(&note)), SOTTO_OK, "it is taken");
    sotto_buf_truncate(&note, 0);
    OK(sotto_file_read(path, 4096, &note) == SOTTO_OK &&
           memmem(note.base, note.len, line.base, line.len) != NULL,
       "and shown in the checkpoint");
    sotto_audit_close(log);
    sotto_buf_free(&line);
    sotto_buf_free(&note);
    IS_INT(sotto_audit_open(&options, &log, &state, why), SOTTO_OK, "opened: %s", why);
    sotto_audit_close(log);

    copy("log", "new-log");
    copy("records", "new-records");
    copy("old-log", "log");
    copy("old-records", "records");
    IS_INT(sotto_audit_open(&options, &log, &state, why), SOTTO_EAUTH, "rolled back: not opened");
    OK(strstr(why, "entries 10 to 14") != NULL && strstr(why, "witness.example") != NULL,
       "and said so: %s", why);
    copy("new-log", "log");
    IS_INT(sotto_audit_open(&options, &log, &state, why), SOTTO_EAUTH, "records cut: not opened");
    OK(strstr(why, "record of entry 14") != NULL, "and said so: %s", why);
    copy("new-records", "records");
    snprintf(path, sizeof(path), "%s/log/tile/entries/000.p/15", folder);
    unlink(path);
    IS_INT(sotto_audit_open(&options, &log, &state, why), SOTTO_EAUTH, "tiles cut: not opened");
    OK(strstr(why, "is missing") != NULL, "and said so: %s", why);
    remove_folder();
}

/* Lets a witness sign the checkpoint, and gives it to the log. */
static void cosign_now(struct sotto_audit_log *log, const struct sotto_note_key *witness,
                       const uint8_t seed[32])
{
    struct sotto_buf note, line;
    struct sotto_note parsed;
    char path[128];
    snprintf(path, sizeof(path), "%s/log/checkpoint", folder);
    sotto_buf_init(&note, SOTTO_NOTE_MAX_BYTES);
    sotto_buf_init(&line, 4096);
    if (sotto_file_read(path, 4096, &note) != SOTTO_OK ||
        sotto_note_parse(sotto_buf_span(&note), &parsed) != SOTTO_OK ||
        sotto_note_cosign(witness, seed, 1700000000, parsed.text, &line) != SOTTO_OK ||
        sotto_buf_append(&note, sotto_buf_span(&line)) != SOTTO_OK) {
        abort();
    }
    IS_INT(sotto_audit_cosign(log, sotto_buf_span(&note)), SOTTO_OK, "a witness signs");
    sotto_buf_free(&line);
    sotto_buf_free(&note);
}

/* Rolled back as a whole and gone on otherwise, beyond the size that was cosigned: of that size there
 * are no tiles. */
static void test_rewritten(void)
{
    struct sotto_audit_log *log;
    struct sotto_note_key witness;
    uint8_t seed[32] = {9}, public_key[32];
    char path[128];
    new_folder();
    const struct sotto_audit_options options = {.folder = folder,
                                                .origin = ORIGIN,
                                                .strict = true,
                                                .witnesses = &witness,
                                                .witness_count = 1};
    if (sotto_ed25519_public(seed, public_key) != SOTTO_OK ||
        sotto_note_key_make(SOTTO_LIT("witness.example"), SOTTO_NOTE_COSIGNATURE, public_key,
                            &witness) != SOTTO_OK ||
        sotto_audit_open(&options, &log, &state, why) != SOTTO_OK ||
        append(log, 0, 10, "key") != SOTTO_OK) {
        abort();
    }
    sotto_audit_close(log);
    copy("log", "old-log");
    copy("records", "old-records");
    copy("journal", "old-journal");
    copy("witnessed", "old-witnessed");
    if (sotto_audit_open(&options, &log, &state, why) != SOTTO_OK ||
        append(log, 10, 5, "key") != SOTTO_OK || sotto_audit_publish(log, NULL) != SOTTO_OK) {
        abort();
    }
    cosign_now(log, &witness, seed);
    IS_INT(append(log, 15, 20, "key"), SOTTO_OK, "it goes on");
    sotto_audit_close(log);
    snprintf(path, sizeof(path), "%s/log/tile/0/000.p/15", folder);
    unlink(path);
    IS_INT(sotto_audit_open(&options, &log, &state, why), SOTTO_OK,
           "old tiles may be gone: opened: %s", why);
    sotto_audit_close(log);

    copy("witnessed", "kept-witnessed");
    copy("old-log", "log");
    copy("old-records", "records");
    copy("old-journal", "journal");
    copy("old-witnessed", "witnessed");
    if (sotto_audit_open(&options, &log, &state, why) != SOTTO_OK ||
        append(log, 40, 20, "key") != SOTTO_OK) {
        abort();
    }
    sotto_audit_close(log);
    copy("kept-witnessed", "witnessed");
    IS_INT(sotto_audit_open(&options, &log, &state, why), SOTTO_EAUTH, "rewritten: not opened");
    OK(strstr(why, "the first 15 entries") != NULL, "and said so: %s", why);
    remove_folder();
}

/* What an append that was interrupted leaves, at every byte. */
static void test_torn_journal(void)
{
    struct sotto_audit_log *log;
    struct sotto_buf journal;
    char path[128], keep[128];
    size_t wrong = 0;
    new_folder();
    snprintf(path, sizeof(path), "%s/journal", folder);
    snprintf(keep, sizeof(keep), "%s/kept", folder);
    sotto_buf_init(&journal, 1 << 20);
    if (open_log(true, &log) != SOTTO_OK || append(log, 0, 2, "key") != SOTTO_OK) {
        abort();
    }
    struct stat first;
    if (stat(path, &first) != 0 || append(log, 2, 1, "other") != SOTTO_OK ||
        sotto_file_read(path, 1 << 20, &journal) != SOTTO_OK) {
        abort();
    }
    copy("log", "log0");
    copy("records", "records0");
    copy("subjects", "subjects0");
    sotto_audit_close(log);
    for (size_t len = 0; len <= journal.len; len = len < 30 ? len + 1
                                                   : len + 23 < journal.len || len == journal.len
                                                       ? len + 23
                                                       : journal.len) {
        copy("log0", "log");
        copy("records0", "records");
        copy("subjects0", "subjects");
        if (sotto_file_write(path, sotto_span_init(journal.base, len)) != SOTTO_OK) {
            abort();
        }
        enum sotto_err err = open_log(true, &log);
        size_t want = len == journal.len ? 3 : len >= (size_t)first.st_size ? 2 : 0;
        wrong += err != SOTTO_OK || state.entries != want ||
                 (want > 0 && !(has(log, 0) && has(log, 1))) || (want > 2 && !has(log, 2));
        wrong += state.torn_bytes != len - (want == 3   ? journal.len
                                            : want == 2 ? (size_t)first.st_size
                                                        : 0);
        sotto_audit_close(log);
    }
    IS_SIZE(wrong, 0, "a torn journal opens with the entries of its whole appends");
    copy("log0", "log");
    copy("records0", "records");
    copy("subjects0", "subjects");
    journal.base[50] ^= 1;
    OK(sotto_file_write(path, sotto_buf_span(&journal)) == SOTTO_OK, "damaged before its last one");
    IS_INT(open_log(true, &log), SOTTO_EAUTH, "it does not open");
    OK(strstr(why, "journal") != NULL, "and says so: %s", why);
    sotto_buf_free(&journal);
    remove_folder();
}

/* What piled up behind a slow disk is not held for ever. */
static void test_a_backlog_leaves_no_memory(void)
{
    struct sotto_audit_log *log;
    size_t grown = 0;
    new_folder();
    IS_INT(open_log(false, &log), SOTTO_OK, "a log");
    for (size_t n = 0; n < 8000; n += SOTTO_AUDIT_BATCH_MAX) {
        if (append(log, n, SOTTO_AUDIT_BATCH_MAX, "key1") != SOTTO_OK) {
            abort();
        }
    }
    grown = log->pending.cap + log->leaves.hashes.cap;
    OK(grown > (size_t)1 << 20, "entries that wait take memory: %zu bytes", grown);
    IS_INT(sotto_audit_publish(log, NULL), SOTTO_OK, "they are published");
    grown =
        log->pending.cap + log->leaves.hashes.cap + log->taken.cap + log->taken_leaves.hashes.cap;
    OK(grown < (size_t)256 << 10, "and take none any more: %zu bytes", grown);
    OK(has(log, 0) && has(log, 7999), "they are found");
    sotto_audit_close(log);
    remove_folder();
}

int main(void)
{
    test_life();
    test_a_backlog_leaves_no_memory();
    test_segments();
    test_tampering();
    test_cut_and_rolled_back();
    test_rewritten();
    test_torn_journal();
    return done_testing();
}
