/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/generalise.h"

#include <stdio.h>

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* The next run of digits at or behind `*at`, which is moved behind it; false: there is none. */
static bool next_number(sotto_span text, size_t *at, size_t *len, unsigned *number)
{
    size_t i = *at;
    while (i < text.len && !is_digit(text.base[i])) {
        i++;
    }
    size_t start = i;
    for (*number = 0; i < text.len && is_digit(text.base[i]); i++) {
        *number = *number < 100000000 ? *number * 10 + (unsigned)(text.base[i] - '0') : *number;
    }
    *at = i;
    *len = i - start;
    return i > start;
}

static void write_year(sotto_span value, char *out)
{
    size_t at = 0, len;
    unsigned number, year = 0;
    bool several = false;
    while (next_number(value, &at, &len, &number)) {
        if (len == 4 && number >= 1800 && number <= 2199) {
            several = year != 0 && year != number;
            year = number;
        }
    }
    if (year != 0 && !several) {
        snprintf(out, SOTTO_GENERALISE_BYTES, "%u", year);
    } else {
        snprintf(out, SOTTO_GENERALISE_BYTES, "[DATE]");
    }
}

/* The highest number counts: "between 85 and 95". */
static void write_age(sotto_span value, bool over_89, char *out)
{
    size_t at = 0, len;
    unsigned number, oldest = 0;
    bool any = false;
    while (next_number(value, &at, &len, &number)) {
        oldest = number > oldest ? number : oldest;
        any = true;
    }
    if (over_89 || oldest > 89) {
        snprintf(out, SOTTO_GENERALISE_BYTES, "90 or older");
    } else if (any) {
        snprintf(out, SOTTO_GENERALISE_BYTES, "%u to %u years old", oldest / 10 * 10,
                 oldest / 10 * 10 + 9);
    } else {
        snprintf(out, SOTTO_GENERALISE_BYTES, "[AGE]");
    }
}

/* "90210" or "90210-1234", perhaps behind the letters of a state. */
static void write_postcode(sotto_span value, char *out)
{
    static const unsigned small_areas[] = {36,  59,  63,  102, 203, 556, 692, 790, 821,
                                           823, 830, 831, 878, 879, 884, 890, 893};
    size_t at = 0, len, more_len = 0;
    unsigned number, more;
    bool zip = next_number(value, &at, &len, &number) && len == 5;
    bool second = next_number(value, &at, &more_len, &more);
    if (!zip || (second && more_len != 4)) {
        snprintf(out, SOTTO_GENERALISE_BYTES, "[POSTCODE]");
        return;
    }
    unsigned area = number / 100;
    for (size_t i = 0; i < SOTTO_COUNT(small_areas); i++) {
        area = area == small_areas[i] ? 0 : area;
    }
    snprintf(out, SOTTO_GENERALISE_BYTES, "%03u", area);
}

bool sotto_generalise_knows(sotto_span name)
{
    static const char *const names[] = {"DATE", "DATE_OF_BIRTH", "AGE", "AGE_OVER_89", "POSTCODE"};
    for (size_t i = 0; i < SOTTO_COUNT(names); i++) {
        if (sotto_span_eq(name, sotto_span_str(names[i]))) {
            return true;
        }
    }
    return false;
}

void sotto_generalise(enum sotto_label label, const char *finer, sotto_span value,
                      char out[SOTTO_GENERALISE_BYTES])
{
    sotto_span type = sotto_span_str(finer);
    if (sotto_span_eq(type, SOTTO_LIT("POSTCODE"))) {
        write_postcode(value, out);
    } else if (label == SOTTO_LABEL_AGE) {
        write_age(value, sotto_span_eq(type, SOTTO_LIT("AGE_OVER_89")), out);
    } else if (label == SOTTO_LABEL_DATE) {
        write_year(value, out);
    } else {
        snprintf(out, SOTTO_GENERALISE_BYTES, "[%s]", sotto_label_name(label));
    }
}
