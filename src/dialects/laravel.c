/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/laravel.h"

#include <inttypes.h>
#include <stdio.h>

#define LARAVEL_HEAD "{\"message\":\"Validation error\",\"errors\":{"
#define LARAVEL_TAIL "}}"

void sotto_laravel_init(struct sotto_laravel *check)
{
    *check = (struct sotto_laravel){0};
    sotto_buf_init(&check->errors, SOTTO_BUF_UNBOUNDED);
}

void sotto_laravel_free(struct sotto_laravel *check)
{
    sotto_buf_free(&check->errors);
}

void sotto_laravel_name(char *out, size_t size, const char *array, size_t index, const char *member)
{
    (void)snprintf(out, size, "%s.%zu%s%s", array, index, member != NULL ? "." : "",
                   member != NULL ? member : "");
}

/* The name as sentences have it: Validator::getDisplayableAttribute() of Laravel. */
static void display_name(const char *name, char *out, size_t size)
{
    bool nested = strchr(name, '.') != NULL;
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < size; i++) {
        out[i] = name[i];
        if (!nested && name[i] == '_') {
            out[i] = ' ';
        }
    }
    out[i] = '\0';
}

static enum sotto_err append_error(const char *name, const char *sentence, struct sotto_buf *out)
{
    enum sotto_err err;
    if ((err = sotto_json_quote(sotto_span_str(name), true, out)) != SOTTO_OK ||
        (err = sotto_buf_append(out, SOTTO_LIT(":["))) != SOTTO_OK ||
        (err = sotto_json_quote(sotto_span_str(sentence), true, out)) != SOTTO_OK) {
        return err;
    }
    return sotto_buf_push(out, ']');
}

static enum sotto_err add_sentence(struct sotto_laravel *check, const char *name,
                                   const char *sentence)
{
    enum sotto_err err = check->count != 0 ? sotto_buf_push(&check->errors, ',') : SOTTO_OK;
    if (err == SOTTO_OK) {
        err = append_error(name, sentence, &check->errors);
    }
    if (check->count++ == 0) {
        (void)snprintf(check->first, sizeof(check->first), "%s", sentence);
    }
    return err;
}

enum sotto_err sotto_laravel_add(struct sotto_laravel *check, const char *name,
                                 const char *sentence)
{
    char shown[64], text[160];
    const char *gap = strstr(sentence, "%s");
    size_t before = gap != NULL ? (size_t)(gap - sentence) : strlen(sentence);
    display_name(name, shown, sizeof(shown));
    (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)before, sentence, gap != NULL ? shown : "",
                   gap != NULL ? gap + 2 : "");
    return add_sentence(check, name, text);
}

static bool absent(yyjson_mut_val *val)
{
    return val == NULL || yyjson_mut_is_null(val);
}

/* What `required` calls empty. */
static bool is_empty(yyjson_mut_val *val)
{
    return absent(val) || sotto_json_is(val, "") ||
           (yyjson_mut_is_ctn(val) && unsafe_yyjson_get_len(val) == 0);
}

enum sotto_err sotto_laravel_string(struct sotto_laravel *check, const char *name,
                                    yyjson_mut_val *val)
{
    if (is_empty(val)) {
        return sotto_laravel_add(check, name, "The %s field is required.");
    }
    return yyjson_mut_is_str(val)
               ? SOTTO_OK
               : sotto_laravel_add(check, name, "The %s field must be a string.");
}

enum sotto_err sotto_laravel_in(struct sotto_laravel *check, const char *name, yyjson_mut_val *val,
                                const char *const *words)
{
    if (is_empty(val) || !yyjson_mut_is_str(val)) {
        return SOTTO_OK;
    }
    for (size_t i = 0; words[i] != NULL; i++) {
        if (sotto_json_is(val, words[i])) {
            return SOTTO_OK;
        }
    }
    return sotto_laravel_add(check, name, "The selected %s is invalid.");
}

enum sotto_err sotto_laravel_between(struct sotto_laravel *check, const char *name,
                                     yyjson_mut_val *val, int min, int max)
{
    double number;
    if (absent(val)) {
        return SOTTO_OK;
    }
    if (sotto_json_double(val, &number) != SOTTO_OK) {
        return sotto_laravel_add(check, name, "The %s field must be a number.");
    }
    if (number >= min && number <= max) {
        return SOTTO_OK;
    }
    char sentence[96];
    (void)snprintf(sentence, sizeof(sentence), "The %%s field must be between %d and %d.", min,
                   max);
    return sotto_laravel_add(check, name, sentence);
}

enum sotto_err sotto_laravel_integer(struct sotto_laravel *check, const char *name,
                                     yyjson_mut_val *val, int64_t min)
{
    int64_t number;
    if (absent(val)) {
        return SOTTO_OK;
    }
    if (sotto_json_int(val, &number) != SOTTO_OK) {
        return sotto_laravel_add(check, name, "The %s field must be an integer.");
    }
    if (number >= min) {
        return SOTTO_OK;
    }
    char sentence[96];
    (void)snprintf(sentence, sizeof(sentence), "The %%s field must be at least %" PRId64 ".", min);
    return sotto_laravel_add(check, name, sentence);
}

enum sotto_err sotto_laravel_boolean(struct sotto_laravel *check, const char *name,
                                     yyjson_mut_val *val)
{
    if (absent(val) || yyjson_mut_is_bool(val)) {
        return SOTTO_OK;
    }
    return sotto_laravel_add(check, name, "The %s field must be true or false.");
}

enum sotto_err sotto_laravel_refuse(const struct sotto_laravel *check, struct sotto_call *call,
                                    struct sotto_problem *problem)
{
    struct sotto_buf body;
    enum sotto_err err;
    sotto_buf_init(&body, SOTTO_BUF_UNBOUNDED);
    sotto_problem_invalid(problem, NULL, "%s", check->first);
    if ((err = sotto_buf_append(&body, SOTTO_LIT(LARAVEL_HEAD))) == SOTTO_OK &&
        (err = sotto_buf_append(&body, sotto_buf_span(&check->errors))) == SOTTO_OK &&
        (err = sotto_buf_append(&body, SOTTO_LIT(LARAVEL_TAIL))) == SOTTO_OK) {
        err = sotto_arena_copy(&call->arena, sotto_buf_span(&body), &problem->details);
    }
    sotto_buf_free(&body);
    return err == SOTTO_OK ? SOTTO_EINVAL : err;
}

enum sotto_err sotto_laravel_write(const char *name, const char *sentence, struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err;
    if ((err = sotto_buf_append(out, SOTTO_LIT(LARAVEL_HEAD))) != SOTTO_OK ||
        (err = append_error(name, sentence, out)) != SOTTO_OK ||
        (err = sotto_buf_append(out, SOTTO_LIT(LARAVEL_TAIL))) != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}
