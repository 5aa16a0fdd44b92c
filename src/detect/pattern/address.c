/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Postal addresses: a street with its number in the orders of five languages ("12 Main Street",
 * "Bahnhofstrasse 12", "12 rue de la Paix", "Via Roma 10", "Calle Mayor 5, 3º B"), with the flat,
 * postcode, town, state and country behind it as one finding; boxes; postcodes with their sign.
 */

#include "detect/pattern/pattern.h"
#include "detect/pattern/recognizers.h"

#define ADDRESS_WORDS 6   /* words in the name of a street */
#define ADDRESS_PARTS 8   /* parts behind the street */
#define ADDRESS_LEAD  128 /* longest name of a street before its number, bytes */
#define ADDRESS_NONE  SIZE_MAX

static void add_address(struct scan *s, size_t start, size_t end, enum sotto_finer finer,
                        enum sotto_rule rule, int score)
{
    scan_add(s, start, end, (struct verdict){SOTTO_LABEL_ADDRESS, finer, rule, score});
}

static bool is_capital(const struct token *t)
{
    return t->upper > 0;
}

/* A house number: up to five digits, perhaps a letter or a range; 0 when it is none. */
static size_t house_end(struct scan *s, size_t at)
{
    size_t i = at;
    while (i - at < 5 && is_digit(scan_byte_at(s, i))) {
        i++;
    }
    if (i == at) {
        return 0;
    }
    uint8_t b = scan_byte_at(s, i);
    if ((b == '-' || b == '/') && is_digit(scan_byte_at(s, i + 1))) {
        size_t k = i + 1;
        while (k - i < 6 && is_digit(scan_byte_at(s, k))) {
            k++;
        }
        i = k;
    }
    if (is_alpha(scan_byte_at(s, i)) && scan_right_free(s, i + 1)) {
        i++;
    } else if (scan_byte_at(s, i) == ' ' && is_alpha(scan_byte_at(s, i + 1)) &&
               scan_right_free(s, i + 2) && scan_byte_at(s, i + 1) <= 'f' &&
               is_lower(scan_byte_at(s, i + 1)) && scan_byte_at(s, i + 1) != 'a' &&
               scan_byte_at(s, i + 1) != 'e') {
        i += 2;
    }
    return scan_right_free(s, i) ? i : 0;
}

/* Behind the spaces and the one sign that may stand between parts of an address. */
static size_t part_start(const struct scan *s, size_t at, bool *comma)
{
    size_t i = scan_skip_spaces(s, at);
    uint8_t b = scan_byte_at(s, i);
    *comma = false;
    if (b == ',' || (b == '.' && scan_byte_at(s, i + 1) == ',')) {
        *comma = true;
        i = scan_skip_spaces(s, i + (b == '.' ? 2U : 1U));
    } else if (b == '-' && i > at) {
        i = scan_skip_spaces(s, i + 1);
    }
    if (scan_byte_at(s, i) == '\r') {
        i++;
    }
    if (scan_byte_at(s, i) == '\n') {
        *comma = true;
        i = scan_skip_spaces(s, i + 1);
    }
    return i;
}

/* Town: one to four capitalised words, small ones between them; 0 when there is none. */
static size_t town_end(struct scan *s, size_t at)
{
    size_t end = 0;
    for (int words = 0; words < 5; words++) {
        struct token t;
        if (!scan_word(s, at, &t) || t.letters < 2) {
            break;
        }
        if (is_capital(&t)) {
            end = t.end;
        } else if (end == 0 || !token_has(&t, ROLE_LINK)) {
            break;
        }
        at = t.end;
        uint8_t b = scan_byte_at(s, at);
        if (b == '.' && t.letters <= 3) {
            b = scan_byte_at(s, ++at);
        }
        if ((b != ' ' && b != '-' && b != '\'' && b != '/') || end == 0) {
            break;
        }
        at++;
    }
    return end;
}

/* A state or country of one to three words; 0 when there is none. */
static size_t phrase_end(struct scan *s, size_t at, uint32_t role)
{
    struct token t;
    if (!scan_word(s, at, &t)) {
        return 0;
    }
    if (token_has(&t, role) && (t.letters > 3 ? is_capital(&t) : t.upper == t.letters)) {
        return t.end;
    }
    uint64_t hash = t.hash;
    for (int words = 0; words < 2; words++) {
        struct token next;
        if (scan_byte_at(s, t.end) != ' ' || !scan_word(s, t.end + 1, &next)) {
            return 0;
        }
        hash = words_join(hash, next.hash);
        const struct word *word = words_find(s->words, hash);
        if (word != NULL && (word->roles & role) != 0) {
            return next.end;
        }
        t = next;
    }
    return 0;
}

/* "94105", "94105-1234", "SW1A 1AA", "CH-8001"; 0 when there is none. */
static size_t postcode_end(struct scan *s, size_t at)
{
    size_t i = at, letters = 0;
    while (letters < 3 && is_upper(scan_byte_at(s, i))) {
        i++;
        letters++;
    }
    if (letters == 1 || letters == 2) {
        size_t k = i + (scan_byte_at(s, i) == '-' ? 1U : 0U);
        if (k == i && is_digit(scan_byte_at(s, i))) { /* British: A9, A99, AA9, AA9A, then 9AA */
            k = i + 1;
            k += is_alnum(scan_byte_at(s, k)) ? 1 : 0;
            k += scan_byte_at(s, k) == ' ' ? 1 : 0;
            if (letters == 1 && scan_byte_at(s, k - 1) == ' ' && is_digit(scan_byte_at(s, k)) &&
                is_upper(scan_byte_at(s, k + 1)) && is_digit(scan_byte_at(s, k + 2)) &&
                scan_right_free(s, k + 3)) {
                return k + 3; /* Canadian: A9A 9A9 */
            }
            if (is_digit(scan_byte_at(s, k)) && is_upper(scan_byte_at(s, k + 1)) &&
                is_upper(scan_byte_at(s, k + 2)) && scan_right_free(s, k + 3)) {
                return k + 3;
            }
            return 0;
        }
        i = k;
    } else if (letters > 0) {
        return 0;
    }
    size_t digits = 0;
    while (digits < 6 && is_digit(scan_byte_at(s, i + digits))) {
        digits++;
    }
    i += digits;
    if (digits < 4 || digits > 5) {
        return 0;
    }
    if (digits == 5 && scan_byte_at(s, i) == '-' && is_digit(scan_byte_at(s, i + 1))) {
        unsigned value;
        size_t plus = scan_number(s, i + 1, 4, &value);
        return plus == i + 5 ? plus : 0;
    }
    return scan_right_free(s, i) ? i : 0;
}

/* "Apt 4B", "Suite 300", "#101", "3º B", "4th Floor"; 0 when there is none. */
static size_t unit_end(struct scan *s, size_t at)
{
    struct token t;
    size_t i = at;
    if (scan_byte_at(s, i) == '#') {
        i = scan_skip_spaces(s, i + 1);
        size_t n = 0;
        while (n < 6 && is_alnum(scan_byte_at(s, i + n))) {
            n++;
        }
        return n > 0 && scan_right_free(s, i + n) ? i + n : 0;
    }
    if (is_digit(scan_byte_at(s, i))) { /* "3º B", "4th Floor", "3ª" */
        unsigned digits = 0;
        while (digits < 3 && is_digit(scan_byte_at(s, i + digits))) {
            digits++;
        }
        i += digits;
        bool ordinal = scan_byte_at(s, i) == 0xc2 &&
                       (scan_byte_at(s, i + 1) == 0xba || scan_byte_at(s, i + 1) == 0xaa ||
                        scan_byte_at(s, i + 1) == 0xb0);
        i += ordinal ? 2 : 0;
        if (digits > 2) {
            return 0;
        }
        size_t end = ordinal ? i : 0;
        if (!ordinal && is_alpha(scan_byte_at(s, i)) && scan_right_free(s, i + 1)) {
            return i + 1; /* "3F" */
        }
        if (scan_word(s, is_alpha(scan_byte_at(s, i)) ? i : scan_skip_spaces(s, i), &t)) {
            if (!ordinal && (strcmp(t.folded, "th") == 0 || strcmp(t.folded, "nd") == 0 ||
                             strcmp(t.folded, "rd") == 0 || strcmp(t.folded, "st") == 0)) {
                struct token floor;
                return scan_next_word(s, t.end, &floor) && token_has(&floor, ROLE_UNIT_PART)
                           ? floor.end
                           : 0;
            }
            if ((t.letters == 1 && is_capital(&t)) || token_has(&t, ROLE_UNIT_PART)) {
                return t.end;
            }
        }
        return end;
    }
    if (!scan_word(s, i, &t) || !token_has(&t, ROLE_UNIT_PART)) {
        return 0;
    }
    i = t.end + (scan_byte_at(s, t.end) == '.' ? 1U : 0U);
    i = scan_skip_spaces(s, i);
    i += scan_byte_at(s, i) == '#' ? 1 : 0;
    size_t n = 0;
    while (n < 6 &&
           (is_alnum(scan_byte_at(s, i + n)) || (n > 0 && scan_byte_at(s, i + n) == '-'))) {
        n++;
    }
    if (n > 0 && n < 6 && scan_right_free(s, i + n) &&
        (is_digit(scan_byte_at(s, i)) || is_digit(scan_byte_at(s, i + n - 1)) || n == 1)) {
        return i + n;
    }
    return 0;
}

/* Town with what must follow: ", CA 94105", ", CA", " 94105", ", United States". */
static size_t town_part(struct scan *s, size_t at)
{
    size_t town = town_end(s, at);
    if (town == 0) {
        return 0;
    }
    bool comma;
    size_t next = part_start(s, town, &comma);
    size_t state = phrase_end(s, next, ROLE_STATE);
    if (state != 0) {
        size_t zip = postcode_end(s, part_start(s, state, &comma));
        return zip != 0 ? zip : state;
    }
    size_t zip = postcode_end(s, next);
    if (zip != 0) {
        return zip;
    }
    return comma ? phrase_end(s, next, ROLE_COUNTRY) : 0;
}

/* ", 3", ", 1D", ", A", ", 3 Der": floor and door as Spaniards write them; 0: none. */
static size_t flat_end(struct scan *s, size_t at)
{
    size_t i = at;
    while (i - at < 2 && is_digit(scan_byte_at(s, i))) {
        i++;
    }
    struct token t;
    if (i == at) {
        bool door = scan_word(s, i, &t) && is_capital(&t) && t.letters == 1;
        return door ? t.end : 0;
    }
    size_t word = scan_skip_spaces(s, i);
    if (scan_word(s, word, &t) && (t.letters == 1 || token_has(&t, ROLE_UNIT_PART))) {
        return t.end;
    }
    return scan_right_free(s, i) ? i : 0;
}

/* Everything of the address behind the street that ends at `end`. */
static size_t tail_end(struct scan *s, size_t start, size_t end, bool romance)
{
    for (int parts = 0; parts < ADDRESS_PARTS && end - start < SOTTO_PATTERN_REACH - 96; parts++) {
        bool comma;
        size_t i = part_start(s, end, &comma);
        size_t next = postcode_end(s, i);
        if (next != 0) {
            size_t town = town_end(s, scan_skip_spaces(s, next));
            bool alone = comma && scan_byte_at(s, scan_skip_spaces(s, next)) != '\0' && town == 0;
            if (alone && is_digit(scan_byte_at(s, i)) && !comma) {
                break;
            }
            end = town != 0 ? town : next;
            continue;
        }
        next = unit_end(s, i);
        if (next == 0) {
            next = town_part(s, i);
        }
        if (next == 0 && comma) {
            next = phrase_end(s, i, ROLE_COUNTRY);
        }
        if (next == 0 && comma && romance) {
            next = flat_end(s, i);
        }
        if (next == 0 || next <= end) {
            break;
        }
        end = next;
    }
    return end;
}

/* Words that end in a kind of street on their own: unmistakable in lower case, too. */
static bool is_plain_street(const struct token *t)
{
    static const char *const words[] = {"street", "avenue", "road",    "boulevard", "blvd",
                                        "lane",   "ave",    "highway", "drive",     "rd"};
    for (size_t i = 0; i < SOTTO_COUNT(words); i++) {
        if (strcmp(t->folded, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A compass point behind the street: "Avenue NW"; the same offset when there is none. */
static size_t compass_end(struct scan *s, size_t at)
{
    struct token t;
    size_t i = at + (scan_byte_at(s, at) == '.' ? 1U : 0U);
    if (scan_next_word(s, i, &t) && token_has(&t, ROLE_COMPASS) && is_capital(&t)) {
        return t.end;
    }
    return at;
}

/* "12 Main Street", "5 East 42nd St.", "235 west 46th street". */
static bool english(struct scan *s, size_t start, size_t number)
{
    if (scan_byte_at(s, number) != ' ') {
        return false;
    }
    size_t at = number, best = 0, lower = 0;
    bool small = false, best_small = false, ordinal = false, names = false;
    for (int words = 0; words < ADDRESS_WORDS; words++) {
        size_t i = scan_skip_spaces(s, at);
        if (i == at && words > 0 && scan_byte_at(s, i) == '.') {
            i = scan_skip_spaces(s, i + 1);
        }
        size_t digits = 0;
        while (digits < 4 && is_digit(scan_byte_at(s, i + digits))) {
            digits++;
        }
        struct token t;
        if (!scan_word(s, i + digits, &t)) {
            break;
        }
        lower += digits == 0 && !is_capital(&t) ? 1 : 0;
        if (lower > 3) {
            break;
        }
        if (digits > 0) {
            bool th = strcmp(t.folded, "th") == 0 || strcmp(t.folded, "st") == 0 ||
                      strcmp(t.folded, "nd") == 0 || strcmp(t.folded, "rd") == 0;
            if (!th) {
                break;
            }
            ordinal = true;
        } else {
            if (token_has(&t, ROLE_MEASURE | ROLE_MONTH | ROLE_YEARS | ROLE_MONTHS) && words == 0) {
                return false;
            }
            bool kind = token_has(&t, ROLE_STREET_LAST) && (names || ordinal);
            bool clear = kind && (is_plain_street(&t) || ordinal || (!small && t.letters >= 5));
            small = small || (!is_capital(&t) && !token_has(&t, ROLE_COMPASS) && !kind);
            if (kind && (is_capital(&t) || clear)) {
                best = t.end;
                best_small = small || (!is_capital(&t) && !ordinal);
                if (best_small && !clear) {
                    best = 0;
                }
            }
            if (small && token_has(&t, ROLE_LINK | ROLE_YEAR_CUE | ROLE_PERSON) &&
                !is_capital(&t)) {
                break;
            }
            names = true;
        }
        at = t.end;
        at += scan_byte_at(s, at) == '-' && is_upper(scan_byte_at(s, at + 1)) ? 1 : 0;
        if (scan_byte_at(s, at) == '\'') { /* "St. James's Square" */
            struct token tail;
            at = scan_word(s, at + 1, &tail) ? tail.end : at;
        }
    }
    if (best == 0) {
        return false;
    }
    best = compass_end(s, best);
    bool dot = scan_byte_at(s, best) == '.' && scan_byte_at(s, best + 1) == ',';
    size_t end = tail_end(s, start, best + (dot ? 1U : 0U), false);
    add_address(s, start, end > best + 1 ? end : best, SOTTO_FINER_NONE, SOTTO_RULE_ADDRESS_STREET,
                best_small ? 650 : 880);
    return true;
}

static bool ends_with(const struct token *t, const char *tail)
{
    size_t n = strlen(tail);
    return t->letters >= n && t->letters < sizeof(t->folded) &&
           memcmp(t->folded + t->letters - n, tail, n) == 0;
}

/* Whether a German word ends in a kind of street; `whole` when it is nothing else. */
static bool is_german_street(const struct token *t, bool *whole)
{
    static const char *const tails[] = {
        "strasse", "strase", "str",    "weg",      "gasse",  "platz", "allee",     "ring",
        "damm",    "ufer",   "steig",  "chaussee", "graben", "markt", "promenade", "pfad",
        "stieg",   "zeile",  "gassli", "rain",     "halde",  "matte", "wiese",     "acker"};
    for (size_t i = 0; i < SOTTO_COUNT(tails); i++) {
        if (ends_with(t, tails[i])) {
            *whole = t->letters == strlen(tails[i]);
            return true;
        }
    }
    return false;
}

/* Start of the street's name when its kind is a word of its own: "Karl-Marx-Str.", "Lange Straße". */
static size_t german_name_start(struct scan *s, size_t kind)
{
    size_t start = kind;
    for (int words = 0; words < 4 && start > 0; words++) {
        uint8_t b = s->text.base[start - 1];
        struct token t;
        if ((b != ' ' && b != '-') || !scan_word_before(s, start - 1, &t) ||
            (!is_capital(&t) && !(words > 0 && token_has(&t, ROLE_LINK)))) {
            break;
        }
        start = t.start;
        if (b == ' ' && words >= 1) {
            break;
        }
    }
    return start;
}

/* "Bahnhofstrasse 12", seen from the number. */
static bool german(struct scan *s, size_t start, size_t number)
{
    size_t at = start;
    if (at < 2 || s->text.base[at - 1] != ' ') {
        return false;
    }
    at--;
    bool dot = s->text.base[at - 1] == '.';
    at -= dot ? 1 : 0;
    struct token t;
    bool whole;
    if (at < 3 || !is_one_of(s->text.base[at - 1], "erzgmntdik")) {
        return false; /* none of the kinds ends so */
    }
    if (!scan_word_before(s, at, &t) || !is_german_street(&t, &whole) || t.letters < 3) {
        return false;
    }
    bool hyphen = scan_byte_before(s, t.start) == '-';
    if (!is_capital(&t) && !hyphen) {
        return false;
    }
    size_t first = whole || hyphen ? german_name_start(s, t.start) : t.start;
    if ((whole && first == t.start) || start - first > ADDRESS_LEAD) {
        return false;
    }
    add_address(s, first, tail_end(s, first, number, false), SOTTO_FINER_NONE,
                SOTTO_RULE_ADDRESS_STREET, t.letters > 5 || dot ? 880 : 700);
    return true;
}

/* Name of a street behind its kind: capitalised and small words; `names` counts the capitalised. */
static size_t name_end(struct scan *s, size_t at, unsigned *names)
{
    size_t end = at;
    *names = 0;
    for (int words = 0; words < ADDRESS_WORDS; words++) {
        size_t i = scan_skip_spaces(s, end);
        uint8_t b = scan_byte_at(s, i);
        if (i == end && words > 0 &&
            (b == '.' || b == '\'' || b == '-' || (b == 0xe2 && scan_byte_at(s, i + 2) == 0x99))) {
            i = scan_skip_spaces(s, i + (b == 0xe2 ? 3U : 1U));
        }
        struct token t;
        if (!scan_word(s, i, &t)) {
            break;
        }
        if (words > 0 && token_has(&t, ROLE_UNIT_PART | ROLE_NUMBER) && t.letters < 4) {
            break;
        }
        if (is_capital(&t)) {
            (*names)++;
        } else if (!token_has(&t, ROLE_LINK)) {
            break;
        }
        end = t.end;
    }
    return end;
}

/* A number behind the name: "10", ", 23", " nº 5", " s/n"; 0 when there is none. */
static size_t number_behind(struct scan *s, size_t at)
{
    bool comma;
    size_t i = part_start(s, at, &comma);
    struct token t;
    if (scan_word(s, i, &t) && token_has(&t, ROLE_NUMBER | ROLE_UNIT_PART)) {
        i = t.end;
        i += scan_byte_at(s, i) == '.' ? 1 : 0;
        i += scan_byte_at(s, i) == 0xc2 ? 2 : 0;
        i = scan_skip_spaces(s, i);
    } else if (scan_word(s, i, &t) && t.letters == 1 && (t.folded[0] == 's') &&
               scan_byte_at(s, t.end) == '/' && (scan_byte_at(s, t.end + 1) | 0x20) == 'n') {
        return scan_right_free(s, t.end + 2) ? t.end + 2 : 0;
    }
    size_t end = house_end(s, i);
    return comma && end - i >= 4 && is_digit(scan_byte_at(s, i + 3)) ? 0 : end;
}

/* Kinds of street that are clear without a number and in lower case. */
static bool is_clear_kind(const struct token *t)
{
    static const char *const words[] = {"rue",      "calle",  "avenida",   "avda",      "carrer",
                                        "viale",    "piazza", "corso",     "carretera", "ctra",
                                        "chemin",   "paseo",  "boulevard", "quai",      "impasse",
                                        "vicolo",   "rua",    "travesia",  "plaza",     "piazzale",
                                        "glorieta", "ronda",  "allee",     "strada",    "passeig"};
    for (size_t i = 0; i < SOTTO_COUNT(words); i++) {
        if (strcmp(t->folded, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* "Via Roma 10", "C/ Mayor, 5", "rue de la Paix": `before` is a number in front of it. */
static void romance(struct scan *s, const struct token *kind, size_t before)
{
    size_t at = kind->end;
    uint8_t b = scan_byte_at(s, at);
    if (b == '.' || b == ',' || (b == '/' && kind->letters <= 2)) {
        at++;
    } else if (kind->letters == 1) {
        return;
    }
    unsigned names;
    size_t name = name_end(s, at, &names);
    bool numbered = before != ADDRESS_NONE;
    if (name == at || (names == 0 && !numbered)) {
        return;
    }
    size_t start = numbered ? before : kind->start;
    size_t number = numbered ? 0 : number_behind(s, name);
    bool clear = is_clear_kind(kind);
    if (!numbered && number == 0 && !(clear && is_capital(kind))) {
        return;
    }
    if (!clear && !is_capital(kind) && !numbered) {
        return;
    }
    int score = numbered || number != 0 ? (clear || names > 0 ? 870 : 600) : 560;
    size_t end = tail_end(s, start, number != 0 ? number : name, true);
    add_address(s, start, end, SOTTO_FINER_NONE, SOTTO_RULE_ADDRESS_STREET, score);
}

/* "12 rue de la Paix", "12 bis, avenue Foch". */
static bool french(struct scan *s, size_t start, size_t number)
{
    bool comma;
    size_t i = part_start(s, number, &comma);
    struct token t;
    if (!scan_word(s, i, &t)) {
        return false;
    }
    if (strcmp(t.folded, "bis") == 0 || strcmp(t.folded, "ter") == 0) {
        i = part_start(s, t.end, &comma);
        if (!scan_word(s, i, &t)) {
            return false;
        }
    }
    if (!token_has(&t, ROLE_STREET_FIRST) || t.letters < 2) {
        return false;
    }
    struct token link;
    size_t behind = t.end + (scan_byte_at(s, t.end) == '.' ? 1 : 0);
    if (strcmp(t.folded, "ch") == 0 &&
        !(scan_next_word(s, behind, &link) && token_has(&link, ROLE_LINK))) {
        return false; /* "10 Ch." is the size of a catheter */
    }
    romance(s, &t, start);
    return true;
}

/* "San Francisco, CA 94105", "CH-8001 Zürich", "ZIP 02139", "SW1A 1AA". */
static void recognize_postcode(struct scan *s, const struct cluster *c)
{
    size_t end = postcode_end(s, c->start);
    if (end == 0 || (c->joined && c->before != '-')) {
        return;
    }
    struct token t;
    bool british = is_alpha(scan_byte_at(s, c->start));
    size_t start = c->start;
    int score = british ? 640 : 0;
    if (c->before == ' ' && scan_word_before(s, c->start - 1, &t) && t.letters == 2 &&
        t.upper == 2 && token_has(&t, ROLE_STATE) && end - c->start >= 5) {
        start = t.start;
        score = 800;
    } else if (c->before == '-' && scan_word_before(s, c->start - 1, &t) && t.letters <= 2 &&
               t.upper == t.letters && is_one_of(s->text.base[t.start], "CDFIAEL") &&
               town_end(s, scan_skip_spaces(s, end)) != 0) {
        start = t.start;
        end = town_end(s, scan_skip_spaces(s, end));
        score = 780;
    }
    if (score < 700 && context_may_label(s, c->start)) {
        struct context ctx;
        context_read(s, c->start, end, &ctx);
        bool direct = context_in(&ctx.near, CTX_ZIP);
        score = direct ? 860 : score;
        size_t town = direct ? town_end(s, scan_skip_spaces(s, end)) : 0;
        end = town != 0 ? town : end;
    }
    if (score > 0) {
        add_address(s, start, end, SOTTO_FINER_POSTCODE, SOTTO_RULE_ADDRESS_POSTCODE, score);
    }
}

void recognize_street_number(struct scan *s, const struct cluster *c)
{
    size_t number = c->joined ? 0 : house_end(s, c->start);
    if (number != 0 && !german(s, c->start, number) && !french(s, c->start, number)) {
        english(s, c->start, number);
    }
    if (c->groups[0].len >= 2 && c->groups[0].len <= 7) {
        recognize_postcode(s, c);
    }
}

void recognize_street(struct scan *s, const struct token *kind)
{
    if (scan_left_free(s, kind->start) && scan_right_free(s, kind->end)) {
        romance(s, kind, ADDRESS_NONE);
    }
}

/* "Domicilio: Frida Kahlo 180-317": a street without its kind, behind a label. */
void recognize_address_label(struct scan *s, const struct token *label)
{
    size_t i = label->end;
    if (scan_byte_at(s, i) != ':') {
        return;
    }
    i = scan_skip_spaces(s, i + 1);
    unsigned names;
    size_t name = name_end(s, i, &names);
    size_t number = names > 0 ? number_behind(s, name) : 0;
    if (number != 0) {
        add_address(s, i, tail_end(s, i, number, true), SOTTO_FINER_NONE, SOTTO_RULE_ADDRESS_STREET,
                    820);
    }
}

/* "PO Box 123", "Postfach 4711, 8001 Zürich". */
void recognize_box(struct scan *s, const struct token *box)
{
    size_t i = scan_skip_spaces(s, box->end + (scan_byte_at(s, box->end) == '.' ? 1U : 0U));
    unsigned value;
    size_t end = scan_number(s, i, 7, &value), start = box->start;
    if (end == 0 || !scan_left_free(s, start) || !is_capital(box)) {
        return;
    }
    if (strcmp(box->folded, "box") == 0) { /* only after "PO", "P.O." */
        size_t at = start;
        while (at > 0 && start - at < 6 && is_one_of(s->text.base[at - 1], "PpOo. ")) {
            at--;
        }
        while (at < start && !is_alpha(s->text.base[at])) {
            at++;
        }
        if (start - at < 3) {
            return;
        }
        start = at;
    } else if (box->letters < 4) {
        return;
    }
    add_address(s, start, tail_end(s, start, end, false), SOTTO_FINER_PO_BOX,
                SOTTO_RULE_ADDRESS_BOX, 880);
}
