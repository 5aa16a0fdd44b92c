/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/month.h"

#include <stdio.h>

/* Days since 1970 to months since January 1970, by the civil calendar: eras of 400 years that
 * begin in March, so that the leap day is the last of its year. */
int32_t sotto_limit_month(int64_t now_ms)
{
    const int64_t day_ms = 86400000;
    int64_t days = now_ms / day_ms - (now_ms % day_ms < 0 ? 1 : 0) + 719468; /* since 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day = days - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0: March */
    return (int32_t)((year + era * 400 - 1970) * 12 + month + 2);
}

uint32_t sotto_month_rest_s(int64_t now_ms)
{
    int32_t month = sotto_limit_month(now_ms);
    int64_t low = now_ms, high = now_ms + 32LL * 86400000;
    while (high - low > 1) { /* the first millisecond of the next month */
        int64_t middle = low + (high - low) / 2;
        if (sotto_limit_month(middle) > month) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return (uint32_t)((high - now_ms + 999) / 1000);
}

/* A number of digits alone; -1 where there is anything else. */
static int32_t read_digits(sotto_span text)
{
    int32_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.base[i] < '0' || text.base[i] > '9') {
            return -1;
        }
        number = number * 10 + (text.base[i] - '0');
    }
    return number;
}

enum sotto_err sotto_month_parse(sotto_span text, int32_t *month)
{
    if (text.len != 7 || text.base[4] != '-') {
        return SOTTO_EFORMAT;
    }
    int32_t year = read_digits(sotto_span_sub(text, 0, 4));
    int32_t number = read_digits(sotto_span_sub(text, 5, 7));
    if (year < 1970 || number < 1 || number > 12) {
        return SOTTO_EFORMAT;
    }
    *month = (year - 1970) * 12 + number - 1;
    return SOTTO_OK;
}

void sotto_month_text(int32_t month, char out[SOTTO_MONTH_TEXT_BYTES])
{
    snprintf(out, SOTTO_MONTH_TEXT_BYTES, "%04d-%02d", 1970 + month / 12, 1 + month % 12);
}
