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

/* Room for what is added to a document that was read, so that small edits allocate nothing. */
#define JSON_SPARE_VALUES ((size_t)24)
#define JSON_SPARE_TEXT   ((size_t)256)

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
static const char *reader_text(const yyjson_read_err *found)
{
    if (found->code == YYJSON_READ_ERROR_EMPTY_CONTENT) {
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

struct key_slot {
    yyjson_val *key; /* NULL: free */
};

/* The first key that stands in `obj` for the second time, through a table; NULL: none. */
static enum sotto_err hashed_duplicate(yyjson_val *obj, size_t count, yyjson_val **out)
{
    uint8_t seed[SOTTO_HASH_KEY_BYTES];
    size_t slots = 64;
    while (slots < count * 2) {
        slots *= 2;
    }
    struct key_slot *table = sotto_calloc(slots, sizeof(*table));
    if (table == NULL) {
        return SOTTO_ENOMEM;
    }
    table_key(seed);
    *out = NULL;
    yyjson_val *key = unsafe_yyjson_get_first(obj);
    for (size_t i = 0; i < count && *out == NULL; i++) {
        sotto_span text = sotto_span_init(key->uni.str, unsafe_yyjson_get_len(key));
        size_t at = (size_t)sotto_hash64(seed, text) & (slots - 1);
        while (table[at].key != NULL && !same_key(table[at].key, key)) {
            at = (at + 1) & (slots - 1);
        }
        *out = table[at].key != NULL ? key : NULL;
        table[at].key = key;
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
 * Makes `to` the list of the members of the container `from`.  An editable container points at its
 * last member, and its members (in objects keys and values in turn) form a ring.  Both arrays of
 * values have the same order, so what is `n` places on in one is so in the other.
 */
static void link_members(yyjson_val *from, yyjson_mut_val *to)
{
    size_t count = unsafe_yyjson_get_len(from);
    size_t keys = unsafe_yyjson_is_obj(from) ? 1 : 0;
    yyjson_val *member = from + 1;
    yyjson_mut_val *made = to + 1;
    to->uni.ptr = NULL;
    for (; count > 0; count--) {
        yyjson_val *next = unsafe_yyjson_get_next(member + keys);
        yyjson_mut_val *after = count > 1 ? made + (next - member) : to + 1;
        if (count == 1) {
            to->uni.ptr = made;
        }
        if (keys != 0) {
            made->next = made + 1;
        }
        made[keys].next = after;
        member = next;
        made = after;
    }
}

/* A text that is being read: values as the reader made them, to be checked and made editable. */
struct reading {
    sotto_span text;
    const char *base; /* the copy of the text in which strings were decoded */
    size_t max_depth;
    size_t *ends; /* where open containers end, as numbers of values; room for `max_depth` */
    struct sotto_json_error *error;
};

static enum sotto_err check_container(const struct reading *r, yyjson_val *val, size_t depth)
{
    yyjson_val *twice = NULL;
    if (depth == r->max_depth) {
        fill_error(r->error, r->text, depth_position(r->text, depth), "nested too deeply");
        return SOTTO_EFORMAT;
    }
    if (unsafe_yyjson_is_obj(val) && find_duplicate(val, &twice) != SOTTO_OK) {
        return SOTTO_ENOMEM;
    }
    if (twice != NULL) {
        /* Strings are decoded where they stood. */
        size_t position = (size_t)(twice->uni.str - r->base) - 1;
        fill_error(r->error, r->text, position, "a key stands twice in an object");
        return SOTTO_EFORMAT;
    }
    return SOTTO_OK;
}

/* One walk over all values, which lie in one array in the order of the text. */
static enum sotto_err walk(const struct reading *r, yyjson_doc *doc, yyjson_mut_val *to)
{
    size_t depth = 0;
    for (size_t i = 0; i < doc->val_read; i++, to++) {
        yyjson_val *val = doc->root + i;
        while (depth != 0 && i >= r->ends[depth - 1]) {
            depth--;
        }
        to->tag = val->tag;
        to->uni = val->uni;
        if (unsafe_yyjson_is_ctn(val)) {
            enum sotto_err err = check_container(r, val, depth);
            if (err != SOTTO_OK) {
                return err;
            }
            r->ends[depth++] = (size_t)(unsafe_yyjson_get_next(val) - doc->root);
            link_members(val, to);
        }
    }
    return SOTTO_OK;
}

static enum sotto_err make_editable(struct reading *r, yyjson_doc *doc, yyjson_mut_doc *copy)
{
    size_t shallow[JSON_SHALLOW];
    /* This sets the size of a block to come and fails only for sizes that cannot be. */
    (void)yyjson_mut_doc_set_val_pool_size(copy, doc->val_read + JSON_SPARE_VALUES);
    yyjson_mut_val *values = unsafe_yyjson_mut_val(copy, doc->val_read);
    if (values == NULL) {
        return SOTTO_ENOMEM;
    }
    /* What is added later is small; without this the next block would double the first. */
    (void)yyjson_mut_doc_set_val_pool_size(copy, 2 * JSON_SPARE_VALUES);
    yyjson_mut_doc_set_root(copy, values);
    /* There cannot be more containers than values. */
    size_t room = r->max_depth < doc->val_read ? r->max_depth : doc->val_read;
    size_t *deep = room > JSON_SHALLOW ? sotto_calloc(room, sizeof(*deep)) : NULL;
    if (room > JSON_SHALLOW && deep == NULL) {
        return SOTTO_ENOMEM;
    }
    r->ends = deep != NULL ? deep : shallow;
    enum sotto_err err = walk(r, doc, values);
    r->ends = NULL;
    sotto_free(deep);
    return err;
}

/*
 * An empty document whose first block of strings begins with a copy of `text`, padded as the
 * reader needs it: strings are decoded there and belong to the document without another copy.
 */
static yyjson_mut_doc *document_around(sotto_span text, char **copy)
{
    size_t len = text.len + YYJSON_PADDING_SIZE;
    if (len < text.len || len > SIZE_MAX / 2) {
        return NULL;
    }
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&sotto_json_alc);
    size_t size = sizeof(yyjson_str_chunk) + len + JSON_SPARE_TEXT;
    yyjson_str_chunk *chunk = doc != NULL ? sotto_alloc(size) : NULL;
    if (chunk == NULL) {
        yyjson_mut_doc_free(doc);
        return NULL;
    }
    char *bytes = (char *)(chunk + 1);
    memcpy(bytes, text.base, text.len);
    memset(bytes + text.len, 0, YYJSON_PADDING_SIZE);
    *chunk = (yyjson_str_chunk){.next = NULL, .chunk_size = size};
    doc->str_pool.chunks = chunk;
    doc->str_pool.cur = bytes + len;
    doc->str_pool.end = (char *)chunk + size;
    *copy = bytes;
    return doc;
}

enum sotto_err sotto_json_read(sotto_span text, size_t max_depth, yyjson_mut_doc **out,
                               struct sotto_json_error *error)
{
    yyjson_read_err found = {0};
    char *bytes = NULL;
    enum sotto_err err;
    if (text.len == 0) {
        fill_error(error, text, 0, "it is empty");
        return SOTTO_EFORMAT;
    }
    yyjson_mut_doc *copy = document_around(text, &bytes);
    if (copy == NULL) {
        return SOTTO_ENOMEM;
    }
    yyjson_doc *doc = yyjson_read_opts(
        bytes, text.len, YYJSON_READ_NUMBER_AS_RAW | YYJSON_READ_INSITU, &sotto_json_alc, &found);
    if (doc != NULL) {
        struct reading r = {.text = text, .base = bytes, .max_depth = max_depth, .error = error};
        err = make_editable(&r, doc, copy);
    } else if (found.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION) {
        err = SOTTO_ENOMEM;
    } else {
        fill_error(error, text, found.pos, reader_text(&found));
        err = SOTTO_EFORMAT;
    }
    yyjson_doc_free(doc);
    if (err != SOTTO_OK) {
        yyjson_mut_doc_free(copy);
        return err;
    }
    *out = copy;
    return SOTTO_OK;
}

yyjson_mut_doc *sotto_json_new(void)
{
    return yyjson_mut_doc_new(&sotto_json_alc);
}

void sotto_json_free(yyjson_mut_doc *doc)
{
    yyjson_mut_doc_free(doc);
}

/* --- values ---------------------------------------------------------------------------------- */

yyjson_mut_val *sotto_json_getn(yyjson_mut_val *obj, const char *key, size_t len)
{
    return yyjson_mut_obj_getn(obj, key, len);
}

bool sotto_json_is(const yyjson_mut_val *val, const char *text)
{
    return yyjson_mut_equals_str(sotto_json_readable(val), text);
}

bool sotto_json_is_num(const yyjson_mut_val *val)
{
    return yyjson_mut_is_num(sotto_json_readable(val)) ||
           yyjson_mut_is_raw(sotto_json_readable(val));
}

/* A decimal as the digits that count, without zeros at either end, and a power of ten. */
struct decimal {
    bool negative;
    size_t digit_count;
    char digits[JSON_NUMBER_MAX];
    long exponent;
};

/* The exponent of a number from its "e" on; far beyond what fits it stays where it is. */
static long read_exponent(sotto_span text)
{
    long written = 0;
    for (size_t i = 1; i < text.len; i++) {
        if (text.base[i] >= '0' && text.base[i] <= '9' && written < 100000) {
            written = written * 10 + (text.base[i] - '0');
        }
    }
    return text.len > 1 && text.base[1] == '-' ? -written : written;
}

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
    out->exponent += read_exponent(sotto_span_skip(text, i));
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
    yyjson_mut_val *number = sotto_json_readable(val);
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
    yyjson_mut_val *number = sotto_json_readable(val);
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
