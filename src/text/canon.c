/* SPDX-License-Identifier: Apache-2.0 */

#include "text/canon.h"

#include <utf8proc.h>

#include "base/alloc.h"
#include "text/utf8.h"

/* Most characters per byte: 3 of folding, each of at most 4 of decomposing, from 2 bytes or more. */
#define CANON_GROWTH 6

#define CANON_DECOMPOSE                                                                            \
    ((utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD))
#define CANON_COMPOSE ((utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE))

static bool is_plain(sotto_span in)
{
    for (size_t i = 0; i < in.len; i++) {
        if (in.base[i] >= 128) {
            return false;
        }
    }
    return true;
}

/* Appends what a character becomes, as far as it is no white space at an end or after another. */
static enum sotto_err put_char(struct sotto_buf *out, size_t mark, bool *gap, uint32_t c)
{
    uint8_t bytes[5];
    size_t n = 0;
    if ((sotto_char_classes(c) & SOTTO_CHAR_SPACE) != 0) {
        *gap = out->len != mark;
        return SOTTO_OK;
    }
    if (*gap) {
        bytes[n++] = ' ';
        *gap = false;
    }
    n += sotto_utf8_put(c, bytes + n);
    return sotto_buf_append(out, sotto_span_init(bytes, n));
}

static enum sotto_err canon_plain(sotto_span in, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    size_t mark = out->len;
    bool gap = false;
    for (size_t i = 0; i < in.len && err == SOTTO_OK; i++) {
        uint32_t c = in.base[i];
        err = put_char(out, mark, &gap, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return err;
}

/* Decomposes and folds all characters but the hidden ones; returns how many it wrote. */
static size_t decompose(sotto_span in, utf8proc_int32_t *chars, size_t cap)
{
    size_t count = 0;
    int boundclass = 0;
    for (size_t at = 0; at < in.len;) {
        uint32_t c = sotto_utf8_next(in, &at);
        if ((sotto_char_classes(c) & SOTTO_CHAR_HIDDEN) != 0) {
            continue;
        }
        utf8proc_ssize_t n =
            utf8proc_decompose_char((utf8proc_int32_t)c, chars + count,
                                    (utf8proc_ssize_t)(cap - count), CANON_DECOMPOSE, &boundclass);
        count += n > 0 && (size_t)n <= cap - count ? (size_t)n : 0;
    }
    return count;
}

static unsigned mark_class(utf8proc_int32_t c)
{
    return (unsigned)utf8proc_get_property(c)->combining_class & 0xff;
}

/* Stable sort of `n` marks by class: counting, so that a thousand marks cost a thousand steps. */
static void sort_marks(utf8proc_int32_t *marks, size_t n, utf8proc_int32_t *spare)
{
    size_t place[257] = {0};
    for (size_t i = 0; i < n; i++) {
        place[mark_class(marks[i]) + 1]++;
    }
    for (size_t i = 1; i < SOTTO_COUNT(place); i++) {
        place[i] += place[i - 1];
    }
    for (size_t i = 0; i < n; i++) {
        spare[place[mark_class(marks[i])]++] = marks[i];
    }
    memcpy(marks, spare, n * sizeof(*marks));
}

/* Canonical ordering (Unicode 3.11 D109). */
static void order_marks(utf8proc_int32_t *chars, size_t count, utf8proc_int32_t *spare)
{
    for (size_t start = 0; start < count;) {
        size_t end = start;
        while (end < count && mark_class(chars[end]) != 0) {
            end++;
        }
        if (end - start > 1) {
            sort_marks(chars + start, end - start, spare);
        }
        start = end + 1;
    }
}

static enum sotto_err canon_wide(sotto_span in, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_ENOMEM;
    size_t cap = in.len, mark = out->len, count;
    bool gap = false;
    utf8proc_int32_t *spare = NULL;
    utf8proc_ssize_t n;
    utf8proc_int32_t *chars = sotto_calloc(cap, CANON_GROWTH * sizeof(*chars));
    if (chars == NULL) {
        goto out;
    }
    count = decompose(in, chars, cap * CANON_GROWTH);
    if ((spare = sotto_calloc(count + 1, sizeof(*spare))) == NULL) {
        goto out;
    }
    order_marks(chars, count, spare);
    n = utf8proc_normalize_utf32(chars, (utf8proc_ssize_t)count, CANON_COMPOSE);

    err = SOTTO_OK;
    for (utf8proc_ssize_t i = 0; i < n && err == SOTTO_OK; i++) {
        err = put_char(out, mark, &gap, (uint32_t)chars[i]);
    }
out:
    sotto_free(spare);
    sotto_free(chars);
    return err;
}

enum sotto_err sotto_canon(sotto_span in, struct sotto_buf *out)
{
    size_t mark = out->len;
    if (!sotto_utf8_valid(in, NULL)) {
        return SOTTO_EFORMAT;
    }
    enum sotto_err err = is_plain(in) ? canon_plain(in, out) : canon_wide(in, out);
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}
