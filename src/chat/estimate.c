/* SPDX-License-Identifier: Apache-2.0 */

#include "chat/estimate.h"

uint64_t sotto_estimate_tokens(uint64_t bytes)
{
    uint64_t tokens = bytes / SOTTO_ESTIMATE_BYTES + (bytes % SOTTO_ESTIMATE_BYTES != 0 ? 1 : 0);
    return tokens < SOTTO_ESTIMATE_MAX ? tokens : SOTTO_ESTIMATE_MAX;
}

/* Members that hold Base64 in OpenAI's parts: input_audio.data, file.file_data. */
static bool is_blob_name(yyjson_mut_val *key)
{
    return yyjson_mut_equals_str(key, "data") || yyjson_mut_equals_str(key, "file_data");
}

static uint64_t string_bytes(yyjson_mut_val *value, yyjson_mut_val *key)
{
    sotto_span text = sotto_span_init(yyjson_mut_get_str(value), yyjson_mut_get_len(value));
    bool blob = sotto_span_starts(text, SOTTO_LIT("data:")) || (key != NULL && is_blob_name(key));
    return blob && text.len > SOTTO_ESTIMATE_BLOB_BYTES ? SOTTO_ESTIMATE_BLOB_BYTES : text.len;
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the limit of JSON lets a document be */
static uint64_t count_bytes(yyjson_mut_val *value, yyjson_mut_val *key)
{
    uint64_t sum = 0;
    size_t i, n;
    yyjson_mut_val *name, *child;
    if (yyjson_mut_is_str(value)) {
        return string_bytes(value, key);
    }
    if (yyjson_mut_is_arr(value)) {
        yyjson_mut_arr_foreach(value, i, n, child)
        {
            sum += count_bytes(child, NULL);
        }
    } else if (yyjson_mut_is_obj(value)) {
        yyjson_mut_obj_foreach(value, i, n, name, child)
        {
            sum += count_bytes(child, name);
        }
    }
    return sum;
}
/* NOLINTEND(misc-no-recursion) */

uint64_t sotto_estimate_bytes(yyjson_mut_val *value)
{
    return count_bytes(value, NULL);
}
