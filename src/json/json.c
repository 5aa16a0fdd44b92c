/* SPDX-License-Identifier: Apache-2.0 */

#include "json/json.h"

#include <string.h>
#include <sys/auxv.h>

#include "base/alloc.h"
#include "base/hash.h"

/* Objects up to this many keys are compared pairwise; larger ones go through a hash table. */
#define JSON_PAIRWISE_KEYS 12

/* Nesting for which the walk needs no heap. */
#define JSON_SHALLOW 128

/* No number that means anything is longer; a longer one is text that happens to be digits. */
#define JSON_NUMBER_MAX 512

static void *alc_malloc(void *ctx, size_t size)
{
    (void)ctx;
    return sotto_alloc(size);
}

static void *alc_realloc(void *ctx, void *ptr, size_t old_size, size_t size)
{
    (void)ctx;
    (void)old_size;
    return sotto_resize(ptr, size);
}

static void alc_free(void *ctx, void *ptr)
{
    (void)ctx;
    sotto_free(ptr);
}

const yyjson_alc sotto_json_alc = {alc_malloc, alc_realloc, alc_free, NULL};

/* --- reading --------------------------------------------------------------------------------- */

static void fill_error(struct sotto_json_error *error, sotto_span text, size_t position,
                       const char *what)
{
    if (error == NULL) {
        return;
    }
    if (position > text.len) {
        position = text.len;
    }
    size_t line = 1, start = 0;
    for (size_t i = 0; i < position; i++) {
        if (text.base[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    *error = (struct sotto_json_error){what, line, position - start + 1, position};
}

/* The reader's texts name tokens of the grammar, never bytes of the input. */
static const char *reader_text(sotto_span text, const yyjson_read_err *found)
{
    if (text.len == 0 || found->code == YYJSON_READ_ERROR_EMPTY_CONTENT) {
        return "it is empty";
    }
    return found->msg != NULL ? found->msg : "malformed";
}

/* Where a text, known to be JSON, opens its first container deeper than `max_depth`. */
static size_t depth_position(sotto_span text, size_t max_depth)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.base[i];
        if (in_string) {
            i += c == '\\' ? 1 : 0;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if ((c == '[' || c == '{') && ++depth > max_depth) {
            return i;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return text.len;
}

/* Not by tag: it also says how the text was escaped. */
static bool same_key(yyjson_val *a, yyjson_val *b)
{
    size_t len = unsafe_yyjson_get_len(a);
    return len == unsafe_yyjson_get_len(b) && memcmp(a->uni.str, b->uni.str, len) == 0;
}

/* The kernel's random bytes of this process, through a hash: they also guard its stack. */
static void table_key(uint8_t key[SOTTO_HASH_KEY_BYTES])
{
    /* The kernel passes an address as an integer. */
    const void *seed = (const void *)getauxval(AT_RANDOM); /* NOLINT(performance-no-int-to-ptr) */
    static const uint8_t none[SOTTO_HASH_KEY_BYTES];
    const uint8_t *from = seed != NULL ? seed : none;
    uint64_t half[2] = {sotto_hash64(from, SOTTO_LIT("json keys 0")),
                        sotto_hash64(from, SOTTO_LIT("json keys 1"))};
    memcpy(key, half, SOTTO_HASH_KEY_BYTES);
}

/* The first key that stands in `obj` for the second time, through a table; NULL: none. */
static enum sotto_err hashed_duplicate(yyjson_val *obj, size_t count, yyjson_val **out)
{
    uint8_t seed[SOTTO_HASH_KEY_BYTES];
    size_t slots = 64;
    while (slots < count * 2) {
        slots *= 2;
    }
    yyjson_val **table = sotto_calloc(slots, sizeof(*table));
    if (table == NULL) {
        return SOTTO_ENOMEM;
    }
    table_key(seed);
    *out = NULL;
    yyjson_val *key = unsafe_yyjson_get_first(obj);
    for (size_t i = 0; i < count && *out == NULL; i++) {
        sotto_span text = sotto_span_init(key->uni.str, unsafe_yyjson_get_len(key));
        size_t at = (size_t)sotto_hash64(seed, text) & (slots - 1);
        while (table[at] != NULL && !same_key(table[at], key)) {
            at = (at + 1) & (slots - 1);
        }
        *out = table[at] != NULL ? key : NULL;
        table[at] = key;
        key = unsafe_yyjson_get_next(key + 1);
    }
    sotto_free(table);
    return SOTTO_OK;
}

static enum sotto_err find_duplicate(yyjson_val *obj, yyjson_val **out)
{
    size_t count = unsafe_yyjson_get_len(obj);
    if (count > JSON_PAIRWISE_KEYS) {
        return hashed_duplicate(obj, count, out);
    }
    yyjson_val *seen[JSON_PAIRWISE_KEYS];
    *out = NULL;
    yyjson_val *key = unsafe_yyjson_get_first(obj);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (same_key(seen[k], key)) {
                *out = key;
                return SOTTO_OK;
            }
        }
        seen[i] = key;
        key = unsafe_yyjson_get_next(key + 1);
    }
    return SOTTO_OK;
}

/*
 * One walk over all values, which lie in one array in the order of the text: checks the nesting
 * and the keys and adds up what a copy will need.  `ends` has room for `max_depth` entries.
 */
static enum sotto_err walk(yyjson_doc *doc, sotto_span text, size_t max_depth,
                           const yyjson_val **ends, size_t *text_bytes,
                           struct sotto_json_error *error)
{
    size_t depth = 0;
    *text_bytes = 0;
    const yyjson_val *end = doc->root + doc->val_read;
    for (yyjson_val *val = doc->root; val < end; val++) {
        while (depth != 0 && val >= ends[depth - 1]) {
            depth--;
        }
        if (!unsafe_yyjson_is_ctn(val)) {
            bool text_val = unsafe_yyjson_is_str(val) || unsafe_yyjson_is_raw(val);
            *text_bytes += text_val ? unsafe_yyjson_get_len(val) + 1 : 0;
            continue;
        }
        if (depth == max_depth) {
            fill_error(error, text, depth_position(text, max_depth), "nested too deeply");
            return SOTTO_EFORMAT;
        }
        ends[depth++] = unsafe_yyjson_get_next(val);
        yyjson_val *twice = NULL;
        if (unsafe_yyjson_is_obj(val) && find_duplicate(val, &twice) != SOTTO_OK) {
            return SOTTO_ENOMEM;
        }
        if (twice != NULL) {
            /* Strings are decoded in a copy of the text, each where it stood. */
            size_t position = (size_t)(twice->uni.str - doc->str_pool) - 1;
            fill_error(error, text, position, "a key stands twice in an object");
            return SOTTO_EFORMAT;
        }
    }
    return SOTTO_OK;
}

static enum sotto_err check(yyjson_doc *doc, sotto_span text, size_t max_depth, size_t *text_bytes,
                            struct sotto_json_error *error)
{
    const yyjson_val *shallow[JSON_SHALLOW];
    if (max_depth <= JSON_SHALLOW) {
        return walk(doc, text, max_depth, shallow, text_bytes, error);
    }
    /* There cannot be more containers than values. */
    size_t room = max_depth < doc->val_read ? max_depth : doc->val_read;
    const yyjson_val **ends = sotto_calloc(room, sizeof(*ends));
    if (ends == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = walk(doc, text, max_depth, ends, text_bytes, error);
    sotto_free(ends);
    return err;
}

/* An editable copy whose values and strings lie in one block each. */
static yyjson_mut_doc *editable(yyjson_doc *doc, size_t text_bytes)
{
    yyjson_mut_doc *copy = yyjson_mut_doc_new(&sotto_json_alc);
    if (copy == NULL) {
        return NULL;
    }
    /* These set sizes of blocks to come and fail only for sizes that cannot be. */
    (void)yyjson_mut_doc_set_val_pool_size(copy, doc->val_read);
    (void)yyjson_mut_doc_set_str_pool_size(copy, text_bytes + 1);
    yyjson_mut_doc_set_root(copy, yyjson_val_mut_copy(copy, doc->root));
    /* What is added later is small; without this the next block would double the first. */
    (void)yyjson_mut_doc_set_val_pool_size(copy, 32);
    (void)yyjson_mut_doc_set_str_pool_size(copy, 1024);
    if (copy->root == NULL) {
        yyjson_mut_doc_free(copy);
        copy = NULL;
    }
    return copy;
}

enum sotto_err sotto_json_read(sotto_span text, size_t max_depth, yyjson_mut_doc **out,
                               struct sotto_json_error *error)
{
    yyjson_read_err found = {0};
    size_t text_bytes = 0;

    /* Without INSITU the reader copies the text and does not write to it; its type says less. */
    char *bytes = (char *)(uintptr_t)(text.len != 0 ? text.base : (const uint8_t *)"");
    yyjson_doc *doc =
        yyjson_read_opts(bytes, text.len, YYJSON_READ_NUMBER_AS_RAW, &sotto_json_alc, &found);
    if (doc == NULL) {
        if (found.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
            return SOTTO_ENOMEM;
        }
        fill_error(error, text, found.pos, reader_text(text, &found));
        return SOTTO_EFORMAT;
    }
    enum sotto_err err = check(doc, text, max_depth, &text_bytes, error);
    if (err == SOTTO_OK) {
        yyjson_mut_doc *copy = editable(doc, text_bytes);
        if (copy == NULL) {
            err = SOTTO_ENOMEM;
        } else {
            *out = copy;
        }
    }
    yyjson_doc_free(doc);
    return err;
}

yyjson_mut_doc *sotto_json_new(void)
{
    return yyjson_mut_doc_new(&sotto_json_alc);
}

void sotto_json_free(yyjson_mut_doc *doc)
{
    yyjson_mut_doc_free(doc);
}

/* --- writing --------------------------------------------------------------------------------- */

enum sotto_err sotto_json_write(const yyjson_mut_val *val, struct sotto_buf *out)
{
    yyjson_write_err failed = {0};
    size_t len = 0;
    char *text =
        yyjson_mut_val_write_opts(val, YYJSON_WRITE_NOFLAG, &sotto_json_alc, &len, &failed);
    if (text == NULL) {
        return failed.code == YYJSON_WRITE_ERROR_MEMORY_ALLOCATION ? SOTTO_ENOMEM : SOTTO_EINVAL;
    }
    enum sotto_err err = sotto_buf_append(out, sotto_span_init(text, len));
    sotto_free(text);
    return err;
}

/* How many bytes from `at` on stand for themselves in a JSON string. */
static size_t plain_run(sotto_span text, size_t at)
{
    size_t i = at;
    while (i < text.len && text.base[i] >= 0x20 && text.base[i] != '"' && text.base[i] != '\\') {
        i++;
    }
    return i - at;
}

static enum sotto_err quote_byte(uint8_t c, struct sotto_buf *out)
{
    switch (c) {
    case '"':
        return sotto_buf_append(out, SOTTO_LIT("\\\""));
    case '\\':
        return sotto_buf_append(out, SOTTO_LIT("\\\\"));
    case '\b':
        return sotto_buf_append(out, SOTTO_LIT("\\b"));
    case '\f':
        return sotto_buf_append(out, SOTTO_LIT("\\f"));
    case '\n':
        return sotto_buf_append(out, SOTTO_LIT("\\n"));
    case '\r':
        return sotto_buf_append(out, SOTTO_LIT("\\r"));
    case '\t':
        return sotto_buf_append(out, SOTTO_LIT("\\t"));
    default:
        return sotto_buf_printf(out, "\\u%04X", c);
    }
}

enum sotto_err sotto_json_quote(sotto_span text, bool quotes, struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = quotes ? sotto_buf_push(out, '"') : SOTTO_OK;
    for (size_t at = 0; err == SOTTO_OK && at < text.len;) {
        size_t run = plain_run(text, at);
        if (run != 0) {
            err = sotto_buf_append(out, sotto_span_sub(text, at, at + run));
            at += run;
        } else {
            err = quote_byte(text.base[at++], out);
        }
    }
    if (err == SOTTO_OK && quotes) {
        err = sotto_buf_push(out, '"');
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

/* --- values ---------------------------------------------------------------------------------- */

/* yyjson's readers take pointers to what they do not change. */
static yyjson_mut_val *readable(const yyjson_mut_val *val)
{
    return (yyjson_mut_val *)(uintptr_t)val;
}

yyjson_mut_val *sotto_json_get(yyjson_mut_val *obj, const char *key)
{
    return yyjson_mut_obj_get(obj, key);
}

bool sotto_json_is(const yyjson_mut_val *val, const char *text)
{
    return yyjson_mut_equals_str(readable(val), text);
}

bool sotto_json_is_num(const yyjson_mut_val *val)
{
    return yyjson_mut_is_num(readable(val)) || yyjson_mut_is_raw(readable(val));
}

/* A decimal as the digits that count, without zeros at either end, and a power of ten. */
struct decimal {
    bool negative;
    size_t digit_count;
    char digits[JSON_NUMBER_MAX];
    long exponent;
};

/* Splits a number that keeps JSON's grammar. */
static bool split_number(sotto_span text, struct decimal *out)
{
    size_t i = 0;
    bool fraction = false;
    *out = (struct decimal){.negative = text.len != 0 && text.base[0] == '-'};
    if (text.len == 0 || text.len > JSON_NUMBER_MAX) {
        return false;
    }
    for (i = out->negative ? 1 : 0; i < text.len; i++) {
        char c = (char)text.base[i];
        if (c == '.') {
            fraction = true;
        } else if (c >= '0' && c <= '9') {
            out->exponent -= fraction ? 1 : 0;
            if (out->digit_count != 0 || c != '0') {
                out->digits[out->digit_count++] = c;
            }
        } else {
            break;
        }
    }
    if (i < text.len) {
        long written = 0;
        bool minus = i + 1 < text.len && text.base[i + 1] == '-';
        for (i++; i < text.len; i++) {
            if (text.base[i] >= '0' && text.base[i] <= '9' && written < 100000) {
                written = written * 10 + (text.base[i] - '0');
            }
        }
        out->exponent += minus ? -written : written;
    }
    while (out->digit_count != 0 && out->digits[out->digit_count - 1] == '0') {
        out->digit_count--;
        out->exponent++;
    }
    return true;
}

static enum sotto_err whole_number(const struct decimal *number, int64_t *out)
{
    uint64_t value = 0;
    if (number->digit_count == 0) {
        *out = 0;
        return SOTTO_OK;
    }
    if (number->exponent < 0 || number->exponent > 19 || number->digit_count > 19) {
        return SOTTO_EINVAL;
    }
    size_t places = number->digit_count + (size_t)number->exponent;
    for (size_t i = 0; i < places; i++) {
        uint64_t digit = i < number->digit_count ? (uint64_t)(number->digits[i] - '0') : 0;
        if (value > (UINT64_MAX - digit) / 10) {
            return SOTTO_EINVAL;
        }
        value = value * 10 + digit;
    }
    if (value > (uint64_t)INT64_MAX + (number->negative ? 1 : 0)) {
        return SOTTO_EINVAL;
    }
    *out = number->negative ? (int64_t)(~value + 1) : (int64_t)value;
    return SOTTO_OK;
}

enum sotto_err sotto_json_int(const yyjson_mut_val *val, int64_t *out)
{
    yyjson_mut_val *number = readable(val);
    if (yyjson_mut_is_sint(number)) {
        *out = unsafe_yyjson_get_sint(number);
        return SOTTO_OK;
    }
    if (yyjson_mut_is_uint(number) && unsafe_yyjson_get_uint(number) <= INT64_MAX) {
        *out = (int64_t)unsafe_yyjson_get_uint(number);
        return SOTTO_OK;
    }
    if (yyjson_mut_is_real(number)) {
        double real = unsafe_yyjson_get_real(number);
        /* 2^63 is a double, the greatest int64_t is not. */
        if (real >= -0x1p63 && real < 0x1p63 && real == (double)(int64_t)real) {
            *out = (int64_t)real;
            return SOTTO_OK;
        }
    }
    struct decimal split;
    if (!yyjson_mut_is_raw(number) || !split_number(sotto_json_text(val), &split)) {
        return SOTTO_EINVAL;
    }
    return whole_number(&split, out);
}

enum sotto_err sotto_json_double(const yyjson_mut_val *val, double *out)
{
    yyjson_mut_val *number = readable(val);
    if (yyjson_mut_is_num(number)) {
        *out = unsafe_yyjson_get_num(number);
        return SOTTO_OK;
    }
    sotto_span text = sotto_json_text(val);
    if (!yyjson_mut_is_raw(number) || text.len == 0 || text.len > JSON_NUMBER_MAX) {
        return SOTTO_EINVAL;
    }
    char digits[JSON_NUMBER_MAX + 1];
    memcpy(digits, text.base, text.len);
    digits[text.len] = '\0';
    yyjson_mut_val parsed = {0};
    /* Exact and without regard to the locale, unlike strtod(); fails for what is infinite. */
    const char *end =
        yyjson_mut_read_number(digits, &parsed, YYJSON_READ_NOFLAG, &sotto_json_alc, NULL);
    if (end != digits + text.len) {
        return SOTTO_EINVAL;
    }
    *out = unsafe_yyjson_get_num(&parsed);
    return SOTTO_OK;
}

/* --- editing --------------------------------------------------------------------------------- */

static const char *bytes_of(sotto_span text)
{
    return text.len != 0 ? (const char *)text.base : "";
}

yyjson_mut_val *sotto_json_str(yyjson_mut_doc *doc, sotto_span text)
{
    return yyjson_mut_strncpy(doc, bytes_of(text), text.len);
}

enum sotto_err sotto_json_set_text(yyjson_mut_doc *doc, yyjson_mut_val *val, sotto_span text)
{
    const char *copy = unsafe_yyjson_mut_strncpy(doc, bytes_of(text), text.len);
    if (copy == NULL || !yyjson_mut_set_strn(val, copy, text.len)) {
        return SOTTO_ENOMEM;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_json_put(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key,
                              yyjson_mut_val *val)
{
    yyjson_mut_val *name = val != NULL ? yyjson_mut_str(doc, key) : NULL;
    return name != NULL && yyjson_mut_obj_put(obj, name, val) ? SOTTO_OK : SOTTO_ENOMEM;
}

enum sotto_err sotto_json_put_text(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key,
                                   sotto_span text)
{
    return sotto_json_put(doc, obj, key, sotto_json_str(doc, text));
}

enum sotto_err sotto_json_put_int(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key,
                                  int64_t number)
{
    return sotto_json_put(doc, obj, key, yyjson_mut_sint(doc, number));
}
