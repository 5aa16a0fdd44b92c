/* SPDX-License-Identifier: Apache-2.0 */

#include "json/json.h"

#include "base/alloc.h"

#ifdef __SSE2__
#    include <emmintrin.h>
#endif

/*
 * The library's writer makes a block of its own that would have to be copied and wiped; this one
 * appends to the caller's buffer.  Built numbers, which are few, are still the library's.
 */

static enum sotto_err write_number(const yyjson_mut_val *val, struct sotto_buf *out)
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

/* The depth of what was read is bounded, and what is built is flat. */
/* NOLINTBEGIN(misc-no-recursion) */
static enum sotto_err write_value(yyjson_mut_val *val, struct sotto_buf *out);

static enum sotto_err write_array(yyjson_mut_val *arr, struct sotto_buf *out)
{
    size_t i, n;
    yyjson_mut_val *item;
    enum sotto_err err = sotto_buf_push(out, '[');
    yyjson_mut_arr_foreach(arr, i, n, item)
    {
        if (err == SOTTO_OK && i != 0) {
            err = sotto_buf_push(out, ',');
        }
        if (err == SOTTO_OK) {
            err = write_value(item, out);
        }
    }
    return err == SOTTO_OK ? sotto_buf_push(out, ']') : err;
}

static enum sotto_err write_object(yyjson_mut_val *obj, struct sotto_buf *out)
{
    size_t i, n;
    yyjson_mut_val *key, *item;
    enum sotto_err err = sotto_buf_push(out, '{');
    yyjson_mut_obj_foreach(obj, i, n, key, item)
    {
        if (err == SOTTO_OK && i != 0) {
            err = sotto_buf_push(out, ',');
        }
        if (err == SOTTO_OK) {
            err = sotto_json_quote(sotto_json_text(key), true, out);
        }
        if (err == SOTTO_OK) {
            err = sotto_buf_push(out, ':');
        }
        if (err == SOTTO_OK) {
            err = write_value(item, out);
        }
    }
    return err == SOTTO_OK ? sotto_buf_push(out, '}') : err;
}

static enum sotto_err write_value(yyjson_mut_val *val, struct sotto_buf *out)
{
    switch (yyjson_mut_get_type(val)) {
    case YYJSON_TYPE_RAW:
        return sotto_buf_append(out, sotto_json_text(val));
    case YYJSON_TYPE_NULL:
        return sotto_buf_append(out, SOTTO_LIT("null"));
    case YYJSON_TYPE_BOOL:
        return sotto_buf_append(out,
                                yyjson_mut_get_bool(val) ? SOTTO_LIT("true") : SOTTO_LIT("false"));
    case YYJSON_TYPE_NUM:
        return write_number(val, out);
    case YYJSON_TYPE_STR:
        return sotto_json_quote(sotto_json_text(val), true, out);
    case YYJSON_TYPE_ARR:
        return write_array(val, out);
    case YYJSON_TYPE_OBJ:
        return write_object(val, out);
    default:
        return SOTTO_EINVAL;
    }
}
/* NOLINTEND(misc-no-recursion) */

enum sotto_err sotto_json_write(const yyjson_mut_val *val, struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = write_value(sotto_json_readable(val), out);
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

/* Bit 7 of each byte of `x` that is below 0x20, a quote or a backslash; lower bits at random. */
static uint64_t special_bytes(uint64_t x)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t quote = x ^ (ones * '"'), backslash = x ^ (ones * '\\');
    return (((x - ones * 0x20) & ~x) | ((quote - ones) & ~quote) |
            ((backslash - ones) & ~backslash)) &
           tops;
}

/* How many of the blocks of 16 bytes from `at` on, in bytes, stand for themselves. */
static size_t plain_blocks(sotto_span text, size_t at)
{
    size_t i = at;
#ifdef __SSE2__
    for (; text.len - i >= 16; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(text.base + i));
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
        __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
        __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
        if (_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash))) != 0) {
            break;
        }
    }
#else
    (void)text;
#endif
    return i - at;
}

/* The last eight bytes up to `end`, of a text that has so many. */
static uint64_t last_word(sotto_span text, size_t end)
{
    uint64_t word;
    memcpy(&word, text.base + end - sizeof(word), sizeof(word));
    return word;
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* How many bytes from `at` on stand for themselves in a JSON string. */
static size_t plain_run(sotto_span text, size_t at)
{
    size_t i = at + plain_blocks(text, at);
    uint64_t word;
    while (text.len - i >= sizeof(word)) {
        memcpy(&word, text.base + i, sizeof(word));
        if (special_bytes(word) != 0) {
            break;
        }
        i += sizeof(word);
    }
    /* What is left is shorter than a word: one that overlaps what was looked at covers it. */
    if (text.len - i < sizeof(word) && text.len - at >= sizeof(word) &&
        special_bytes(last_word(text, text.len)) == 0) {
        return text.len - at;
    }
    while (i < text.len && is_plain(text.base[i])) {
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

/* Most texts need no escapes: one look, one copy. */
static enum sotto_err quote_plain(sotto_span text, struct sotto_buf *out)
{
    uint8_t *to;
    enum sotto_err err = sotto_buf_extend(out, text.len + 2, &to);
    if (err == SOTTO_OK) {
        to[0] = '"';
        if (text.len != 0) {
            memcpy(to + 1, text.base, text.len);
        }
        to[1 + text.len] = '"';
    }
    return err;
}

enum sotto_err sotto_json_quote(sotto_span text, bool quotes, struct sotto_buf *out)
{
    size_t mark = out->len, run = plain_run(text, 0);
    if (run == text.len && quotes) {
        return quote_plain(text, out);
    }
    enum sotto_err err = quotes ? sotto_buf_push(out, '"') : SOTTO_OK;
    for (size_t at = 0; err == SOTTO_OK && at < text.len;) {
        if (run != 0) {
            err = sotto_buf_append(out, sotto_span_sub(text, at, at + run));
            at += run;
        } else {
            err = quote_byte(text.base[at++], out);
        }
        run = plain_run(text, at);
    }
    if (err == SOTTO_OK && quotes) {
        err = sotto_buf_push(out, '"');
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}
