/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/token.h"

#include "base/compiler.h"
#include "detect/names/lexicon.h"
#include "text/fold.h"
#include "text/utf8.h"

/* Words of one language more than of any other from which on the language counts as known. */
#define TOKEN_LANGUAGE_LEAD 2

/* A word while it is read. */
struct token_reader {
    sotto_span text;
    size_t to;
    struct names_cache *cache;
    uint64_t hash;       /* of the whole word */
    uint64_t before;     /* of all but its last character */
    size_t part_at;      /* where the part behind the last hyphen begins */
    uint32_t parts_or;   /* flags of the parts so far */
    uint32_t parts_name; /* name flags, as long as all parts have some */
    uint8_t languages;
    unsigned upper, lower, digits, inside; /* `inside`: capitals not at the start of a part */
    bool hyphen, part_start;
    uint32_t last;  /* last character, folded */
    uint32_t first; /* first character, folded */
    bool first_upper, second_upper;
};

static unsigned gap_of(uint32_t c, unsigned gap)
{
    switch (c) {
    case ' ':
    case 0xa0:
        return (gap & TOKEN_SPACE) != 0 ? TOKEN_WIDE : TOKEN_SPACE;
    case '\t':
        return TOKEN_SPACE | TOKEN_WIDE;
    case '\n':
    case '\r':
    case 0x2028:
    case 0x2029:
        return TOKEN_LINE;
    case ',':
        return TOKEN_COMMA;
    case '.':
        return TOKEN_DOT;
    case '!':
    case '?':
    case ';':
    case 0x2026:
    case 0xbf:
    case 0xa1:
        return TOKEN_STOP;
    case ':':
        return TOKEN_COLON;
    case '-':
    case 0x2010:
    case 0x2013:
    case 0x2014:
        return TOKEN_DASH;
    case '/':
    case '|':
        return TOKEN_SLASH;
    case '<':
    case '>':
        return TOKEN_ANGLE;
    case '(':
    case '[':
    case '{':
    case 0x201c:
    case 0x201e:
    case 0xab:
    case 0x2018:
        return TOKEN_OPEN;
    case ')':
    case ']':
    case '}':
    case 0x201d:
    case 0xbb:
    case '"':
    case '\'':
    case 0x2019:
        return TOKEN_CLOSE;
    case '@':
    case '_':
    case '\\':
    case '=':
    case '#':
        return TOKEN_GLUE;
    default:
        return (sotto_char_classes(c) & SOTTO_CHAR_SPACE) != 0    ? TOKEN_SPACE
               : (sotto_char_classes(c) & SOTTO_CHAR_HIDDEN) != 0 ? 0
                                                                  : TOKEN_OTHER;
    }
}

static bool is_apostrophe(uint32_t c)
{
    return c == '\'' || c == 0x2019 || c == 0x2bc;
}

static bool is_hyphen(uint32_t c)
{
    return c == '-' || c == 0x2010 || c == 0x2011;
}

static void reset(struct token_reader *r)
{
    r->hash = r->before = SOTTO_LEXICON_EMPTY;
    r->parts_or = 0;
    r->parts_name = ~0U;
    r->upper = r->lower = r->digits = r->inside = 0;
    r->hyphen = false;
    r->part_start = true;
    r->last = r->first = 0;
    r->first_upper = r->second_upper = false;
}

static void add_char(struct token_reader *r, uint32_t c, unsigned classes)
{
    uint32_t folded = sotto_fold(c);
    r->before = r->hash;
    r->hash = sotto_lexicon_add(r->hash, folded);
    if ((classes & SOTTO_CHAR_UPPER) != 0) {
        r->second_upper |= r->upper + r->lower == 1;
        r->inside += !r->part_start;
        r->first_upper |= r->upper + r->lower + r->digits == 0;
        r->upper++;
    } else if ((classes & SOTTO_CHAR_DIGIT) != 0) {
        r->digits++;
    } else {
        r->lower++;
    }
    r->first = r->first == 0 ? folded : r->first;
    r->last = folded;
    r->part_start = false;
}

/* Notes an ASCII letter that is not lower case, or a digit, as number `n` of a stretch. */
static void note_other(struct token_reader *r, bool capital, size_t n)
{
    if (capital) {
        r->second_upper |= r->upper + r->lower + n == 1;
        r->first_upper |= r->upper + r->lower + r->digits + n == 0;
        r->inside += !r->part_start || n != 0;
    }
}

/* Adds the ASCII letters and digits from `at` on, which is most of most texts; their end. */
static size_t read_ascii(struct token_reader *r, const size_t start)
{
    const uint8_t *const base = r->text.base + start;
    const size_t room = r->to - start;
    uint64_t hash = r->hash, before = hash;
    unsigned upper = 0, digits = 0;
    size_t n = 0;
    for (; n < room && base[n] < 128; n++) {
        unsigned classes = sotto_char_ascii[base[n]];
        uint32_t folded = base[n];
        if ((classes & SOTTO_CHAR_LOWER) == 0) {
            if ((classes & (SOTTO_CHAR_UPPER | SOTTO_CHAR_DIGIT)) == 0) {
                break;
            }
            bool capital = (classes & SOTTO_CHAR_UPPER) != 0;
            note_other(r, capital, n);
            upper += capital;
            digits += !capital;
            folded = sotto_fold(folded);
        }
        before = hash;
        hash = sotto_lexicon_add(hash, folded);
    }
    if (n != 0) {
        r->first = r->first == 0 ? sotto_fold(base[0]) : r->first;
        r->last = sotto_fold(base[n - 1]);
        r->part_start = false;
        r->upper += upper;
        r->digits += digits;
        r->lower += (unsigned)n - upper - digits;
        r->hash = hash;
        r->before = before;
    }
    return start + n;
}

static void end_part(struct token_reader *r, size_t end)
{
    const uint32_t names = SOTTO_LEXICON_ANY_FIRST | SOTTO_LEXICON_ANY_LAST;
    uint32_t flags = sotto_lexicon_word(sotto_span_sub(r->text, r->part_at, end));
    r->parts_or |= flags;
    r->parts_name = (flags & names) != 0 ? r->parts_name & (names | flags) : 0;
}

/* Whether what was read so far is an elided word: "l'", "d'", "qu'" ... */
static bool is_elided(const struct token_reader *r)
{
    unsigned chars = r->upper + r->lower;
    if (chars == 1) {
        return strchr("dlsjmntc", (int)r->last) != NULL && r->last != '\0' &&
               (r->last != 'd' || r->upper == 0);
    }
    return chars == 2 && r->first == 'q' && r->last == 'u';
}

static unsigned classes_at(const struct token_reader *r, size_t at)
{
    return at < r->to ? sotto_char_classes(sotto_utf8_next(r->text, &at)) : 0;
}

/* Whether "s" and no further letter stands at `at`. */
static bool is_possessive(const struct token_reader *r, size_t at)
{
    return at < r->to && (r->text.base[at] == 's' || r->text.base[at] == 'S') &&
           (classes_at(r, at + 1) & SOTTO_CHAR_WORD) == 0;
}

/* Reads one word from `*at` on; gives its bounds in `token`. */
static void read_word(struct token_reader *r, size_t *at, struct names_token *token)
{
    token->start = token->end = (uint32_t)*at;
    reset(r);
    r->part_at = *at;
    for (;;) {
        size_t next = read_ascii(r, *at);
        if (next != *at) {
            token->end = (uint32_t)next;
            *at = next;
        }
        if (next >= r->to) {
            return;
        }
        uint32_t c = sotto_utf8_next(r->text, &next);
        unsigned classes = sotto_char_classes(c);
        bool is_joint = is_apostrophe(c) || is_hyphen(c);
        if ((classes & (SOTTO_CHAR_LETTER | SOTTO_CHAR_DIGIT)) != 0 && !is_joint) {
            add_char(r, c, classes);
            token->end = (uint32_t)next;
        } else if ((classes & SOTTO_CHAR_MARK) != 0) {
            token->end = (uint32_t)next;
        } else if (is_joint && (classes_at(r, next) & SOTTO_CHAR_LETTER) != 0) {
            if (is_apostrophe(c) && is_possessive(r, next)) {
                token->possessive = true;
                *at = next + 1;
                return;
            }
            if (is_apostrophe(c) && is_elided(r)) {
                reset(r);
                r->part_at = next;
                token->start = (uint32_t)next;
                token->gap |= TOKEN_ELISION;
            } else {
                r->hyphen |= is_hyphen(c);
                end_part(r, *at);
                r->part_at = next;
                r->hash = sotto_lexicon_add(r->hash, sotto_fold(c));
                r->part_start = true;
            }
        } else if ((classes & SOTTO_CHAR_HIDDEN) == 0) {
            return;
        }
        *at = next;
    }
}

/* Asks the table, or the few words asked last: a text uses a small part of a language. */
static uint64_t look_up(struct names_cache *cache, uint64_t hash)
{
    size_t at = (size_t)((hash * 0x9e3779b97f4a7c15U) >> 32) % NAMES_CACHE_WORDS;
    if (cache->hash[at] != hash) {
        cache->hash[at] = hash;
        cache->found[at] = sotto_lexicon_find(hash);
    }
    return cache->found[at];
}

/* What is known of the word; of one that is in no list, what is known of its parts: a name where
 * all are names ("Anna-Lena"), never where one is not ("Goethe-Haus"). */
static uint32_t flags_of(struct token_reader *r, size_t end)
{
    const uint32_t names = SOTTO_LEXICON_ANY_FIRST | SOTTO_LEXICON_ANY_LAST;
    uint64_t found = look_up(r->cache, r->hash);
    r->languages = (uint8_t)(found >> SOTTO_LEXICON_LANGUAGE_SHIFT);
    if (found != 0) {
        return (uint32_t)found;
    }
    if (r->hyphen) {
        end_part(r, end);
        uint32_t other =
            (r->parts_or & (SOTTO_LEXICON_ANY_CITY | (uint32_t)SOTTO_LEXICON_ORG_HEAD));
        return r->parts_name != 0 ? (r->parts_or & names) | other : other;
    }
    if (r->last == 's' && r->upper + r->lower > 4) {
        found = sotto_lexicon_find(r->before); /* "Annas", "Smiths", plurals of words */
        r->languages = (uint8_t)(found >> SOTTO_LEXICON_LANGUAGE_SHIFT);
        return (uint32_t)found &
               (names | SOTTO_LEXICON_ANY_PLACE | (uint32_t)SOTTO_LEXICON_WORD |
                SOTTO_LEXICON_NOUN | SOTTO_LEXICON_NEVER | SOTTO_LEXICON_CALENDAR);
    }
    return 0;
}

/* "McDonald", "DeVito", "O'Brien", but not "NOx" or "JavaScript". */
static bool has_mixed_name(const struct token_reader *r, uint32_t flags)
{
    const uint32_t common = (uint32_t)SOTTO_LEXICON_LAST | SOTTO_LEXICON_FIRST;
    const uint32_t rare = (uint32_t)SOTTO_LEXICON_LAST_RARE | SOTTO_LEXICON_FIRST_RARE;
    return r->inside == 1 && ((flags & common) != 0 ||
                              (!r->second_upper && ((flags & rare) != 0 || r->first == 'm')));
}

static enum token_shape shape_of(const struct token_reader *r, uint32_t flags)
{
    if (r->upper + r->lower == 0) {
        return TOKEN_NUMBER;
    }
    if (r->digits != 0) {
        return TOKEN_CODE;
    }
    if (!r->first_upper) {
        return r->upper == 0 ? TOKEN_LOWER : TOKEN_CODE;
    }
    if (r->lower == 0) {
        return r->upper == 1 ? TOKEN_INITIAL : TOKEN_CAPS;
    }
    return r->inside == 0 || has_mixed_name(r, flags) ? TOKEN_CAP : TOKEN_CODE;
}

/* Whether the characters behind a word make it a part of something longer. */
static bool is_glued_behind(sotto_span text, size_t at)
{
    if (at + 1 >= text.len) {
        return false;
    }
    uint8_t c = text.base[at], d = text.base[at + 1];
    bool word = (d >= 'a' && d <= 'z') || (d >= '0' && d <= '9');
    return ((c == '_' || c == '@' || c == '\\' || c == '=') && d != ' ') || (c == '.' && word) ||
           (c == ':' && d == '/');
}

static bool is_glued_before(unsigned gap, const struct names_token *last)
{
    if ((gap & (TOKEN_SPACE | TOKEN_LINE | TOKEN_EDGE | TOKEN_COMMA)) != 0) {
        return (gap & TOKEN_GLUE) != 0;
    }
    return (gap & TOKEN_GLUE) != 0 || (gap == TOKEN_DOT && last->shape != TOKEN_INITIAL &&
                                       (last->flags & (uint32_t)SOTTO_LEXICON_TITLE) == 0);
}

/* The language that most words are of, or -1. */
static int guess(const size_t count[SOTTO_LEXICON_LANGUAGES])
{
    int best = 0, second = 1;
    for (int i = 1; i < SOTTO_LEXICON_LANGUAGES; i++) {
        if (count[i] > count[best]) {
            second = best;
            best = i;
        } else if (count[i] > count[second] || second == best) {
            second = i;
        }
    }
    return count[best] >= count[second] + TOKEN_LANGUAGE_LEAD ? best : -1;
}

/* The ends of what somebody is in German, without the "in" of a woman. */
static const sotto_span token_roles[] = {
    SOTTO_LIT_INIT("minister"),        SOTTO_LIT_INIT("chef"),
    SOTTO_LIT_INIT("sprecher"),        SOTTO_LIT_INIT("politiker"),
    SOTTO_LIT_INIT("direktor"),        SOTTO_LIT_INIT("sekret\xc3\xa4r"),
    SOTTO_LIT_INIT("referent"),        SOTTO_LIT_INIT("dezernent"),
    SOTTO_LIT_INIT("kandidat"),        SOTTO_LIT_INIT("spieler"),
    SOTTO_LIT_INIT("meister"),         SOTTO_LIT_INIT("wissenschaftler"),
    SOTTO_LIT_INIT("forscher"),        SOTTO_LIT_INIT("leiter"),
    SOTTO_LIT_INIT("verwalter"),       SOTTO_LIT_INIT("ermittler"),
    SOTTO_LIT_INIT("unternehmer"),     SOTTO_LIT_INIT("trainer"),
    SOTTO_LIT_INIT("richter"),         SOTTO_LIT_INIT("vorsitzende"),
    SOTTO_LIT_INIT("vorsitzender"),    SOTTO_LIT_INIT("abgeordnete"),
    SOTTO_LIT_INIT("abgeordneter"),    SOTTO_LIT_INIT("anwalt"),
    SOTTO_LIT_INIT("anw\xc3\xa4lt"),   SOTTO_LIT_INIT("kommissar"),
    SOTTO_LIT_INIT("pr\xc3\xa4sident")};

/* German makes words for what somebody is without end: "Planungsminister", "Bundesbankchefin". */
static bool is_compound_role(sotto_span text, const struct names_token *token)
{
    const uint32_t names = SOTTO_LEXICON_ANY_FIRST | SOTTO_LEXICON_ANY_LAST;
    sotto_span word = sotto_span_sub(text, token->start, token->end);

    if (token->shape != TOKEN_CAP || (token->flags & names) != 0 || word.len < 8) {
        return false;
    }
    if (memcmp(word.base + word.len - 2, "in", 2) == 0) {
        word.len -= 2;
    }
    for (size_t i = 0; i < SOTTO_COUNT(token_roles); i++) {
        sotto_span role = token_roles[i];
        if (word.len > role.len + 2 && word.base[word.len - 1] == role.base[role.len - 1] &&
            memcmp(word.base + word.len - role.len, role.base, role.len) == 0) {
            return true;
        }
    }
    return false;
}

/* Leaves the flag of ordinary words to those of the language at hand; where it is not known, to
 * those of English and of several languages.  In German, compounds become roles. */
static void settle(struct names_tokens *out, int language)
{
    const uint32_t names =
        SOTTO_LEXICON_ANY_FIRST | SOTTO_LEXICON_ANY_LAST | SOTTO_LEXICON_ANY_PLACE;
    out->language = language;
    out->german = language == SOTTO_LEXICON_DE;
    for (size_t i = 0; i < out->count; i++) {
        struct names_token *token = &out->item[i];
        if (token->shape == TOKEN_LOWER && (token->flags & names) == 0) {
            continue; /* nobody asks */
        }
        unsigned in = token->languages;
        bool ordinary = language >= 0 ? (in >> language & 1) != 0
                                      : (in & 1 << SOTTO_LEXICON_EN) != 0 || (in & (in - 1)) != 0;
        if (!ordinary) {
            token->flags &= ~(uint32_t)SOTTO_LEXICON_WORD;
        }
        if (!out->german) {
            token->flags &= ~(uint32_t)SOTTO_LEXICON_NOUN;
        } else if (is_compound_role(out->text, token)) {
            token->flags |= (uint32_t)SOTTO_LEXICON_ROLE;
        }
    }
}

void sotto_names_tokenize(sotto_span text, size_t from, size_t to, int language,
                          struct names_cache *cache, struct names_tokens *out)
{
    struct token_reader reader = {.text = text, .to = to, .cache = cache};
    size_t votes[SOTTO_LEXICON_LANGUAGES] = {0}, sets[1 << SOTTO_LEXICON_LANGUAGES] = {0};
    size_t capitals = 0;
    unsigned gap = from == 0 ? TOKEN_EDGE : 0;
    out->text = text;
    out->count = 0;
    for (size_t at = from; at < to;) {
        size_t next = at;
        if (text.base[at] == ' ' && gap == 0) { /* by far the commonest */
            gap = TOKEN_SPACE;
            at++;
            continue;
        }
        uint32_t c = sotto_utf8_next(text, &next);
        if ((sotto_char_classes(c) & (SOTTO_CHAR_LETTER | SOTTO_CHAR_DIGIT)) == 0) {
            gap |= gap_of(c, gap);
            at = next;
            continue;
        }
        struct names_token *token = &out->item[out->count++];
        *token = (struct names_token){.gap = (uint16_t)gap};
        read_word(&reader, &at, token);
        unsigned chars = reader.upper + reader.lower;
        token->flags = flags_of(&reader, token->end);
        token->shape = (uint8_t)shape_of(&reader, token->flags);
        token->chars = (uint8_t)(chars < 255 ? chars : 255);
        token->dot = at < to && text.base[at] == '.';
        token->glued =
            is_glued_behind(text, at) || (out->count > 1 && is_glued_before(gap, token - 1));
        token->languages = reader.languages;
        sets[token->languages] += token->shape == TOKEN_LOWER;
        capitals += token->shape == TOKEN_CAP || token->shape == TOKEN_CAPS;
        gap = 0;
    }
    out->last_gap = (uint16_t)(gap | (to == text.len ? TOKEN_EDGE : 0));
    out->lower = capitals == 0;
    for (size_t set = 0; set < SOTTO_COUNT(sets); set++) {
        for (int i = 0; i < SOTTO_LEXICON_LANGUAGES; i++) {
            votes[i] += (set >> i & 1) != 0 ? sets[set] : 0;
        }
    }
    settle(out, language < 0 ? guess(votes) : language);
}
