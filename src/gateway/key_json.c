/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/key_json.h"

#include <inttypes.h>

#include "config/value.h"
#include "gateway/setup.h"

static enum sotto_err put_text(struct sotto_buf *out, const char *name, sotto_span text)
{
    enum sotto_err err = sotto_buf_printf(out, ",\"%s\":", name);
    return err == SOTTO_OK ? sotto_json_quote(text, true, out) : err;
}

enum sotto_err sotto_key_json_write(const struct sotto_key *key, struct sotto_buf *out)
{
    char cost[CONFIG_NUMBER_BYTES];
    enum sotto_err err;
    config_write_money(key->quota.monthly_cost_nano, cost);
    if ((err = sotto_buf_printf(out, "{\"id\":\"%.12s\"", key->id)) != SOTTO_OK ||
        (err = put_text(out, "name", key->name)) != SOTTO_OK ||
        (err = put_text(out, "tenant", key->tenant)) != SOTTO_OK ||
        (err = put_text(out, "scopes", key->scopes)) != SOTTO_OK ||
        (err = put_text(out, "mode", key->mode)) != SOTTO_OK ||
        (err = put_text(out, "style", key->style)) != SOTTO_OK) {
        return err;
    }
    return sotto_buf_printf(
        out,
        ",\"anonymize\":%s,\"created\":%" PRId64 ",\"expires\":%" PRId64 ",\"revoked\":%" PRId64
        ",\"old_until\":%" PRId64 ",\"requests_per_minute\":%" PRIu64
        ",\"tokens_per_minute\":%" PRIu64 ",\"monthly_requests\":%" PRIu64
        ",\"monthly_tokens\":%" PRIu64 ",\"monthly_cost\":%s}",
        key->anonymize ? "true" : "false", key->created_s, key->expires_s, key->revoked_s,
        key->old_until_s, key->quota.requests_per_minute, key->quota.tokens_per_minute,
        key->quota.monthly_requests, key->quota.monthly_tokens, cost);
}

enum sotto_err sotto_key_json_use(sotto_span id, const struct sotto_use *used,
                                  struct sotto_buf *out)
{
    char cost[CONFIG_NUMBER_BYTES];
    config_write_money(used->cost_nano > 0 ? (uint64_t)used->cost_nano : 0, cost);
    return sotto_buf_printf(out,
                            "\"key\":\"%.*s\",\"requests\":%" PRId64 ",\"prompt_tokens\":%" PRId64
                            ",\"completion_tokens\":%" PRId64 ",\"estimated_tokens\":%" PRId64
                            ",\"cost\":%s",
                            SOTTO_FMT(id), used->requests, used->prompt_tokens,
                            used->completion_tokens, used->estimated_tokens, cost);
}

/* --- reading ----------------------------------------------------------------------------------- */

enum key_json_type {
    KEY_JSON_NAME,
    KEY_JSON_SCOPES,
    KEY_JSON_STYLE,
    KEY_JSON_LIFE,
    KEY_JSON_BOOL,
    KEY_JSON_COUNT,
    KEY_JSON_MONEY,
};

#define AT(member) offsetof(struct sotto_key, member)

static const struct key_json_field {
    const char *name;
    enum key_json_type type;
    size_t offset;
    const char *must; /* what a value that is refused should have been */
} fields[] = {
    {"name", KEY_JSON_NAME, AT(name), "a text of 1 to 100 bytes without control characters"},
    {"tenant", KEY_JSON_NAME, AT(tenant), "a text of 1 to 100 bytes without control characters"},
    {"mode", KEY_JSON_NAME, AT(mode), "the name of a mode"},
    {"scopes", KEY_JSON_SCOPES, AT(scopes),
     "a list such as \"model:NAME,mode:NAME,dialect:NAME,admin\""},
    {"style", KEY_JSON_STYLE, AT(style), "token or redact"},
    {"expires", KEY_JSON_LIFE, AT(expires_s), "a duration such as \"30d\""},
    {"anonymize", KEY_JSON_BOOL, AT(anonymize), "true or false"},
    {"requests_per_minute", KEY_JSON_COUNT, AT(quota.requests_per_minute), "a whole number"},
    {"tokens_per_minute", KEY_JSON_COUNT, AT(quota.tokens_per_minute), "a whole number"},
    {"monthly_requests", KEY_JSON_COUNT, AT(quota.monthly_requests), "a whole number"},
    {"monthly_tokens", KEY_JSON_COUNT, AT(quota.monthly_tokens), "a whole number"},
    {"monthly_cost", KEY_JSON_MONEY, AT(quota.monthly_cost_nano), "a number such as 12.50"},
};

static bool is_name(sotto_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.base[i] < 0x20 || text.base[i] == 0x7f) {
            return false;
        }
    }
    return text.len != 0 && text.len <= SOTTO_KEY_NAME_MAX;
}

static bool read_life(sotto_span text, int64_t now_s, int64_t *out)
{
    uint64_t ms = 0;
    if (config_parse_duration(text, &ms) != SOTTO_OK || ms < 1000 ||
        ms / 1000 > SOTTO_KEY_TIME_MAX_S) {
        return false;
    }
    *out = now_s + (int64_t)(ms / 1000);
    return true;
}

static bool read_value(const struct key_json_field *field, yyjson_mut_val *value, int64_t now_s,
                       struct sotto_key *key)
{
    void *to = (char *)key + field->offset;
    sotto_span text = sotto_json_text(value);
    bool is_text = yyjson_mut_is_str(value);
    enum sotto_style style;
    switch (field->type) {
    case KEY_JSON_NAME:
        *(sotto_span *)to = text;
        return is_text && is_name(text);
    case KEY_JSON_SCOPES:
        *(sotto_span *)to = text;
        return is_text && text.len <= SOTTO_KEY_SCOPES_MAX &&
               sotto_scopes_check(text, NULL) == SOTTO_OK;
    case KEY_JSON_STYLE:
        *(sotto_span *)to = text;
        return is_text && sotto_style_parse(text, &style);
    case KEY_JSON_LIFE:
        return is_text && read_life(text, now_s, to);
    case KEY_JSON_BOOL:
        *(bool *)to = yyjson_mut_get_bool(value);
        return yyjson_mut_is_bool(value);
    case KEY_JSON_COUNT:
        return !is_text && config_parse_count(text, to) == SOTTO_OK &&
               *(uint64_t *)to <= SOTTO_KEY_QUOTA_MAX;
    case KEY_JSON_MONEY:
        return !is_text && config_parse_money(text, to) == SOTTO_OK &&
               *(uint64_t *)to <= SOTTO_KEY_COST_MAX_NANO;
    }
    return false;
}

static enum sotto_err read_member(yyjson_mut_val *name, yyjson_mut_val *value, int64_t now_s,
                                  struct sotto_key *key, struct sotto_problem *problem)
{
    for (size_t i = 0; i < SOTTO_COUNT(fields); i++) {
        if (!yyjson_mut_equals_str(name, fields[i].name)) {
            continue;
        }
        if (yyjson_mut_is_null(value) || read_value(&fields[i], value, now_s, key)) {
            return SOTTO_OK;
        }
        sotto_problem_invalid(problem, fields[i].name, "%s must be %s.", fields[i].name,
                              fields[i].must);
        return SOTTO_EINVAL;
    }
    sotto_problem_invalid(problem, NULL,
                          "There is an unknown field. A key has name, tenant, scopes, mode, style, "
                          "expires, anonymize and the quotas requests_per_minute, "
                          "tokens_per_minute, monthly_requests, monthly_tokens, monthly_cost.");
    return SOTTO_EINVAL;
}

enum sotto_err sotto_key_json_read(yyjson_mut_val *root, int64_t now_s, struct sotto_key *key,
                                   struct sotto_problem *problem)
{
    struct sotto_key made = {.created_s = now_s, .anonymize = true};
    enum sotto_err err = SOTTO_OK;
    size_t i, n;
    yyjson_mut_val *name, *value;
    if (!yyjson_mut_is_obj(root)) {
        sotto_problem_invalid(problem, NULL, "The body must be a JSON object.");
        return SOTTO_EINVAL;
    }
    yyjson_mut_obj_foreach(root, i, n, name, value)
    {
        if (err == SOTTO_OK) {
            err = read_member(name, value, now_s, &made, problem);
        }
    }
    if (err == SOTTO_OK) {
        *key = made;
    }
    return err;
}
