/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/field.h"

#include <inttypes.h>
#include <stdio.h>

/* Deepest path that a rule names. */
#define FIELD_DEPTH 8

#define FIELD_PATH_MAX sizeof(((struct sotto_problem *)0)->param)

static void field_path(const struct sotto_field *field, char *out, size_t size)
{
    const struct sotto_field *chain[FIELD_DEPTH];
    size_t depth = 0, len = 0;
    for (; field != NULL && depth < FIELD_DEPTH; field = field->up) {
        chain[depth++] = field;
    }
    out[0] = '\0';
    while (depth-- != 0 && len < size) {
        const struct sotto_field *step = chain[depth];
        int n = step->key != NULL
                    ? snprintf(out + len, size - len, "%s%s", len != 0 ? "." : "", step->key)
                    : snprintf(out + len, size - len, "[%zu]", step->index);
        len += n > 0 ? (size_t)n : 0;
    }
}

static const char *type_name(yyjson_mut_val *val)
{
    int64_t whole;
    if (val == NULL || yyjson_mut_is_null(val)) {
        return "null";
    }
    if (sotto_json_is_num(val)) {
        return sotto_json_int(val, &whole) == SOTTO_OK ? "an integer" : "a decimal";
    }
    if (yyjson_mut_is_str(val)) {
        return "a string";
    }
    if (yyjson_mut_is_bool(val)) {
        return "a boolean";
    }
    return yyjson_mut_is_arr(val) ? "an array" : "an object";
}

enum sotto_err sotto_field_missing(const struct sotto_field *field, struct sotto_problem *problem)
{
    char path[FIELD_PATH_MAX];
    field_path(field, path, sizeof(path));
    sotto_problem_set(problem, 400, "invalid_request_error", "missing_required_parameter", path,
                      "Missing required parameter: '%s'.", path);
    return SOTTO_EINVAL;
}

enum sotto_err sotto_field_wrong_type(const struct sotto_field *field, const char *expected,
                                      yyjson_mut_val *got, struct sotto_problem *problem)
{
    char path[FIELD_PATH_MAX];
    field_path(field, path, sizeof(path));
    sotto_problem_set(problem, 400, "invalid_request_error", "invalid_type", path,
                      "Invalid type for '%s': expected %s, but got %s instead.", path, expected,
                      type_name(got));
    return SOTTO_EINVAL;
}

enum sotto_err sotto_field_empty_array(const struct sotto_field *field,
                                       struct sotto_problem *problem)
{
    char path[FIELD_PATH_MAX];
    field_path(field, path, sizeof(path));
    sotto_problem_set(problem, 400, "invalid_request_error", "empty_array", path,
                      "Invalid '%s': empty array. Expected an array with minimum length 1, but got "
                      "an empty array instead.",
                      path);
    return SOTTO_EINVAL;
}

enum sotto_err sotto_field_wrong_word(const struct sotto_field *field, const char *const *words,
                                      struct sotto_problem *problem)
{
    char path[FIELD_PATH_MAX];
    char list[sizeof(problem->message)];
    size_t len = 0;
    field_path(field, path, sizeof(path));
    list[0] = '\0';
    for (size_t i = 0; words[i] != NULL && len < sizeof(list); i++) {
        const char *join = i == 0 ? "" : words[i + 1] == NULL ? " and " : ", ";
        int n = snprintf(list + len, sizeof(list) - len, "%s'%s'", join, words[i]);
        len += n > 0 ? (size_t)n : 0;
    }
    sotto_problem_set(problem, 400, "invalid_request_error", "invalid_value", path,
                      "Invalid value for '%s'. Supported values are: %s.", path, list);
    return SOTTO_EINVAL;
}

static enum sotto_err out_of_range(const struct sotto_field *field,
                                   const struct sotto_field_rule *rule, bool below,
                                   struct sotto_problem *problem)
{
    static const char *const codes[2][2] = {
        {"integer_above_max_value", "integer_below_min_value"},
        {"decimal_above_max_value", "decimal_below_min_value"},
    };
    bool number = rule->type == SOTTO_FIELD_NUMBER;
    char path[FIELD_PATH_MAX];
    field_path(field, path, sizeof(path));
    sotto_problem_set(problem, 400, "invalid_request_error", codes[number][below], path,
                      "Invalid '%s': %s %s value. Expected a value %s %" PRId64 ".", path,
                      number ? "decimal" : "integer", below ? "below minimum" : "above maximum",
                      below ? ">=" : "<=", below ? rule->min : rule->max);
    return SOTTO_EINVAL;
}

static bool is_string_or_strings(yyjson_mut_val *val)
{
    if (yyjson_mut_is_str(val)) {
        return true;
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(val);
    yyjson_mut_val *element;
    while ((element = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        if (!yyjson_mut_is_str(element)) {
            return false;
        }
    }
    return yyjson_mut_is_arr(val);
}

static bool has_type(yyjson_mut_val *val, enum sotto_field_type type)
{
    int64_t whole;
    double real;
    switch (type) {
    case SOTTO_FIELD_STRING:
        return yyjson_mut_is_str(val);
    case SOTTO_FIELD_BOOLEAN:
        return yyjson_mut_is_bool(val);
    case SOTTO_FIELD_INTEGER:
        return sotto_json_int(val, &whole) == SOTTO_OK;
    case SOTTO_FIELD_NUMBER:
        return sotto_json_double(val, &real) == SOTTO_OK;
    case SOTTO_FIELD_OBJECT:
        return yyjson_mut_is_obj(val);
    case SOTTO_FIELD_ARRAY:
        return yyjson_mut_is_arr(val);
    case SOTTO_FIELD_STRING_OR_OBJECT:
        return yyjson_mut_is_str(val) || yyjson_mut_is_obj(val);
    case SOTTO_FIELD_STRING_OR_STRINGS:
        return is_string_or_strings(val);
    }
    return false;
}

static const char *type_wanted(enum sotto_field_type type)
{
    switch (type) {
    case SOTTO_FIELD_STRING:
        return "a string";
    case SOTTO_FIELD_BOOLEAN:
        return "a boolean";
    case SOTTO_FIELD_INTEGER:
        return "an integer";
    case SOTTO_FIELD_NUMBER:
        return "a decimal";
    case SOTTO_FIELD_OBJECT:
        return "an object";
    case SOTTO_FIELD_ARRAY:
        return "an array";
    case SOTTO_FIELD_STRING_OR_OBJECT:
        return "one of a string or object";
    case SOTTO_FIELD_STRING_OR_STRINGS:
        return "one of a string or array of strings";
    }
    return "another";
}

static enum sotto_err check_value(yyjson_mut_val *val, const struct sotto_field *field,
                                  const struct sotto_field_rule *rule,
                                  struct sotto_problem *problem)
{
    double real;
    if (!has_type(val, rule->type)) {
        return sotto_field_wrong_type(field, type_wanted(rule->type), val, problem);
    }
    bool ranged = rule->type == SOTTO_FIELD_INTEGER || rule->type == SOTTO_FIELD_NUMBER;
    if (!ranged || sotto_json_double(val, &real) != SOTTO_OK) {
        return SOTTO_OK;
    }
    if (real < (double)rule->min) {
        return out_of_range(field, rule, true, problem);
    }
    return real > (double)rule->max ? out_of_range(field, rule, false, problem) : SOTTO_OK;
}

static const struct sotto_field_rule *rule_for(sotto_span key, const struct sotto_field_rule *rules,
                                               size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sotto_span_eq(rules[i].key, key)) {
            return &rules[i];
        }
    }
    return NULL;
}

enum sotto_err sotto_field_check(yyjson_mut_val *obj, const struct sotto_field *up,
                                 const struct sotto_field_rule *rules, size_t count,
                                 struct sotto_problem *problem)
{
    enum sotto_err err = SOTTO_OK;
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(obj);
    yyjson_mut_val *key;
    while (err == SOTTO_OK && (key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        const struct sotto_field_rule *rule = rule_for(sotto_json_text(key), rules, count);
        yyjson_mut_val *val = yyjson_mut_obj_iter_get_val(key);
        if (rule != NULL && yyjson_mut_is_null(val)) {
            (void)yyjson_mut_obj_iter_remove(&iter);
        } else if (rule != NULL) {
            const struct sotto_field field = {.up = up, .key = (const char *)rule->key.base};
            err = check_value(val, &field, rule, problem);
        }
    }
    return err;
}

bool sotto_field_is_word(const yyjson_mut_val *text, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (sotto_json_is(text, words[i])) {
            return true;
        }
    }
    return false;
}
