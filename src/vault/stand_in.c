/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/stand_in.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/compiler.h"
#include "vault/token.h"

/* In the order of the type words. */
enum stand_in_type {
    STAND_IN_PERSON = 0,
    STAND_IN_LOCATION = 1,
    STAND_IN_ADDRESS = 2,
    STAND_IN_ORG = 3,
    STAND_IN_PHONE = 8,
    STAND_IN_EMAIL = 9,
    STAND_IN_URL = 10,
    STAND_IN_ID = 11,
};

/* Longest number whose digits are replaced. */
#define STAND_IN_NUMBER_MAX 36

/* Takes numbers from the random bytes. */
struct dice {
    const uint8_t *random;
    size_t at;
};

static unsigned roll(struct dice *dice, unsigned below)
{
    unsigned n = (unsigned)dice->random[dice->at % STAND_IN_RANDOM] << 8 |
                 dice->random[(dice->at + 1) % STAND_IN_RANDOM];
    n ^= (unsigned)(dice->at / STAND_IN_RANDOM) * 0x9e37U; /* beyond the end: other numbers */
    dice->at += 2;
    return n % below;
}

/* --- invented words ---------------------------------------------------------------------------- */

size_t stand_in_word(unsigned i, char out[16])
{
    static const char first[32][5] = {"Bal", "Bre", "Cal", "Cor", "Dal", "Dor", "Fal",  "Fen",
                                      "Gar", "Hal", "Hol", "Jor", "Kel", "Kor", "Lan",  "Lor",
                                      "Mal", "Mor", "Nal", "Nor", "Ost", "Pel", "Quil", "Ral",
                                      "Ser", "Tal", "Tor", "Val", "Vel", "Wen", "Yor",  "Zel"};
    static const char second[32][4] = {"ani", "asu", "ebi", "ema", "eno", "ibo", "ida", "iku",
                                       "ilo", "imu", "ini", "iro", "oda", "oki", "oli", "omu",
                                       "ona", "opi", "oru", "osi", "ubo", "udi", "uki", "ula",
                                       "umi", "una", "upo", "uri", "usa", "avo", "evi", "ovu"};
    static const char third[32][6] = {
        "brek", "dask", "drel", "fask", "gorn",  "hask", "jask", "krel", "lusk", "mork", "nesk",
        "plin", "quez", "rask", "selk", "stran", "tesk", "trel", "varn", "vesk", "wick", "yask",
        "zorn", "bask", "dorn", "felk", "gask",  "lorn", "mesk", "pask", "rolk", "tusk"};
    i %= STAND_IN_WORDS;
    int len = snprintf(out, 16, "%s%s%s", first[i >> 10], second[i >> 5 & 31], third[i & 31]);
    return (size_t)len;
}

static const char *word(struct dice *dice, char out[16])
{
    (void)stand_in_word(roll(dice, STAND_IN_WORDS), out);
    return out;
}

static void lower_case(char *text)
{
    for (; *text != '\0'; text++) {
        *text = *text >= 'A' && *text <= 'Z' ? (char)(*text | 0x20) : *text;
    }
}

/* --- forms ------------------------------------------------------------------------------------- */

SOTTO_PRINTF(3, 4)
static void add_form(struct stand_in *out, enum form_part part, const char *fmt, ...)
{
    char text[FORM_MAX + 1];
    va_list ap;
    va_start(ap, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (len <= 0 || len > FORM_MAX || out->form_count == STAND_IN_FORMS) {
        return;
    }
    memcpy(out->form[out->form_count].text, text, (size_t)len);
    out->form[out->form_count].len = (size_t)len;
    out->form[out->form_count].part = part;
    if (out->form_count++ == 0) {
        memcpy(out->text, text, (size_t)len);
        out->len = (size_t)len;
    }
}

static bool has_space(sotto_span value)
{
    return memchr(value.base, ' ', value.len) != NULL;
}

static void add_person(const char *given, const char *family, struct stand_in *out)
{
    add_form(out, FORM_WHOLE, "%s %s", given, family);
    add_form(out, FORM_WHOLE, "%s, %s", family, given);
    add_form(out, FORM_FIRST_WORD, "%s", given);
    add_form(out, FORM_LAST_WORD, "%s", family);
}

static void make_person(sotto_span value, struct dice *dice, struct stand_in *out)
{
    char given[16], family[16];
    out->every_word = true;
    word(dice, given);
    if (value.len == 0 || !has_space(value)) {
        add_form(out, FORM_WHOLE, "%s", given);
        return;
    }
    add_person(given, word(dice, family), out);
}

static void add_phone(unsigned area, unsigned line, struct stand_in *out)
{
    add_form(out, FORM_WHOLE, "+1-%u-555-0%u", area, line);
    add_form(out, FORM_WHOLE, "+1 (%u) 555-0%u", area, line);
    add_form(out, FORM_WHOLE, "(%u) 555-0%u", area, line);
    add_form(out, FORM_WHOLE, "%u-555-0%u", area, line);
    add_form(out, FORM_WHOLE, "+1%u5550%u", area, line);
    add_form(out, FORM_WHOLE, "%u.555.0%u", area, line);
}

/* Areas of three digits that do not end in 11: 555-01XX is fiction in each of them. */
static void make_phone(struct dice *dice, struct stand_in *out)
{
    unsigned area = 200 + roll(dice, 790), line = 100 + roll(dice, 100);
    add_phone(area % 100 == 11 ? area + 1 : area, line, out);
}

/* --- identifiers ------------------------------------------------------------------------------- */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Counts characters by kind; SIZE_MAX in `other` never happens. */
struct shape {
    size_t digits, letters, hex, dots, colons, hyphens, spaces, other;
};

static struct shape shape_of(sotto_span value)
{
    struct shape s = {0};
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.base[i];
        s.hex += is_hex(c);
        if (is_digit(c)) {
            s.digits++;
        } else if (is_letter(c)) {
            s.letters++;
        } else {
            size_t *kind = c == '.'   ? &s.dots
                           : c == ':' ? &s.colons
                           : c == '-' ? &s.hyphens
                           : c == ' ' ? &s.spaces
                                      : &s.other;
            (*kind)++;
        }
    }
    return s;
}

/* The digit that makes the number before it right by Luhn's rule. */
static unsigned luhn_digit(const char *text, size_t len)
{
    unsigned sum = 0;
    bool twice = true;
    for (size_t i = len; i-- > 0;) {
        if (is_digit((uint8_t)text[i])) {
            unsigned d = (unsigned)(text[i] - '0') * (twice ? 2 : 1);
            sum += d > 9 ? d - 9 : d;
            twice = !twice;
        }
    }
    return (10 - sum % 10) % 10;
}

/* Same grouping and first digit, another number, a check digit that is wrong. */
static void make_card(sotto_span value, struct dice *dice, struct stand_in *out)
{
    char text[FORM_MAX];
    size_t last = 0;
    for (size_t i = 0; i < value.len; i++) {
        text[i] = (char)value.base[i];
        if (is_digit(value.base[i])) {
            text[i] = i == 0 ? text[i] : (char)('0' + roll(dice, 10));
            last = i;
        }
    }
    unsigned right = luhn_digit(text, last);
    text[last] = (char)('0' + (right + 1 + roll(dice, 9)) % 10);
    add_form(out, FORM_WHOLE, "%.*s", (int)value.len, text);
}

/* The number modulo 97, its first four characters behind the others (ISO 13616): 1 is right. */
static unsigned iban_rest(const char *text, size_t len)
{
    unsigned rest = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[(i + 4) % len];
        if (is_digit(c)) {
            rest = (rest * 10 + c - '0') % 97;
        } else if (is_letter(c)) {
            rest = (rest * 100 + (c & ~0x20U) - 'A' + 10) % 97;
        }
    }
    return rest;
}

/* Country and grouping stay, the check digits are 00; by arithmetic alone these can be right. */
static void make_iban(sotto_span value, struct dice *dice, struct stand_in *out)
{
    char text[FORM_MAX];
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.base[i];
        text[i] = (char)c;
        if (i == 2 || i == 3) {
            text[i] = '0';
        } else if (i > 3 && is_digit(c)) {
            text[i] = (char)('0' + roll(dice, 10));
        } else if (i > 3 && is_letter(c)) {
            text[i] = (char)('A' + roll(dice, 26));
        }
    }
    char *last = &text[value.len - 1];
    if (iban_rest(text, value.len) == 1) {
        *last = *last == '9' || *last == 'Z' ? (char)(*last - 1) : (char)(*last + 1);
    }
    add_form(out, FORM_WHOLE, "%.*s", (int)value.len, text);
}

static void make_ip4(struct dice *dice, struct stand_in *out)
{
    static const char *const nets[] = {"192.0.2", "198.51.100", "203.0.113"};
    const char *net = nets[roll(dice, 3)];
    add_form(out, FORM_WHOLE, "%s.%u", net, 1 + roll(dice, 254));
}

static bool make_id(sotto_span value, struct dice *dice, struct stand_in *out)
{
    struct shape s = shape_of(value);
    if (value.len == 0 || value.len > STAND_IN_NUMBER_MAX || s.other != 0) {
        return false;
    }
    bool plain = s.dots == 0 && s.colons == 0;
    if (s.dots == 3 && s.digits + s.dots == value.len && value.len <= 15) {
        make_ip4(dice, out);
    } else if (value.len == 17 && s.hex == 12 && (s.colons == 5 || s.hyphens == 5)) {
        char c = s.colons == 5 ? ':' : '-';
        add_form(out, FORM_WHOLE, "00%c00%c5e%c00%c53%c%02x", c, c, c, c, c, roll(dice, 256));
    } else if (s.colons >= 2 && s.hex + s.colons == value.len) {
        add_form(out, FORM_WHOLE, "2001:db8:%x:%x::%x", 1 + roll(dice, 65535),
                 1 + roll(dice, 65535), 1 + roll(dice, 65535));
    } else if (plain && s.letters == 0 && s.digits >= 13 && s.digits <= 19 &&
               is_digit(value.base[0]) && is_digit(value.base[value.len - 1])) {
        make_card(value, dice, out);
    } else if (plain && s.hyphens == 0 && value.len >= 15 && is_letter(value.base[0]) &&
               is_letter(value.base[1]) && is_digit(value.base[2]) && is_digit(value.base[3]) &&
               s.digits > 8) {
        make_iban(value, dice, out);
    } else if (value.len == 11 && s.digits == 9 && s.hyphens == 2 && value.base[3] == '-' &&
               value.base[6] == '-') {
        unsigned group = 1 + roll(dice, 99);
        add_form(out, FORM_WHOLE, "000-%02u-%04u", group, 1 + roll(dice, 9999));
    }
    return out->form_count != 0;
}

/* --- all --------------------------------------------------------------------------------------- */

bool stand_in_make(unsigned type, sotto_span value, const uint8_t random[STAND_IN_RANDOM],
                   struct stand_in *out)
{
    static const char *const endings[] = {"com", "org", "net"};
    struct dice dice = {.random = random};
    char name[16];
    *out = (struct stand_in){.every_word = false};
    switch (type) {
    case STAND_IN_PERSON:
        make_person(value, &dice, out);
        break;
    case STAND_IN_LOCATION:
        add_form(out, FORM_WHOLE, "%sville", word(&dice, name));
        break;
    case STAND_IN_ADDRESS: {
        unsigned number = 1 + roll(&dice, 99);
        add_form(out, FORM_WHOLE, "%u %s Street", number, word(&dice, name));
        break;
    }
    case STAND_IN_ORG:
        add_form(out, FORM_WHOLE, "%s Group", word(&dice, name));
        add_form(out, FORM_WHOLE, "%s", name);
        out->every_word = false;
        break;
    case STAND_IN_PHONE:
        make_phone(&dice, out);
        break;
    case STAND_IN_EMAIL:
        word(&dice, name);
        lower_case(name);
        add_form(out, FORM_WHOLE, "%s@example.%s", name, endings[roll(&dice, 3)]);
        break;
    case STAND_IN_URL:
        word(&dice, name);
        lower_case(name);
        add_form(out, FORM_WHOLE, "https://%s.example", name);
        add_form(out, FORM_WHOLE, "%s.example", name);
        break;
    case STAND_IN_ID:
        return make_id(value, &dice, out);
    default:
        break;
    }
    return out->form_count != 0;
}

void stand_in_angle(unsigned type, unsigned number, struct stand_in *out)
{
    sotto_span name = sotto_token_word(type);
    *out = (struct stand_in){.every_word = false};
    add_form(out, FORM_WHOLE, "<%.*s_%u>", SOTTO_FMT(name), number);
    add_form(out, FORM_BARE, "%.*s_%u", SOTTO_FMT(name), number);
}

/* The invented word at the beginning of `text`: a capital and small letters; 0: none. */
static size_t read_word(sotto_span text, char out[16])
{
    size_t len = 0;
    while (len < text.len && len < 15 && is_letter(text.base[len]) &&
           (text.base[len] >= 'a') == (len != 0)) {
        out[len] = (char)text.base[len];
        len++;
    }
    out[len] = '\0';
    return len;
}

bool stand_in_read(sotto_span text, struct stand_in *out)
{
    char copy[FORM_MAX + 1], given[16], family[16];
    unsigned area = 0, line = 0;
    *out = (struct stand_in){.every_word = false};
    if (text.len < 2 || text.len > FORM_MAX || memchr(text.base, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(copy, text.base, text.len);
    copy[text.len] = '\0';
    size_t first = read_word(text, given);
    if (first != 0 && first + 1 < text.len && text.base[first] == ' ' &&
        first + 1 + read_word(sotto_span_skip(text, first + 1), family) == text.len) {
        add_person(given, family, out);
    } else if (text.len == 15 && memcmp(copy, "+1-", 3) == 0 &&
               memcmp(copy + 6, "-555-0", 6) == 0 && is_digit(text.base[3]) &&
               is_digit(text.base[4]) && is_digit(text.base[5]) && is_digit(text.base[12]) &&
               is_digit(text.base[13]) && is_digit(text.base[14])) {
        for (size_t i = 0; i < 3; i++) {
            area = area * 10 + text.base[3 + i] - '0';
            line = line * 10 + text.base[12 + i] - '0';
        }
        add_phone(area, line, out);
    } else {
        add_form(out, FORM_WHOLE, "%s", copy);
        if (copy[0] == '<' && copy[text.len - 1] == '>' && strchr(copy, '_') != NULL) {
            add_form(out, FORM_BARE, "%.*s", (int)(text.len - 2), copy + 1);
        }
    }
    return spelling_separator(sotto_span_init(copy, 1)) == 0 &&
           spelling_separator(sotto_span_init(copy + text.len - 1, 1)) == 0;
}
