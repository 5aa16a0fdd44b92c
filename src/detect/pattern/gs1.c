/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Element strings of GS1 as people read them off a label (GS1 General Specifications 7.8): the number
 * of an article, then what tells one piece from another, "(01)00844588003288(10)A213B1(21)7654321".
 * As the identifier of a medical device (UDI) such a string is on implants and in records of them.
 */

#include "detect/pattern/recognizers.h"
#include "detect/validate/validate.h"

#define GS1_ELEMENTS 12
#define GS1_VALUE    90 /* the longest of any element */
#define GS1_ARTICLE  14 /* digits of a GTIN */

/* What stands in brackets, as a number, and where its value begins; 0 where no element begins. */
static size_t read_key(struct scan *s, size_t at, unsigned *key)
{
    size_t begun = ++at;
    *key = 0;
    while (at - begun < 4 && is_digit(scan_byte_at(s, at))) {
        *key = *key * 10 + (unsigned)(scan_byte_at(s, at) - '0');
        at++;
    }
    s->steps += at - begun + 1;
    return at - begun >= 2 && scan_byte_at(s, at) == ')' ? at + 1 : 0;
}

static size_t value_end(struct scan *s, size_t at)
{
    size_t begun = at;
    while (at - begun < GS1_VALUE &&
           (is_alnum(scan_byte_at(s, at)) || is_one_of(scan_byte_at(s, at), "!\"%&'*+,-./_:;=?"))) {
        at++;
    }
    while (at > begun && !is_alnum(scan_byte_at(s, at - 1))) {
        at--; /* a sign of the sentence */
    }
    s->steps += at - begun + 1;
    return at;
}

/* `start` is behind the first bracket.  An article alone, however many there are, names nobody's. */
bool recognize_gs1(struct scan *s, size_t start)
{
    unsigned key = 0;
    size_t at = read_key(s, start - 1, &key), end = 0;
    bool one = false;
    if (at == 0 || key != 1 || value_end(s, at) != at + GS1_ARTICLE ||
        !sotto_validate_gtin14((const char *)s->text.base + at, GS1_ARTICLE)) {
        return false;
    }
    at += GS1_ARTICLE;
    for (int i = 0; i < GS1_ELEMENTS; i++) {
        at += scan_byte_at(s, at) == ' ' ? 1 : 0;
        size_t value = scan_byte_at(s, at) == '(' ? read_key(s, at, &key) : 0;
        at = value != 0 ? value_end(s, value) : 0;
        if (at == 0 || at == value) {
            break;
        }
        one = one || key == 10 || key == 21; /* its lot, its serial number */
        end = at;
    }
    if (one) {
        scan_add(s, start - 1, end,
                 (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_DEVICE_SERIAL, SOTTO_RULE_GS1, 960});
    }
    return one;
}
