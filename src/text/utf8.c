/* SPDX-License-Identifier: Apache-2.0 */

#include "text/utf8.h"

#include <utf8proc.h>

#define UTF8_HIGH_BITS 0x8080808080808080U

#define C_ 0 /* control */
#define S_ SOTTO_CHAR_SPACE
#define P_ SOTTO_CHAR_PUNCT
#define D_ SOTTO_CHAR_DIGIT
#define U_ (SOTTO_CHAR_LETTER | SOTTO_CHAR_UPPER)
#define L_ (SOTTO_CHAR_LETTER | SOTTO_CHAR_LOWER)

/* clang-format off */
const uint8_t sotto_char_ascii[128] = {
    C_, C_, C_, C_, C_, C_, C_, C_, C_, S_, S_, S_, S_, S_, C_, C_,
    C_, C_, C_, C_, C_, C_, C_, C_, C_, C_, C_, C_, C_, C_, C_, C_,
    S_, P_, P_, P_, P_, P_, P_, P_, P_, P_, P_, P_, P_, P_, P_, P_,
    D_, D_, D_, D_, D_, D_, D_, D_, D_, D_, P_, P_, P_, P_, P_, P_,
    P_, U_, U_, U_, U_, U_, U_, U_, U_, U_, U_, U_, U_, U_, U_, U_,
    U_, U_, U_, U_, U_, U_, U_, U_, U_, U_, U_, P_, P_, P_, P_, P_,
    P_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_,
    L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, L_, P_, P_, P_, P_, C_,
};
/* clang-format on */

/* Classes by general category, in the order of utf8proc_category_t. */
static const uint8_t utf8_categories[] = {
    [UTF8PROC_CATEGORY_LU] = U_,
    [UTF8PROC_CATEGORY_LL] = L_,
    [UTF8PROC_CATEGORY_LT] = U_,
    [UTF8PROC_CATEGORY_LM] = SOTTO_CHAR_LETTER,
    [UTF8PROC_CATEGORY_LO] = SOTTO_CHAR_LETTER,
    [UTF8PROC_CATEGORY_MN] = SOTTO_CHAR_MARK,
    [UTF8PROC_CATEGORY_MC] = SOTTO_CHAR_MARK,
    [UTF8PROC_CATEGORY_ME] = SOTTO_CHAR_MARK,
    [UTF8PROC_CATEGORY_ND] = D_,
    [UTF8PROC_CATEGORY_PC] = P_,
    [UTF8PROC_CATEGORY_PD] = P_,
    [UTF8PROC_CATEGORY_PS] = P_,
    [UTF8PROC_CATEGORY_PE] = P_,
    [UTF8PROC_CATEGORY_PI] = P_,
    [UTF8PROC_CATEGORY_PF] = P_,
    [UTF8PROC_CATEGORY_PO] = P_,
    [UTF8PROC_CATEGORY_SM] = P_,
    [UTF8PROC_CATEGORY_SC] = P_,
    [UTF8PROC_CATEGORY_SK] = P_,
    [UTF8PROC_CATEGORY_SO] = P_,
    [UTF8PROC_CATEGORY_ZS] = S_,
    [UTF8PROC_CATEGORY_ZL] = S_,
    [UTF8PROC_CATEGORY_ZP] = S_,
    [UTF8PROC_CATEGORY_CF] = SOTTO_CHAR_HIDDEN,
};

/* Hidden although their category is that of a mark or a letter (Unicode 5.21). */
static bool is_hidden(uint32_t c)
{
    return c == 0x34f || (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0100 && c <= 0xe01ef) ||
           (c >= 0x180b && c <= 0x180d) || c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0xffa0;
}

unsigned sotto_char_wide(uint32_t c)
{
    if (c == 0x85) {
        return S_;
    }
    if (is_hidden(c)) {
        return SOTTO_CHAR_HIDDEN;
    }
    unsigned category = (unsigned)utf8proc_category((utf8proc_int32_t)c);
    return category < sizeof(utf8_categories) ? utf8_categories[category] : 0;
}

/* The length of the character that starts at `at`, or 0 when none does (Unicode table 3-7). */
static size_t char_len(sotto_span text, size_t at)
{
    const uint8_t *p = text.base + at;
    size_t left = text.len - at;

    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        return left >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
    }
    if (p[0] >= 0xe0 && p[0] <= 0xef) {
        uint8_t low = p[0] == 0xe0 ? 0xa0 : 0x80, high = p[0] == 0xed ? 0x9f : 0xbf;
        return left >= 3 && p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80 ? 3 : 0;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        uint8_t low = p[0] == 0xf0 ? 0x90 : 0x80, high = p[0] == 0xf4 ? 0x8f : 0xbf;
        return left >= 4 && p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80 &&
                       (p[3] & 0xc0) == 0x80
                   ? 4
                   : 0;
    }
    return 0;
}

bool sotto_utf8_valid(sotto_span text, size_t *bad_at)
{
    size_t at = 0;
    while (at < text.len) {
        uint64_t chunk;
        if (text.len - at >= sizeof(chunk)) {
            memcpy(&chunk, text.base + at, sizeof(chunk));
            if ((chunk & UTF8_HIGH_BITS) == 0) {
                at += sizeof(chunk);
                continue;
            }
        }
        size_t n = char_len(text, at);
        if (n == 0) {
            if (bad_at != NULL) {
                *bad_at = at;
            }
            return false;
        }
        at += n;
    }
    return true;
}

uint32_t sotto_utf8_next_wide(sotto_span text, size_t *at)
{
    const uint8_t *p = text.base + *at;
    size_t n = char_len(text, *at);

    *at += n != 0 ? n : 1;
    switch (n) {
    case 1:
        return p[0];
    case 2:
        return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    case 3:
        return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    case 4:
        return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
               (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
    default:
        return SOTTO_UTF8_REPLACEMENT;
    }
}

uint32_t sotto_utf8_before(sotto_span text, size_t *at)
{
    size_t start = *at - 1;
    while (start > 0 && *at - start < 4 && (text.base[start] & 0xc0) == 0x80) {
        start--;
    }
    size_t end = start;
    uint32_t c = sotto_utf8_next(text, &end);
    if (end != *at) {
        start = *at - 1;
        c = SOTTO_UTF8_REPLACEMENT;
    }
    *at = start;
    return c;
}

/* Bytes that start a character: all but 10xxxxxx. */
static size_t count_starts(const uint8_t *p, size_t n)
{
    size_t count = 0, i = 0;
    for (; n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t chunk;
        memcpy(&chunk, p + i, sizeof(chunk));
        uint64_t inner = chunk & ~(chunk << 1) & UTF8_HIGH_BITS;
        count += sizeof(uint64_t) - (size_t)__builtin_popcountll(inner);
    }
    for (; i < n; i++) {
        count += (p[i] & 0xc0) != 0x80;
    }
    return count;
}

size_t sotto_utf8_count(sotto_span text)
{
    return text.len == 0 ? 0 : count_starts(text.base, text.len);
}

size_t sotto_utf8_put(uint32_t c, uint8_t out[4])
{
    return (size_t)utf8proc_encode_char((utf8proc_int32_t)c, out);
}

size_t sotto_utf8_chars_at(struct sotto_utf8_cursor *cursor, size_t byte)
{
    if (byte < cursor->byte) {
        cursor->byte = cursor->chars = 0;
    }
    if (byte > cursor->byte) {
        cursor->chars += count_starts(cursor->text.base + cursor->byte, byte - cursor->byte);
        cursor->byte = byte;
    }
    return cursor->chars;
}
