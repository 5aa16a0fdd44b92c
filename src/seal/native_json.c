/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/native_json.h"

#include "crypto/base64.h"

enum sotto_err sotto_native_put(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key,
                                sotto_span bytes)
{
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_base64_write(bytes, &text);
    if (err == SOTTO_OK) {
        err = sotto_json_put_text(doc, obj, key, sotto_buf_span(&text));
    }
    sotto_buf_free(&text);
    return err;
}

static sotto_span text_of(yyjson_mut_val *obj, const char *key)
{
    yyjson_mut_val *val = sotto_json_get(obj, key);
    return yyjson_mut_is_str(val) ? sotto_json_text(val) : sotto_span_init(NULL, 0);
}

enum sotto_err sotto_native_take(yyjson_mut_val *obj, const char *key, size_t max,
                                 struct sotto_buf *out)
{
    sotto_span text = text_of(obj, key);
    if (text.len == 0 || text.len > SOTTO_BASE64_LEN(max)) {
        return SOTTO_EFORMAT;
    }
    return sotto_base64_read(text, out);
}

enum sotto_err sotto_native_take_exact(yyjson_mut_val *obj, const char *key, uint8_t *out, size_t n)
{
    return sotto_base64_read_exact(text_of(obj, key), out, n);
}
