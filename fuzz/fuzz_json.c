/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads any bytes as JSON.  What is read is written and read again: the second reading succeeds
 * and is written as the first was.  What is refused has a place inside the text.
 */

#include <stdlib.h>

#include "json/json.h"

#define FUZZ_DEPTH 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_always)
{
    if (!true_always) {
        abort();
    }
}

static void check_values(yyjson_mut_val *val)
{
    int64_t whole = 0;
    double real = 0;
    if (sotto_json_int(val, &whole) == SOTTO_OK) {
        require(sotto_json_is_num(val) && sotto_json_double(val, &real) == SOTTO_OK);
        require((double)whole == real);
    }
    if (yyjson_mut_is_str(val)) {
        struct sotto_buf quoted;
        struct sotto_buf written;
        sotto_buf_init(&quoted, SOTTO_BUF_UNBOUNDED);
        sotto_buf_init(&written, SOTTO_BUF_UNBOUNDED);
        require(sotto_json_quote(sotto_json_text(val), true, &quoted) == SOTTO_OK);
        require(sotto_json_write(val, &written) == SOTTO_OK);
        require(sotto_span_eq(sotto_buf_span(&quoted), sotto_buf_span(&written)));
        sotto_buf_free(&quoted);
        sotto_buf_free(&written);
    }
    yyjson_mut_val *child;
    if (yyjson_mut_is_obj(val)) {
        yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(val);
        while ((child = yyjson_mut_obj_iter_next(&iter)) != NULL) {
            check_values(yyjson_mut_obj_iter_get_val(child));
        }
    } else if (yyjson_mut_is_arr(val)) {
        yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(val);
        while ((child = yyjson_mut_arr_iter_next(&iter)) != NULL) {
            check_values(child);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sotto_span text = sotto_span_init(data, size);
    struct sotto_json_error error = {0};
    struct sotto_buf once;
    struct sotto_buf twice;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_doc *again = NULL;

    if (sotto_json_read(text, FUZZ_DEPTH, &doc, &error) != SOTTO_OK) {
        require(error.what != NULL && error.position <= size && error.line >= 1 &&
                error.column >= 1);
        return 0;
    }
    check_values(yyjson_mut_doc_get_root(doc));
    sotto_buf_init(&once, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&twice, SOTTO_BUF_UNBOUNDED);
    require(sotto_json_write(yyjson_mut_doc_get_root(doc), &once) == SOTTO_OK);
    require(sotto_json_read(sotto_buf_span(&once), FUZZ_DEPTH, &again, NULL) == SOTTO_OK);
    require(yyjson_mut_equals(yyjson_mut_doc_get_root(doc), yyjson_mut_doc_get_root(again)));
    require(sotto_json_write(yyjson_mut_doc_get_root(again), &twice) == SOTTO_OK);
    require(sotto_span_eq(sotto_buf_span(&once), sotto_buf_span(&twice)));
    sotto_json_free(doc);
    sotto_json_free(again);
    sotto_buf_free(&once);
    sotto_buf_free(&twice);
    return 0;
}
