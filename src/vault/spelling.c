/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/spelling.h"

#include "base/compiler.h"
#include "vault/code.h"

#define SPELLING_WORD_SEPARATORS 6
#define SPELLING_CODE_SEPARATORS 3

#define BIT_OF(type) (1U << (type))

/* In the order of the type words: PERSON 0, LOCATION 1, ADDRESS 2 and so on. */
const uint16_t spelling_first[256] = {
    ['A'] = BIT_OF(2) | BIT_OF(5),
    ['a'] = BIT_OF(2) | BIT_OF(5),
    ['D'] = BIT_OF(4),
    ['d'] = BIT_OF(4),
    ['E'] = BIT_OF(9),
    ['e'] = BIT_OF(9),
    ['I'] = BIT_OF(11),
    ['i'] = BIT_OF(11),
    ['L'] = BIT_OF(1),
    ['l'] = BIT_OF(1),
    ['N'] = BIT_OF(7),
    ['n'] = BIT_OF(7),
    ['O'] = BIT_OF(3) | BIT_OF(6),
    ['o'] = BIT_OF(3) | BIT_OF(6),
    ['P'] = BIT_OF(0) | BIT_OF(8),
    ['p'] = BIT_OF(0) | BIT_OF(8),
    ['S'] = BIT_OF(12),
    ['s'] = BIT_OF(12),
    ['U'] = BIT_OF(10),
    ['u'] = BIT_OF(10),
};

const uint16_t spelling_second[256] = {
    ['A'] = BIT_OF(4),
    ['a'] = BIT_OF(4),
    ['C'] = BIT_OF(6),
    ['c'] = BIT_OF(6),
    ['D'] = BIT_OF(2) | BIT_OF(11),
    ['d'] = BIT_OF(2) | BIT_OF(11),
    ['E'] = BIT_OF(0) | BIT_OF(12),
    ['e'] = BIT_OF(0) | BIT_OF(12),
    ['G'] = BIT_OF(5),
    ['g'] = BIT_OF(5),
    ['H'] = BIT_OF(8),
    ['h'] = BIT_OF(8),
    ['M'] = BIT_OF(9),
    ['m'] = BIT_OF(9),
    ['O'] = BIT_OF(1),
    ['o'] = BIT_OF(1),
    ['R'] = BIT_OF(3) | BIT_OF(7) | BIT_OF(10),
    ['r'] = BIT_OF(3) | BIT_OF(7) | BIT_OF(10),
};

/* Separators of more than one byte; "\" and "%" and "&" begin nothing else that counts. */
static const struct {
    char text[9];
    uint8_t len;
} spelling_separators[] = {
#define SEPARATOR(text)                                                                            \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
    SEPARATOR("\\_"),          SEPARATOR("\\-"),     SEPARATOR("\\*"),
    SEPARATOR("\\`"),          SEPARATOR("&#95;"),   SEPARATOR("&#45;"),
    SEPARATOR("&#32;"),        SEPARATOR("&#160;"),  SEPARATOR("&#173;"),
    SEPARATOR("&#8203;"),      SEPARATOR("&#8209;"), SEPARATOR("&#x5f;"),
    SEPARATOR("&#x5F;"),       SEPARATOR("&#x2d;"),  SEPARATOR("&#x2D;"),
    SEPARATOR("&#x20;"),       SEPARATOR("&#xa0;"),  SEPARATOR("&#xA0;"),
    SEPARATOR("&nbsp;"),       SEPARATOR("&shy;"),   SEPARATOR("&zwj;"),
    SEPARATOR("&zwnj;"),       SEPARATOR("%20"),     SEPARATOR("%2D"),
    SEPARATOR("%2d"),          SEPARATOR("%5F"),     SEPARATOR("%5f"),
    SEPARATOR("\xc2\xa0"),     /* U+00A0 no-break space */
    SEPARATOR("\xc2\xad"),     /* U+00AD soft hyphen */
    SEPARATOR("\xe2\x80\x89"), /* U+2009 thin space */
    SEPARATOR("\xe2\x80\x8b"), /* U+200B zero width space */
    SEPARATOR("\xe2\x80\x8c"), /* U+200C zero width non-joiner */
    SEPARATOR("\xe2\x80\x8d"), /* U+200D zero width joiner */
    SEPARATOR("\xe2\x80\x90"), /* U+2010 hyphen */
    SEPARATOR("\xe2\x80\x91"), /* U+2011 non-breaking hyphen */
    SEPARATOR("\xe2\x80\x92"), /* U+2012 figure dash */
    SEPARATOR("\xe2\x80\x93"), /* U+2013 en dash */
    SEPARATOR("\xe2\x80\xaf"), /* U+202F narrow no-break space */
    SEPARATOR("\xe2\x81\xa0"), /* U+2060 word joiner */
    SEPARATOR("\xef\xbb\xbf"), /* U+FEFF byte order mark */
#undef SEPARATOR
};

static uint8_t upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c & ~0x20U) : c;
}

/* Compares as far as both go; the case counts only for `out->word_exact`. */
static enum spelling_verdict read_word(sotto_span text, sotto_span word, bool exact,
                                       struct spelling *out)
{
    bool capitals = true;
    size_t n = text.len < word.len ? text.len : word.len;
    for (size_t i = 0; i < n; i++) {
        capitals = capitals && text.base[i] == word.base[i];
        if (exact ? !capitals : upper(text.base[i]) != word.base[i]) {
            return SPELLING_NO;
        }
    }
    if (n < word.len) {
        return SPELLING_MORE;
    }
    out->word_whole = true;
    out->word_exact = capitals;
    out->len = word.len;
    return SPELLING_WHOLE;
}

/* The type words are no beginnings of each other: at most one is whole. */
static enum spelling_verdict read_any_word(sotto_span text, unsigned types, bool exact,
                                           struct spelling *out)
{
    enum spelling_verdict best = SPELLING_NO;
    if (text.len == 0) {
        return SPELLING_MORE;
    }
    types &= spelling_first[text.base[0]];
    for (unsigned type = 0; types != 0 && best != SPELLING_WHOLE; type++, types >>= 1) {
        if ((types & 1) != 0) {
            enum spelling_verdict verdict = read_word(text, sotto_token_word(type), exact, out);
            if (verdict != SPELLING_NO) {
                best = verdict;
                out->type = type;
            }
        }
    }
    return best;
}

/* Length of the separator at the beginning of `text`; SIZE_MAX: `text` ends inside of one. */
static size_t long_separator(sotto_span text)
{
    for (size_t i = 0; i < SOTTO_COUNT(spelling_separators); i++) {
        size_t len = spelling_separators[i].len, n = text.len < len ? text.len : len;
        if (memcmp(text.base, spelling_separators[i].text, n) == 0) {
            return n == len ? len : SIZE_MAX;
        }
    }
    return 0;
}

size_t spelling_separator(sotto_span text)
{
    switch (text.base[0]) {
    case ' ':
    case '-':
    case '_':
    case '*':
    case '`':
        return 1;
    case '\\':
    case '&':
    case '%':
    case 0xc2:
    case 0xe2:
    case 0xef:
        return long_separator(text);
    default:
        return 0;
    }
}

/* Skips separators.  SPELLING_MORE: the text ended before anything else came. */
static enum spelling_verdict skip_separators(sotto_span text, size_t most, struct spelling *out)
{
    for (size_t count = 0;; count++) {
        if (out->len == text.len) {
            return SPELLING_MORE;
        }
        size_t n = spelling_separator(sotto_span_skip(text, out->len));
        if (n == 0) {
            return SPELLING_WHOLE;
        }
        if (n == SIZE_MAX) {
            return SPELLING_MORE;
        }
        char c = (char)text.base[out->len];
        if (count == most || ((c == '*' || c == '`') && out->mark_count == SPELLING_MARKS)) {
            return SPELLING_NO;
        }
        if (c == '*' || c == '`') {
            out->mark[out->mark_count++] = c;
        }
        out->len += n;
    }
}

static enum spelling_verdict read_symbol(sotto_span text, bool exact, struct spelling *out)
{
    enum spelling_verdict verdict = SPELLING_WHOLE;
    if (!exact) {
        bool in_code = out->symbol_count != 0;
        size_t mark = out->len;
        verdict = skip_separators(
            text, in_code ? SPELLING_CODE_SEPARATORS : SPELLING_WORD_SEPARATORS, out);
        out->code_apart = out->code_apart || (in_code && out->len != mark);
    } else if (out->len == text.len) {
        verdict = SPELLING_MORE;
    }
    if (verdict != SPELLING_WHOLE) {
        return verdict;
    }
    uint8_t c = text.base[out->len], symbol = code_symbol(c);
    if (symbol == CODE_OTHER || (exact && (symbol == CODE_NONE || upper(c) != c))) {
        return SPELLING_NO;
    }
    out->code_capitals = out->code_capitals && upper(c) == c;
    out->none_count += symbol == CODE_NONE ? 1 : 0;
    out->symbol[out->symbol_count++] = symbol;
    out->len++;
    /* Behind a word in another case no symbol may be wrong. */
    return out->none_count > (out->word_exact ? 1 : 0) ? SPELLING_NO : SPELLING_WHOLE;
}

enum spelling_verdict spelling_read(sotto_span text, unsigned types, bool exact,
                                    struct spelling *out)
{
    *out = (struct spelling){.code_capitals = true};
    bool cut = text.len >= SPELLING_MAX;
    text.len = cut ? SPELLING_MAX : text.len;

    enum spelling_verdict verdict = read_any_word(text, types, exact, out);
    while (verdict == SPELLING_WHOLE && out->symbol_count < SOTTO_TOKEN_CODE_LEN) {
        verdict = read_symbol(text, exact, out);
    }
    return verdict == SPELLING_MORE && cut ? SPELLING_NO : verdict;
}
