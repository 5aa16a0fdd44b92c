/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apps/keys_common.h"
#include "apps/keys_mesh.h"
#include "apps/keys_usage.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "config/value.h"
#include "gateway/key_json.h"
#include "sys/clock.h"
#include "sys/harden.h"
#include "vault/vault.h"
#include "json/json.h"

/* --- arguments ------------------------------------------------------------------------------- */

/* "30d" in seconds; a duration or nothing. */
static int read_seconds(const char *option, const char *text, int64_t otherwise_s, int64_t *out)
{
    uint64_t ms = 0;
    *out = otherwise_s;
    if (text == NULL) {
        return SOTTO_CLI_GO;
    }
    if (config_parse_duration(sotto_span_str(text), &ms) != SOTTO_OK ||
        ms / 1000 > SOTTO_KEY_TIME_MAX_S) {
        return sotto_cli_misuse("%s must be a duration such as 30d or 12h, not '%s'", option, text);
    }
    *out = (int64_t)(ms / 1000);
    return SOTTO_CLI_GO;
}

static int read_quota(const char *option, const char *text, uint64_t *out)
{
    if (text != NULL && (config_parse_count(sotto_span_str(text), out) != SOTTO_OK || *out == 0 ||
                         *out > SOTTO_KEY_QUOTA_MAX)) {
        return sotto_cli_misuse("%s must be a whole number from 1 on, not '%s'", option, text);
    }
    return SOTTO_CLI_GO;
}

static int read_cost(const char *option, const char *text, uint64_t *out)
{
    if (text != NULL && (config_parse_money(sotto_span_str(text), out) != SOTTO_OK || *out == 0 ||
                         *out > SOTTO_KEY_COST_MAX_NANO)) {
        return sotto_cli_misuse("%s must be a number such as 12.50, not '%s'", option, text);
    }
    return SOTTO_CLI_GO;
}

/* Names stand in lists, logs and headers: printable, and not too long. */
static int read_name(const char *option, const char *text, sotto_span *out)
{
    *out = sotto_span_str(text);
    if (text == NULL) {
        return SOTTO_CLI_GO;
    }
    if (out->len == 0 || out->len > SOTTO_KEY_NAME_MAX) {
        return sotto_cli_misuse("%s must be 1 to %d bytes long", option, SOTTO_KEY_NAME_MAX);
    }
    for (size_t i = 0; i < out->len; i++) {
        if (out->base[i] < 0x20 || out->base[i] == 0x7f) {
            return sotto_cli_misuse("%s must not hold control characters", option);
        }
    }
    return SOTTO_CLI_GO;
}

static int read_scopes(const char *text, sotto_span *out)
{
    sotto_span wrong;
    *out = sotto_span_str(text);
    if (out->len > SOTTO_KEY_SCOPES_MAX) {
        return sotto_cli_misuse("--scopes must be at most %d bytes long", SOTTO_KEY_SCOPES_MAX);
    }
    if (sotto_scopes_check(*out, &wrong) != SOTTO_OK) {
        return sotto_cli_misuse("--scopes: '%.*s' must be model:NAME, mode:NAME, dialect:NAME or "
                                "admin",
                                SOTTO_FMT(wrong));
    }
    return SOTTO_CLI_GO;
}

static int read_id(const char *text)
{
    if (!sotto_key_id_valid(sotto_span_str(text))) {
        return sotto_cli_misuse("an ID is the 12 characters behind ql_: see `sotto keys list`");
    }
    return SOTTO_CLI_GO;
}

/* --- output ---------------------------------------------------------------------------------- */

/* "2026-11-22", or a word for none. */
static void date_text(int64_t time_s, const char *none, char out[SOTTO_WALL_TEXT_BYTES])
{
    if (time_s == 0) {
        snprintf(out, SOTTO_WALL_TEXT_BYTES, "%s", none);
    } else {
        sotto_wall_text(time_s * 1000, out);
        out[10] = '\0';
    }
}

static const char *status_text(const struct sotto_key *key, int64_t now_s)
{
    if (key->revoked_s != 0) {
        return "revoked";
    }
    if (key->expires_s != 0 && now_s >= key->expires_s) {
        return "expired";
    }
    return now_s < key->old_until_s ? "rotating" : "works";
}

/* Prints a key that was made now: the only time that it can be seen. */
static int print_secret(const struct sotto_keys_common *common, const char *text)
{
    if (common->json) {
        printf("{\"id\":\"%.12s\",\"key\":\"%s\"}\n", text + 3, text);
    } else {
        printf("%s\n", text);
        if (isatty(STDOUT_FILENO) != 0) {
            fprintf(stderr, "Keep it: it is shown this once. Its id is %.12s.\n", text + 3);
        }
    }
    return sotto_cli_finish(SOTTO_EXIT_OK);
}

/* --- create ---------------------------------------------------------------------------------- */

/* The words of `sotto keys create`. */
struct keys_create {
    struct sotto_keys_common common;
    const char *name, *tenant, *expires, *scopes, *mode, *style;
    const char *requests_per_minute, *tokens_per_minute, *monthly_requests, *monthly_tokens;
    const char *monthly_cost;
    bool no_anonymize;
};

static int fill_key(const struct keys_create *words, struct sotto_key *key)
{
    int64_t life_s = 0;
    int status;
    key->created_s = sotto_wall_s();
    key->anonymize = !words->no_anonymize;
    if ((status = read_name("--name", words->name, &key->name)) != SOTTO_CLI_GO ||
        (status = read_name("--tenant", words->tenant, &key->tenant)) != SOTTO_CLI_GO ||
        (status = read_name("--mode", words->mode, &key->mode)) != SOTTO_CLI_GO ||
        (status = read_scopes(words->scopes, &key->scopes)) != SOTTO_CLI_GO ||
        (status = read_seconds("--expires", words->expires, 0, &life_s)) != SOTTO_CLI_GO ||
        (status = read_quota("--requests-per-minute", words->requests_per_minute,
                             &key->quota.requests_per_minute)) != SOTTO_CLI_GO ||
        (status = read_quota("--tokens-per-minute", words->tokens_per_minute,
                             &key->quota.tokens_per_minute)) != SOTTO_CLI_GO ||
        (status = read_quota("--monthly-requests", words->monthly_requests,
                             &key->quota.monthly_requests)) != SOTTO_CLI_GO ||
        (status = read_quota("--monthly-tokens", words->monthly_tokens,
                             &key->quota.monthly_tokens)) != SOTTO_CLI_GO ||
        (status = read_cost("--monthly-cost", words->monthly_cost,
                            &key->quota.monthly_cost_nano)) != SOTTO_CLI_GO) {
        return status;
    }
    if (words->expires != NULL && life_s == 0) {
        return sotto_cli_misuse("--expires must be at least one second");
    }
    key->expires_s = life_s != 0 ? key->created_s + life_s : 0;
    key->style = sotto_span_str(words->style);
    enum sotto_style style;
    if (words->style != NULL && !sotto_style_parse(key->style, &style)) {
        return sotto_cli_misuse("--style must be token, angle, surrogate or redact, not '%s'",
                                words->style);
    }
    return SOTTO_CLI_GO;
}

static int create(int argc, char **argv)
{
    struct keys_create words = {0};
    const struct sotto_cli_option options[] = {
        {"--name", "N", "a name for people", &words.name, NULL},
        {"--tenant", "T", "whose key it is; keys of one tenant share tokens", &words.tenant, NULL},
        {"--expires", "30d", "it stops working after so long", &words.expires, NULL},
        {"--scopes", "LIST", "model:NAME,mode:NAME,dialect:NAME,admin; none: all but admin",
         &words.scopes, NULL},
        {"--mode", "M", "compliance mode; requests may ask for a stricter one", &words.mode, NULL},
        {"--style", "S", "token, angle, surrogate (put back in answers) or redact", &words.style,
         NULL},
        {"--no-anonymize", NULL, "leave sealed requests as they are", NULL, &words.no_anonymize},
        {"--requests-per-minute", "N", "most requests in any minute", &words.requests_per_minute,
         NULL},
        {"--tokens-per-minute", "N", "most tokens in any minute", &words.tokens_per_minute, NULL},
        {"--monthly-requests", "N", "most requests in a month (UTC)", &words.monthly_requests,
         NULL},
        {"--monthly-tokens", "N", "most tokens in a month (UTC)", &words.monthly_tokens, NULL},
        {"--monthly-cost", "N", "most money in a month, by the prices of models, such as 12.50",
         &words.monthly_cost, NULL},
        SOTTO_KEYS_COMMON(words.common),
    };
    const struct sotto_cli cli = {
        .usage = "sotto keys create [OPTIONS]",
        .about = "Makes an API key and prints it. It cannot be printed again.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
    };
    struct sotto_store *store = NULL;
    struct sotto_key key = {0};
    char text[SOTTO_KEY_TEXT_BYTES] = "";
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = fill_key(&words, &key);
    }
    if (status == SOTTO_CLI_GO) {
        status = sotto_keys_store(&words.common, &store);
    }
    if (status == SOTTO_CLI_GO) {
        status = sotto_store_key_create(store, &key, text) == SOTTO_OK
                     ? print_secret(&words.common, text)
                     : sotto_cli_fail("%s", sotto_store_why(store));
    }
    sotto_wipe(text, sizeof(text));
    sotto_store_close(store);
    return status;
}

/* --- list ------------------------------------------------------------------------------------ */

struct keys_list_run {
    bool json;
    bool any;
    int64_t now_s;
    struct sotto_buf out;
};

static enum sotto_err list_one(void *ctx, const struct sotto_key *key)
{
    struct keys_list_run *run = ctx;
    enum sotto_err err = SOTTO_OK;
    if (run->json) {
        if (run->any) {
            err = sotto_buf_push(&run->out, ',');
        }
        err = err == SOTTO_OK ? sotto_key_json_write(key, &run->out) : err;
    } else {
        char created[SOTTO_WALL_TEXT_BYTES], expires[SOTTO_WALL_TEXT_BYTES];
        date_text(key->created_s, "-", created);
        date_text(key->expires_s, "never", expires);
        err =
            sotto_buf_printf(&run->out, "%s%.12s\t%s\t%s\t%s\t%.*s\t%.*s\t%.*s\n",
                             run->any ? "" : "ID\tSTATUS\tCREATED\tEXPIRES\tTENANT\tSCOPES\tNAME\n",
                             key->id, status_text(key, run->now_s), created, expires,
                             SOTTO_FMT(key->tenant), SOTTO_FMT(key->scopes), SOTTO_FMT(key->name));
    }
    run->any = true;
    return err;
}

static int list(int argc, char **argv)
{
    struct sotto_keys_common common = {0};
    const struct sotto_cli_option options[] = {SOTTO_KEYS_COMMON(common)};
    const struct sotto_cli cli = {
        .usage = "sotto keys list [--json] [--state DIR | --config FILE]",
        .about = "Prints all keys, oldest first, separated by tabs. Secrets are not stored.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
    };
    struct sotto_store *store = NULL;
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = sotto_keys_store(&common, &store);
    }
    if (status == SOTTO_CLI_GO) {
        struct keys_list_run run = {.json = common.json, .now_s = sotto_wall_s()};
        sotto_buf_init(&run.out, SOTTO_BUF_UNBOUNDED);
        if (sotto_store_key_each(store, list_one, &run) != SOTTO_OK) {
            status = sotto_cli_fail("%s", sotto_store_why(store));
        } else {
            printf(common.json ? "[%.*s]\n" : "%.*s", SOTTO_FMT(sotto_buf_span(&run.out)));
            status = sotto_cli_finish(SOTTO_EXIT_OK);
        }
        sotto_buf_free(&run.out);
    }
    sotto_store_close(store);
    return status;
}

/* --- rotate and revoke ----------------------------------------------------------------------- */

static int rotate(int argc, char **argv)
{
    struct sotto_keys_common common = {0};
    const char *grace = NULL;
    int64_t grace_s = 0;
    const struct sotto_cli_option options[] = {
        {"--grace", "48h", "the old secret works for so long (default: the gateway's keys.grace)",
         &grace, NULL},
        SOTTO_KEYS_COMMON(common),
    };
    const struct sotto_cli cli = {
        .usage = "sotto keys rotate ID [--grace 48h] [--json] [--state DIR | --config FILE]",
        .about = "Gives a key a new secret and prints it. Its id stays.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
        .operand_min = 1,
        .operand_max = 1,
    };
    struct sotto_store *store = NULL;
    char text[SOTTO_KEY_TEXT_BYTES] = "";
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = read_id(argv[1]);
    }
    if (status == SOTTO_CLI_GO) {
        status = read_seconds("--grace", grace, 0, &grace_s);
    }
    if (status == SOTTO_CLI_GO) {
        status = sotto_keys_store(&common, &store);
    }
    if (status == SOTTO_CLI_GO && grace == NULL && sotto_store_grace(store, &grace_s) != SOTTO_OK) {
        status = sotto_cli_fail("%s", sotto_store_why(store));
    }
    if (status == SOTTO_CLI_GO) {
        status = sotto_store_key_rotate(store, sotto_span_str(argv[1]), sotto_wall_s() + grace_s,
                                        text) == SOTTO_OK
                     ? print_secret(&common, text)
                     : sotto_cli_fail("%s", sotto_store_why(store));
    }
    sotto_wipe(text, sizeof(text));
    sotto_store_close(store);
    return status;
}

static int revoke_key(int argc, char **argv)
{
    struct sotto_keys_common common = {0};
    const struct sotto_cli_option options[] = {SOTTO_KEYS_COMMON(common)};
    const struct sotto_cli cli = {
        .usage = "sotto keys revoke ID [--state DIR | --config FILE]",
        .about = "Ends a key, old and new secret, from the next request on.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
        .operand_min = 1,
        .operand_max = 1,
    };
    struct sotto_store *store = NULL;
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = read_id(argv[1]);
    }
    if (status == SOTTO_CLI_GO) {
        status = sotto_keys_store(&common, &store);
    }
    if (status == SOTTO_CLI_GO) {
        if (sotto_store_key_revoke(store, sotto_span_str(argv[1]), sotto_wall_s()) == SOTTO_OK) {
            printf(common.json ? "{\"revoked\":\"%s\"}\n" : "revoked %s\n", argv[1]);
            status = sotto_cli_finish(SOTTO_EXIT_OK);
        } else {
            status = sotto_cli_fail("%s", sotto_store_why(store));
        }
    }
    sotto_store_close(store);
    return status;
}

/* --- the command ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} subcommands[] = {
    {"create", create},          {"list", list},
    {"rotate", rotate},          {"revoke", revoke_key},
    {"usage", sotto_keys_usage}, {"mesh", sotto_keys_mesh},
};

int sotto_cmd_keys(int argc, char **argv)
{
    static const char help[] =
        "usage: sotto keys create|list|rotate|revoke|usage|mesh [WORDS...]\n\n"
        "API keys of the gateway. A running gateway notices each change at its next request.\n\n"
        "  create      make a key and print it\n"
        "  list        print all keys, without secrets\n"
        "  rotate ID   give a key a new secret; the old one works for a grace period\n"
        "  revoke ID   end a key\n"
        "  usage       print what each key used in a month\n"
        "  mesh        print the certificate authority for sealed conversations\n\n"
        "`sotto keys create --help` and so on say more.\n";
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
            snprintf(name, sizeof(name), "sotto keys %s", argv[1]);
            argv[1] = name;
            sotto_ignore(sotto_harden()); /* no core dump has a key in it; else as before */
            return subcommands[i].run(argc - 1, argv + 1);
        }
    }
    return sotto_cli_misuse("unknown command keys %s: see `sotto keys --help`", argv[1]);
}
