/* SPDX-License-Identifier: Apache-2.0 */

#include "presidio/answer.h"

#include <stdarg.h>
#include <stdio.h>

#include "text/utf8.h"

enum sotto_err presidio_refuse(struct presidio_answer *answer, int status, const char *fmt, ...)
{
    char sentence[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, ap);
    va_end(ap);

    answer->status = status;
    answer->type = "application/json";
    sotto_buf_truncate(&answer->body, 0);
    enum sotto_err err = sotto_buf_append(&answer->body, SOTTO_LIT("{\"error\":"));
    if (err == SOTTO_OK) {
        err = sotto_json_quote(sotto_span_str(sentence), true, &answer->body);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&answer->body, SOTTO_LIT("}\n"));
    }
    return err == SOTTO_OK ? SOTTO_EINVAL : err;
}

enum sotto_err presidio_refuse_internal(struct presidio_answer *answer)
{
    return presidio_refuse(answer, 500, "Internal server error");
}

static bool is_whole(sotto_span number)
{
    for (size_t i = 0; i < number.len; i++) {
        uint8_t c = number.base[i];
        if (c == '.' || c == 'e' || c == 'E') {
            return false;
        }
    }
    return true;
}

enum presidio_kind presidio_kind_of(const yyjson_mut_val *value)
{
    yyjson_mut_val *val = sotto_json_readable(value);
    if (yyjson_mut_is_str(val)) {
        return PRESIDIO_STR;
    }
    if (yyjson_mut_is_bool(val)) {
        return PRESIDIO_BOOL;
    }
    if (yyjson_mut_is_arr(val)) {
        return PRESIDIO_LIST;
    }
    if (yyjson_mut_is_obj(val)) {
        return PRESIDIO_DICT;
    }
    if (!sotto_json_is_num(val)) {
        return PRESIDIO_NONE;
    }
    return is_whole(sotto_json_text(val)) ? PRESIDIO_INT : PRESIDIO_FLOAT;
}

bool presidio_is_falsy(const yyjson_mut_val *value)
{
    yyjson_mut_val *val = sotto_json_readable(value);
    double number = 0;
    switch (presidio_kind_of(val)) {
    case PRESIDIO_NONE:
        return true;
    case PRESIDIO_BOOL:
        return !yyjson_mut_get_bool(val);
    case PRESIDIO_INT:
    case PRESIDIO_FLOAT:
        return sotto_json_double(val, &number) == SOTTO_OK && number == 0;
    case PRESIDIO_STR:
        return yyjson_mut_get_len(val) == 0;
    case PRESIDIO_LIST:
        return yyjson_mut_arr_size(val) == 0;
    case PRESIDIO_DICT:
        return yyjson_mut_obj_size(val) == 0;
    }
    return false;
}

sotto_span presidio_str(const yyjson_mut_val *value)
{
    switch (presidio_kind_of(value)) {
    case PRESIDIO_BOOL:
        return yyjson_mut_get_bool(sotto_json_readable(value)) ? SOTTO_LIT("True")
                                                               : SOTTO_LIT("False");
    case PRESIDIO_INT:
    case PRESIDIO_FLOAT:
    case PRESIDIO_STR:
        return sotto_json_text(value);
    case PRESIDIO_NONE:
    case PRESIDIO_LIST:
    case PRESIDIO_DICT:
        break;
    }
    return SOTTO_LIT("None");
}

int64_t presidio_int(const yyjson_mut_val *value)
{
    yyjson_mut_val *val = sotto_json_readable(value);
    int64_t number = 0;
    if (presidio_kind_of(val) == PRESIDIO_BOOL) {
        return yyjson_mut_get_bool(val) ? 1 : 0;
    }
    if (sotto_json_int(val, &number) == SOTTO_OK) {
        return number;
    }
    return sotto_span_starts(sotto_json_text(val), SOTTO_LIT("-")) ? INT64_MIN : INT64_MAX;
}

sotto_span presidio_word(sotto_span word)
{
    size_t len = word.len < ANSWER_WORD_MAX ? word.len : ANSWER_WORD_MAX;
    while (!sotto_utf8_boundary(word, len)) {
        len--;
    }
    return sotto_span_sub(word, 0, len);
}
