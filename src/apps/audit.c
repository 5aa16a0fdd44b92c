/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apps/audit_config.h"
#include "apps/cli.h"
#include "apps/state_folder.h"
#include "audit/subject.h"
#include "base/alloc.h"
#include "crypto/base64.h"
#include "store/audit_log.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/harden.h"

/* How long the command waits for a gateway that runs, and between two looks. */
#define AUDIT_WAIT_MS 10000
#define AUDIT_LOOK_US 100000

#define AUDIT_WITNESSES_MAX 16

#define CONFIG_OPTION(of)                                                                          \
    {                                                                                              \
        "--config", "FILE", "the gateway's configuration: for the log of a fleet", &(of).file,     \
            NULL                                                                                   \
    }

static int folder_of(const char *state, char out[SOTTO_PATH_BYTES])
{
    char base[SOTTO_PATH_BYTES - 8];
    char whole[SOTTO_PATH_BYTES];
    if (!sotto_state_folder(state, whole) || strlen(whole) >= sizeof(base)) {
        return sotto_cli_fail("there is no state folder: give one with --state");
    }
    snprintf(base, sizeof(base), "%s", whole);
    snprintf(out, SOTTO_PATH_BYTES, "%s/audit", base);
    return SOTTO_CLI_GO;
}

/* --- vkey -------------------------------------------------------------------------------------- */

static int print_vkey(int argc, char **argv)
{
    const char *state = NULL;
    const struct sotto_cli_option options[] = {
        {"--state", "DIR", "the state folder", &state, NULL}};
    const struct sotto_cli cli = {
        .usage = "sotto audit vkey [--state DIR]",
        .about = "Prints the public key of the audit log, for `sotto audit verify --vkey` and for\n"
                 "any other verifier of signed notes.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
    };
    char folder[SOTTO_PATH_BYTES], why[SOTTO_STORE_WHY_BYTES];
    struct sotto_note_key key;
    struct sotto_buf text;
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = folder_of(state, folder);
    }
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    if (sotto_audit_key_read(folder, &key, why) != SOTTO_OK) {
        return sotto_cli_fail("%s", why);
    }
    sotto_buf_init(&text, 1024);
    if (sotto_note_key_write(&key, &text) == SOTTO_OK) {
        printf("%.*s\n", SOTTO_FMT(sotto_buf_span(&text)));
        status = sotto_cli_finish(SOTTO_EXIT_OK);
    } else {
        status = sotto_cli_fail("out of memory");
    }
    sotto_buf_free(&text);
    return status;
}

/* --- verify ------------------------------------------------------------------------------------ */

struct audit_verify {
    const char *dir, *vkey, *witness, *cosigned;
    bool json, quiet;
    char log[SOTTO_PATH_BYTES];
    bool with_records; /* the folder is a whole audit log, not only its public files */
    bool of_fleet;     /* and a copy of a fleet's */
    struct sotto_note_key key;
    struct sotto_note_key witnesses[AUDIT_WITNESSES_MAX];
    size_t witness_count;
    struct sotto_audit_config config;
};

static void show_progress(void *ctx, uint64_t done, uint64_t of)
{
    const struct audit_verify *v = ctx;
    if (!v->quiet) {
        fprintf(stderr, "\rchecking entry %" PRIu64 " of %" PRIu64, done, of);
    }
}

/* "KEY,KEY": the option may be given once. */
static int read_witnesses(struct audit_verify *v)
{
    sotto_span rest = sotto_span_str(v->witness);
    while (rest.len != 0) {
        const uint8_t *comma = memchr(rest.base, ',', rest.len);
        size_t n = comma != NULL ? (size_t)(comma - rest.base) : rest.len;
        if (v->witness_count == AUDIT_WITNESSES_MAX ||
            sotto_note_key_parse(sotto_span_sub(rest, 0, n), &v->witnesses[v->witness_count]) !=
                SOTTO_OK) {
            return sotto_cli_misuse("--witness must be keys like NAME+HASH+KEY, with commas");
        }
        v->witness_count++;
        rest = sotto_span_skip(rest, comma != NULL ? n + 1 : n);
    }
    return SOTTO_CLI_GO;
}

static int find_log(struct audit_verify *v)
{
    char checkpoint[SOTTO_PATH_BYTES + 16];
    if (strlen(v->dir) + 32 > SOTTO_PATH_BYTES) {
        return sotto_cli_misuse("the path is too long");
    }
    snprintf(checkpoint, sizeof(checkpoint), "%s/log/checkpoint", v->dir);
    v->with_records = sotto_file_exists(checkpoint);
    v->of_fleet = v->with_records && audit_is_replica(v->dir);
    snprintf(v->log, sizeof(v->log), "%s%s", v->dir, v->with_records ? "/log" : "");
    return SOTTO_CLI_GO;
}

static enum sotto_err check_cosigned(const struct audit_verify *v,
                                     const struct sotto_audit_check_options *options,
                                     struct sotto_audit_report *report)
{
    struct sotto_buf note;
    if (v->cosigned == NULL) {
        return SOTTO_OK;
    }
    sotto_buf_init(&note, SOTTO_NOTE_MAX_BYTES);
    enum sotto_err err = sotto_file_read(v->cosigned, SOTTO_NOTE_MAX_BYTES, &note);
    if (err == SOTTO_OK) {
        err = sotto_audit_check_cosigned(options, sotto_buf_span(&note), report);
    }
    if (err != SOTTO_OK && report->why[0] == '\0') {
        snprintf(report->why, sizeof(report->why),
                 "%.300s: no checkpoint of this log that one of "
                 "the witnesses cosigned",
                 v->cosigned);
    }
    sotto_buf_free(&note);
    return err;
}

static int print_report(const struct audit_verify *v, const struct sotto_audit_report *report,
                        uint64_t erased, uint64_t in_database)
{
    struct sotto_buf root;
    sotto_buf_init(&root, 64);
    if (sotto_base64_write(sotto_span_init(report->root.bytes, SOTTO_AUDIT_HASH_BYTES), &root) !=
        SOTTO_OK) {
        return sotto_cli_fail("out of memory");
    }
    if (v->json) {
        printf("{\"origin\":\"%s\",\"entries\":%" PRIu64 ",\"root\":\"%.*s\",\"witnesses\":%zu",
               v->key.name, report->size, SOTTO_FMT(sotto_buf_span(&root)), report->witness_count);
        if (v->with_records) {
            printf(",\"records\":%" PRIu64 ",\"erased\":%" PRIu64, report->size - erased, erased);
        }
        if (v->of_fleet) {
            printf(",\"in_database\":%" PRIu64, in_database);
        }
        puts("}");
    } else {
        printf("%s: %" PRIu64 " entries, all as signed\nroot %.*s\n", v->key.name, report->size,
               SOTTO_FMT(sotto_buf_span(&root)));
        if (v->witness_count != 0) {
            printf("cosigned by %zu of %zu witnesses\n", report->witness_count, v->witness_count);
        }
        if (v->with_records) {
            printf("%" PRIu64 " records belong to their entries, %" PRIu64 " are erased\n",
                   report->size - erased, erased);
        }
        if (v->of_fleet) {
            printf("all are among the %" PRIu64 " entries of the database\n", in_database);
        }
    }
    sotto_buf_free(&root);
    return sotto_cli_finish(SOTTO_EXIT_OK);
}

static int run_verify(struct audit_verify *v)
{
    struct sotto_audit_report report;
    uint64_t erased = 0, in_database = 0;
    const struct sotto_audit_check_options options = {
        .log = v->log,
        .key = &v->key,
        .witnesses = v->witnesses,
        .witness_count = v->witness_count,
        .progress = show_progress,
        .ctx = v,
    };
    enum sotto_err err = sotto_audit_check(&options, &report);
    if (err == SOTTO_OK) {
        err = check_cosigned(v, &options, &report);
    }
    if (err == SOTTO_OK && v->with_records) {
        err = sotto_audit_check_records(v->dir, v->config.fleet, report.size, &erased, report.why);
    }
    if (err == SOTTO_OK && v->of_fleet) {
        err = sotto_audit_check_database(v->dir, v->config.fleet, &v->key, report.size,
                                         &in_database, report.why);
    }
    if (!v->quiet) {
        fputs("\r\x1b[K", stderr);
    }
    return err == SOTTO_OK ? print_report(v, &report, erased, in_database)
                           : sotto_cli_fail("%s", report.why);
}

static int verify(int argc, char **argv)
{
    struct audit_verify v = {.quiet = isatty(STDERR_FILENO) == 0};
    const struct sotto_cli_option options[] = {
        {"--vkey", "KEY", "public key of the log, as `sotto audit vkey` prints it", &v.vkey, NULL},
        {"--witness", "KEYS", "keys of witnesses, separated by commas", &v.witness, NULL},
        {"--cosigned", "FILE", "a checkpoint that a witness cosigned: the log must contain it",
         &v.cosigned, NULL},
        CONFIG_OPTION(v.config),
        {"--json", NULL, "print JSON", NULL, &v.json},
    };
    const struct sotto_cli cli = {
        .usage = "sotto audit verify DIR --vkey KEY [--witness KEYS] [--cosigned FILE] [--config "
                 "FILE] [--json]",
        .about = "Checks every entry of a log against its signed checkpoint. DIR is a folder with\n"
                 "`checkpoint` and `tile` (C2SP tlog-tiles), or the folder `audit` of a state\n"
                 "folder, whose records are checked as well, and of a fleet's log the database.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
        .operand_min = 1,
        .operand_max = 1,
    };
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    v.dir = argv[1];
    if (v.vkey == NULL) {
        return sotto_cli_misuse("--vkey is missing: `sotto audit vkey` prints it");
    }
    if (sotto_note_key_parse(sotto_span_str(v.vkey), &v.key) != SOTTO_OK) {
        return sotto_cli_misuse("--vkey must be a key like NAME+HASH+KEY");
    }
    status = read_witnesses(&v);
    if (status == SOTTO_CLI_GO) {
        status = find_log(&v);
    }
    if (status == SOTTO_CLI_GO) {
        status = sotto_audit_config_read(&v.config);
    }
    if (status == SOTTO_CLI_GO) {
        status = run_verify(&v);
    }
    sotto_audit_config_free(&v.config);
    return status;
}

/* --- show and prove ---------------------------------------------------------------------------- */

/* "audit_" and the symbols, as answers have it. */
static int read_id(const char *text, sotto_span *id)
{
    sotto_span span = sotto_span_str(text);
    if (sotto_span_starts(span, SOTTO_LIT("audit_"))) {
        span = sotto_span_skip(span, 6);
    }
    *id = span;
    return span.len == SOTTO_AUDIT_ID_SYMBOLS
               ? SOTTO_CLI_GO
               : sotto_cli_misuse("%.80s is no audit id: it is audit_ and 22 symbols", text);
}

static int look(const char *state, struct sotto_audit_config *config, const char *text,
                struct sotto_audit_entry *e)
{
    char folder[SOTTO_PATH_BYTES], why[SOTTO_STORE_WHY_BYTES];
    sotto_span id;
    int status = read_id(text, &id);
    if (status == SOTTO_CLI_GO) {
        status = folder_of(state, folder);
    }
    if (status == SOTTO_CLI_GO) {
        status = sotto_audit_config_read(config);
    }
    if (status == SOTTO_CLI_GO && sotto_audit_look(folder, config->fleet, id, e, why) != SOTTO_OK) {
        status = sotto_cli_fail("%s", why);
    }
    sotto_audit_config_free(config);
    return status;
}

static int show(int argc, char **argv)
{
    const char *state = NULL;
    struct sotto_audit_config config = {.file = NULL};
    const struct sotto_cli_option options[] = {
        {"--state", "DIR", "the state folder", &state, NULL},
        CONFIG_OPTION(config),
    };
    const struct sotto_cli cli = {
        .usage = "sotto audit show ID [--state DIR] [--config FILE]",
        .about = "Prints the record of an entry as one line of JSON, checked against the entry.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
        .operand_min = 1,
        .operand_max = 1,
    };
    struct sotto_audit_entry e;
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = look(state, &config, argv[1], &e);
    }
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    if (e.erased) {
        status = sotto_cli_fail("the record of entry %" PRIu64 " was erased with its subject; "
                                "`sotto audit prove` still proves the entry",
                                e.index);
    } else {
        printf("%.*s\n", SOTTO_FMT(sotto_buf_span(&e.record)));
        status = sotto_cli_finish(SOTTO_EXIT_OK);
    }
    sotto_audit_entry_free(&e);
    return status;
}

static int prove(int argc, char **argv)
{
    const char *state = NULL;
    struct sotto_audit_config config = {.file = NULL};
    const struct sotto_cli_option options[] = {
        {"--state", "DIR", "the state folder", &state, NULL},
        CONFIG_OPTION(config),
    };
    const struct sotto_cli cli = {
        .usage = "sotto audit prove ID [--state DIR] [--config FILE]",
        .about = "Prints the proof that an entry is in the log (C2SP tlog-proof).",
        .options = options,
        .option_count = SOTTO_COUNT(options),
        .operand_min = 1,
        .operand_max = 1,
    };
    struct sotto_audit_entry e;
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = look(state, &config, argv[1], &e);
    }
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    printf("%.*s", SOTTO_FMT(sotto_buf_span(&e.proof)));
    sotto_audit_entry_free(&e);
    return sotto_cli_finish(SOTTO_EXIT_OK);
}

/* --- export ------------------------------------------------------------------------------------ */

static int export_log(int argc, char **argv)
{
    const char *state = NULL, *to = NULL;
    const struct sotto_cli_option options[] = {
        {"--out", "DIR", "a folder that is not there yet", &to, NULL},
        {"--state", "DIR", "the state folder", &state, NULL},
    };
    const struct sotto_cli cli = {
        .usage = "sotto audit export --out DIR [--state DIR]",
        .about = "Copies the public files of the log: what a verifier needs, and no record.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
    };
    char folder[SOTTO_PATH_BYTES], why[SOTTO_STORE_WHY_BYTES];
    uint64_t size = 0;
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO && to == NULL) {
        status = sotto_cli_misuse("--out is missing");
    }
    if (status == SOTTO_CLI_GO && sotto_file_exists(to)) {
        status = sotto_cli_misuse("%.300s is there already: name a new folder", to);
    }
    if (status == SOTTO_CLI_GO) {
        status = folder_of(state, folder);
    }
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    if (sotto_audit_export(folder, to, &size, why) != SOTTO_OK) {
        return sotto_cli_fail("%s", why);
    }
    printf("%" PRIu64 " entries in %s\n", size, to);
    return sotto_cli_finish(SOTTO_EXIT_OK);
}

/* --- erase ------------------------------------------------------------------------------------- */

/* The gateway that runs does it: it has the keys in memory. */
static int ask_gateway(const char *folder, const char *subject)
{
    char asked[SOTTO_PATH_BYTES + 16], outcome[SOTTO_PATH_BYTES + 16];
    struct sotto_buf text;
    snprintf(asked, sizeof(asked), "%s/erase", folder);
    snprintf(outcome, sizeof(outcome), "%s/erased", folder);
    enum sotto_err err = sotto_file_remove(outcome);
    if (err == SOTTO_OK) {
        err = sotto_file_create(asked, sotto_span_str(subject));
    }
    if (err != SOTTO_OK) {
        return sotto_cli_fail("%s: cannot be made (%s)", asked, sotto_err_text(err));
    }
    int64_t until = sotto_clock_ms() + AUDIT_WAIT_MS;
    while (sotto_file_exists(asked) && sotto_clock_ms() < until) {
        usleep(AUDIT_LOOK_US);
    }
    sotto_buf_init(&text, 256);
    err = sotto_file_exists(asked) ? SOTTO_ETIMEOUT : sotto_file_read(outcome, 256, &text);
    int status = SOTTO_EXIT_OK;
    if (err != SOTTO_OK) {
        status =
            sotto_cli_fail("the gateway has not answered (%s): see its log", sotto_err_text(err));
    } else if (!sotto_span_eq(sotto_buf_span(&text), SOTTO_LIT("ok\n"))) {
        status = sotto_cli_fail("%s: %.*s", subject, (int)(text.len != 0 ? text.len - 1 : 0),
                                (const char *)text.base);
    }
    sotto_buf_free(&text);
    return status;
}

/* No gateway runs: this process writes the log for a moment. */
static int erase_here(const char *folder, const struct sotto_audit_fleet *fleet,
                      const char *subject, bool *busy)
{
    char why[SOTTO_STORE_WHY_BYTES];
    struct sotto_audit_log *log = NULL;
    struct sotto_audit_found_state found;
    struct sotto_note_key key;
    uint64_t slot = 0;
    *busy = false;
    if (sotto_audit_key_read(folder, &key, why) != SOTTO_OK) {
        return sotto_cli_fail("%s", why);
    }
    const struct sotto_audit_options options = {
        .folder = folder, .origin = sotto_span_str(key.name), .strict = true, .fleet = fleet};
    enum sotto_err err = sotto_audit_open(&options, &log, &found, why);
    *busy = err == SOTTO_EEXISTS;
    if (err != SOTTO_OK) {
        return *busy ? SOTTO_EXIT_FAILED : sotto_cli_fail("%s", why);
    }
    err = sotto_audit_erase(log, sotto_span_str(subject), &slot);
    if (err == SOTTO_OK) {
        err = sotto_audit_receipt(log, slot, sotto_wall_ms());
    }
    sotto_audit_close(log);
    return err == SOTTO_OK ? SOTTO_EXIT_OK
           : err == SOTTO_ENOTFOUND
               ? sotto_cli_fail("%s: there is no such subject", subject)
               : sotto_cli_fail("%s: not erased (%s)", subject, sotto_err_text(err));
}

static int erase(int argc, char **argv)
{
    const char *state = NULL;
    struct sotto_audit_config config = {.file = NULL};
    const struct sotto_cli_option options[] = {
        {"--state", "DIR", "the state folder", &state, NULL},
        CONFIG_OPTION(config),
    };
    const struct sotto_cli cli = {
        .usage = "sotto audit erase SUBJECT [--state DIR] [--config FILE]",
        .about = "Destroys the keys of a subject's records, which can never be read again; their\n"
                 "entries stay, and all proofs hold. SUBJECT is the member `subject` of a record:\n"
                 "the id of a key, or that, a slash and the hash of the caller's `user`.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
        .operand_min = 1,
        .operand_max = 1,
    };
    char folder[SOTTO_PATH_BYTES];
    bool busy = false;
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO && (!sotto_audit_subject_valid(sotto_span_str(argv[1])) ||
                                   strcmp(argv[1], SOTTO_AUDIT_SELF) == 0)) {
        status =
            sotto_cli_misuse("%.100s is no subject: it is the id of a key, or ID/HASH", argv[1]);
    }
    if (status == SOTTO_CLI_GO) {
        status = folder_of(state, folder);
    }
    if (status == SOTTO_CLI_GO) {
        status = sotto_audit_config_read(&config);
    }
    if (status == SOTTO_CLI_GO) {
        status = erase_here(folder, config.fleet, argv[1], &busy);
    }
    sotto_audit_config_free(&config);
    if (busy) {
        status = ask_gateway(folder, argv[1]);
    }
    if (status != SOTTO_EXIT_OK) {
        return status;
    }
    printf("erased %s\n", argv[1]);
    return sotto_cli_finish(SOTTO_EXIT_OK);
}

/* --- the command ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} subcommands[] = {
    {"verify", verify},     {"show", show},   {"prove", prove},
    {"export", export_log}, {"erase", erase}, {"vkey", print_vkey},
};

int sotto_cmd_audit(int argc, char **argv)
{
    static const char help[] =
        "usage: sotto audit verify|show|prove|export|erase|vkey [WORDS...]\n\n"
        "The audit log: what was asked of whom, never what was said. All but verify work on a\n"
        "state folder, beside a gateway that runs.\n\n"
        "  verify DIR --vkey KEY  check every entry of a log\n"
        "  show ID                print the record of an entry\n"
        "  prove ID               print the proof that an entry is in the log\n"
        "  export --out DIR       copy the public files of the log\n"
        "  erase SUBJECT          destroy the records of a subject for good\n"
        "  vkey                   print the log's public key\n\n"
        "`sotto audit verify --help` and so on say more.\n";
    if (argc < 2) {
        fputs(help, stderr);
        return SOTTO_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        fputs(help, stdout);
        return sotto_cli_finish(SOTTO_EXIT_OK);
    }
    for (size_t i = 0; i < SOTTO_COUNT(subcommands); i++) {
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            char name[40];
            snprintf(name, sizeof(name), "sotto audit %s", argv[1]);
            argv[1] = name;
            sotto_ignore(sotto_harden()); /* no core dump has a key in it; else as before */
            return subcommands[i].run(argc - 1, argv + 1);
        }
    }
    return sotto_cli_misuse("unknown command audit %s: see `sotto audit --help`", argv[1]);
}
