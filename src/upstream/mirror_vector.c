/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/mirror_vector.h"

#include <math.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "upstream/mirror_plan.h"

/* Words, without the white space before them, each into one place, up or down. */
static void count_words(sotto_span text, float *vector, size_t len)
{
    static const uint8_t key[SOTTO_HASH_KEY_BYTES] = "sotto mirror";
    float sum = 0;
    memset(vector, 0, len * sizeof(*vector));
    while (text.len != 0) {
        sotto_span word = sotto_mirror_word(text);
        text = sotto_span_skip(text, word.len);
        uint64_t hash = sotto_hash64(key, sotto_span_trim(word));
        vector[(hash >> 1) % len] += (hash & 1U) != 0 ? 1.0F : -1.0F;
    }
    for (size_t i = 0; i < len; i++) {
        sum += vector[i] * vector[i];
    }
    if (sum == 0) {
        vector[0] = sum = 1.0F;
    }
    for (size_t i = 0; i < len; i++) {
        vector[i] /= sqrtf(sum);
    }
}

/* Base64 (RFC 4648 4) of the numbers as little-endian bytes, as OpenAI's clients ask for it. */
static yyjson_mut_val *as_base64(yyjson_mut_doc *doc, const float *vector, size_t len)
{
    static const char symbols[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    size_t size = len * sizeof(*vector);
    const uint8_t *in = (const uint8_t *)vector;
    char *out = sotto_alloc((size + 2) / 3 * 4);
    size_t at = 0;
    if (out == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)in[i] << 16;
        group |= i + 1 < size ? (uint32_t)in[i + 1] << 8 : 0;
        group |= i + 2 < size ? in[i + 2] : 0;
        out[at++] = symbols[group >> 18];
        out[at++] = symbols[group >> 12 & 63U];
        out[at++] = symbols[i + 1 < size ? group >> 6 & 63U : 64U];
        out[at++] = symbols[i + 2 < size ? group & 63U : 64U];
    }
    yyjson_mut_val *val = sotto_json_str(doc, sotto_span_init(out, at));
    sotto_free(out);
    return val;
}

static yyjson_mut_val *as_numbers(yyjson_mut_doc *doc, const float *vector, size_t len)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    for (size_t i = 0; i < len; i++) {
        if (!yyjson_mut_arr_add_real(doc, list, (double)vector[i])) {
            return NULL;
        }
    }
    return list;
}

/* What an answer is made from. */
struct vectors {
    yyjson_mut_doc *doc;
    yyjson_mut_val *data;
    float *vector;
    size_t len;
    bool base64;
    int64_t words;
};

static enum sotto_err add_vector(struct vectors *v, sotto_span text)
{
    yyjson_mut_val *one = yyjson_mut_obj(v->doc);
    count_words(text, v->vector, v->len);
    v->words += sotto_mirror_words(text);
    yyjson_mut_val *embedding =
        v->base64 ? as_base64(v->doc, v->vector, v->len) : as_numbers(v->doc, v->vector, v->len);
    int64_t index = (int64_t)yyjson_mut_arr_size(v->data);
    enum sotto_err err;
    if ((err = sotto_json_put_text(v->doc, one, "object", SOTTO_LIT("embedding"))) != SOTTO_OK ||
        (err = sotto_json_put_int(v->doc, one, "index", index)) != SOTTO_OK ||
        (err = sotto_json_put(v->doc, one, "embedding", embedding)) != SOTTO_OK) {
        return err;
    }
    return yyjson_mut_arr_append(v->data, one) ? SOTTO_OK : SOTTO_ENOMEM;
}

static enum sotto_err add_inputs(struct vectors *v, yyjson_mut_val *input)
{
    enum sotto_err err = SOTTO_OK;
    if (yyjson_mut_is_str(input)) {
        return add_vector(v, sotto_json_text(input));
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(input);
    yyjson_mut_val *one;
    while (err == SOTTO_OK && (one = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = add_vector(v, sotto_json_text(one));
    }
    return err;
}

static enum sotto_err fill_root(struct vectors *v, yyjson_mut_val *root, sotto_span model)
{
    yyjson_mut_val *usage = yyjson_mut_obj(v->doc);
    enum sotto_err err;
    if ((err = sotto_json_put_text(v->doc, root, "object", SOTTO_LIT("list"))) != SOTTO_OK ||
        (err = sotto_json_put(v->doc, root, "data", v->data)) != SOTTO_OK ||
        (err = sotto_json_put_text(v->doc, root, "model", model)) != SOTTO_OK ||
        (err = sotto_json_put_int(v->doc, usage, "prompt_tokens", v->words)) != SOTTO_OK ||
        (err = sotto_json_put_int(v->doc, usage, "total_tokens", v->words)) != SOTTO_OK) {
        return err;
    }
    return sotto_json_put(v->doc, root, "usage", usage);
}

enum sotto_err sotto_mirror_vectors(const struct sotto_call *call, yyjson_mut_doc **answer)
{
    yyjson_mut_val *from = yyjson_mut_doc_get_root(call->doc);
    int64_t len = SOTTO_MIRROR_VECTOR_LEN;
    struct vectors v = {.doc = sotto_json_new()};
    yyjson_mut_val *root = yyjson_mut_obj(v.doc);
    if (sotto_json_int(sotto_json_get(from, "dimensions"), &len) == SOTTO_OK &&
        len > SOTTO_MIRROR_VECTOR_MAX) {
        len = SOTTO_MIRROR_VECTOR_MAX;
    }
    v.len = (size_t)(len > 0 ? len : 1);
    v.data = yyjson_mut_arr(v.doc);
    v.vector = sotto_calloc(v.len, sizeof(*v.vector));
    v.base64 = sotto_json_is(sotto_json_get(from, "encoding_format"), "base64");
    enum sotto_err err = SOTTO_ENOMEM;
    if (root != NULL && v.data != NULL && v.vector != NULL &&
        (err = add_inputs(&v, sotto_json_get(from, "input"))) == SOTTO_OK) {
        err = fill_root(&v, root, call->model);
    }
    sotto_free(v.vector);
    if (err != SOTTO_OK) {
        sotto_json_free(v.doc);
        return err;
    }
    yyjson_mut_doc_set_root(v.doc, root);
    *answer = v.doc;
    return SOTTO_OK;
}
