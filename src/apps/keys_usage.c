/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/keys_usage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/keys_common.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "config/value.h"
#include "gateway/key_json.h"
#include "sys/clock.h"

/* What one key used. */
struct usage_row {
    char id[SOTTO_KEY_ID_LEN];
    struct sotto_use used;
};

/* One run: the use is read first, then put beside its keys. */
struct usage_run {
    bool json;
    bool any;
    struct usage_row *rows; /* sorted by id once all are read */
    size_t count, cap;
    struct sotto_buf out;
};

static enum sotto_err note_use(void *ctx, sotto_span key, const struct sotto_use *used)
{
    struct usage_run *run = ctx;
    if (run->count == run->cap) {
        size_t cap = run->cap != 0 ? run->cap * 2 : 64;
        struct usage_row *rows = sotto_resize(run->rows, cap * sizeof(*rows));
        if (rows == NULL) {
            return SOTTO_ENOMEM;
        }
        run->rows = rows;
        run->cap = cap;
    }
    struct usage_row *row = &run->rows[run->count++];
    memcpy(row->id, key.base, sizeof(row->id));
    row->used = *used;
    return SOTTO_OK;
}

static int compare_rows(const void *a, const void *b)
{
    return sotto_key_id_compare(((const struct usage_row *)a)->id,
                                ((const struct usage_row *)b)->id);
}

static int compare_ids(const void *id, const void *row)
{
    return sotto_key_id_compare(id, ((const struct usage_row *)row)->id);
}

/* "3", or "3/10" where there is a quota. */
static enum sotto_err put_count(struct sotto_buf *out, int64_t used, uint64_t quota)
{
    return quota != 0 ? sotto_buf_printf(out, "\t%" PRId64 "/%" PRIu64, used, quota)
                      : sotto_buf_printf(out, "\t%" PRId64, used);
}

static enum sotto_err put_cost(struct sotto_buf *out, int64_t used_nano, uint64_t quota_nano)
{
    char used[CONFIG_NUMBER_BYTES], quota[CONFIG_NUMBER_BYTES];
    config_write_money(used_nano > 0 ? (uint64_t)used_nano : 0, used);
    config_write_money(quota_nano, quota);
    return sotto_buf_printf(out, "\t%s%s%s", used, quota_nano != 0 ? "/" : "",
                            quota_nano != 0 ? quota : "");
}

static enum sotto_err write_line(const struct sotto_key *key, const struct sotto_use *used,
                                 struct sotto_buf *out)
{
    const struct sotto_key_quota *quota = &key->quota;
    enum sotto_err err;
    if ((err = sotto_buf_printf(out, "%.12s", key->id)) != SOTTO_OK ||
        (err = put_count(out, used->requests, quota->monthly_requests)) != SOTTO_OK ||
        (err = put_count(out, used->prompt_tokens + used->completion_tokens,
                         quota->monthly_tokens)) != SOTTO_OK ||
        (err = put_count(out, used->estimated_tokens, 0)) != SOTTO_OK ||
        (err = put_cost(out, used->cost_nano, quota->monthly_cost_nano)) != SOTTO_OK) {
        return err;
    }
    return sotto_buf_printf(out, "\t%.*s\t%.*s\n", SOTTO_FMT(key->tenant), SOTTO_FMT(key->name));
}

static enum sotto_err write_object(const struct sotto_key *key, const struct sotto_use *used,
                                   struct sotto_buf *out)
{
    char cost[CONFIG_NUMBER_BYTES];
    enum sotto_err err;
    config_write_money(key->quota.monthly_cost_nano, cost);
    if ((err = sotto_buf_push(out, '{')) != SOTTO_OK ||
        (err = sotto_key_json_use(sotto_span_init(key->id, sizeof(key->id)), used, out)) !=
            SOTTO_OK ||
        (err = sotto_buf_append(out, SOTTO_LIT(",\"name\":"))) != SOTTO_OK ||
        (err = sotto_json_quote(key->name, true, out)) != SOTTO_OK ||
        (err = sotto_buf_append(out, SOTTO_LIT(",\"tenant\":"))) != SOTTO_OK ||
        (err = sotto_json_quote(key->tenant, true, out)) != SOTTO_OK) {
        return err;
    }
    return sotto_buf_printf(out,
                            ",\"monthly_requests\":%" PRIu64 ",\"monthly_tokens\":%" PRIu64
                            ",\"monthly_cost\":%s}",
                            key->quota.monthly_requests, key->quota.monthly_tokens, cost);
}

static enum sotto_err list_one(void *ctx, const struct sotto_key *key)
{
    static const struct sotto_use nothing;
    struct usage_run *run = ctx;
    const struct usage_row *row =
        run->count != 0 ? bsearch(key->id, run->rows, run->count, sizeof(*row), compare_ids) : NULL;
    const struct sotto_use *used = row != NULL ? &row->used : &nothing;
    enum sotto_err err = SOTTO_OK;
    if (!run->any) {
        run->any = true;
        err = run->json ? SOTTO_OK
                        : sotto_buf_append(&run->out, SOTTO_LIT("ID\tREQUESTS\tTOKENS\tESTIMATED"
                                                                "\tCOST\tTENANT\tNAME\n"));
    } else if (run->json) {
        err = sotto_buf_push(&run->out, ',');
    }
    if (err != SOTTO_OK) {
        return err;
    }
    return run->json ? write_object(key, used, &run->out) : write_line(key, used, &run->out);
}

static int read_month(const char *text, int32_t *month)
{
    *month = sotto_limit_month(sotto_wall_ms());
    if (text != NULL && sotto_month_parse(sotto_span_str(text), month) != SOTTO_OK) {
        return sotto_cli_misuse("--month must be a month such as 2026-11, not '%s'", text);
    }
    return SOTTO_CLI_GO;
}

static int print_usage(struct sotto_store *store, int32_t month, bool json)
{
    struct usage_run run = {.json = json};
    sotto_buf_init(&run.out, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_store_usage_each(store, month, note_use, &run);
    if (err == SOTTO_OK && run.count != 0) {
        qsort(run.rows, run.count, sizeof(*run.rows), compare_rows);
    }
    if (err == SOTTO_OK) {
        err = sotto_store_key_each(store, list_one, &run);
    }
    int status = SOTTO_EXIT_FAILED;
    if (err == SOTTO_ENOMEM) {
        sotto_cli_fail("%s", sotto_err_text(err));
    } else if (err != SOTTO_OK) {
        sotto_cli_fail("%s", sotto_store_why(store));
    } else {
        char text[SOTTO_MONTH_TEXT_BYTES];
        sotto_month_text(month, text);
        if (json) {
            printf("{\"month\":\"%s\",\"data\":[%.*s]}\n", text,
                   SOTTO_FMT(sotto_buf_span(&run.out)));
        } else {
            printf("%.*s", SOTTO_FMT(sotto_buf_span(&run.out)));
        }
        status = sotto_cli_finish(SOTTO_EXIT_OK);
    }
    sotto_free(run.rows);
    sotto_buf_free(&run.out);
    return status;
}

int sotto_keys_usage(int argc, char **argv)
{
    struct sotto_keys_common common = {0};
    const char *text = NULL;
    const struct sotto_cli_option options[] = {
        {"--month", "2026-11", "of this month (UTC); default: the present one", &text, NULL},
        SOTTO_KEYS_COMMON(common),
    };
    const struct sotto_cli cli = {
        .usage = "sotto keys usage [--month 2026-11] [--json] [--state DIR | --config FILE]",
        .about = "Prints what each key used in a month, behind / its quota, separated by tabs.\n"
                 "A running gateway writes what was used every five seconds.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
    };
    struct sotto_store *store = NULL;
    int32_t month = 0;
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = read_month(text, &month);
    }
    if (status == SOTTO_CLI_GO) {
        status = sotto_keys_store(&common, &store);
    }
    if (status == SOTTO_CLI_GO) {
        status = print_usage(store, month, common.json);
    }
    sotto_store_close(store);
    return status;
}
