/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Machine-readable zones of passports and identity cards (ICAO Doc 9303): lines of 44, 36 or 30
 * characters A to Z, 0 to 9 and '<'.  The first of a passport holds the name, the second the number
 * with check digits.
 */

#include "detect/pattern/recognizers.h"
#include "detect/validate/validate.h"

#define MRZ_LONGEST 44

static bool is_name_line(const char *line)
{
    return (line[0] == 'P' || line[0] == 'I' || line[0] == 'A' || line[0] == 'C' ||
            line[0] == 'V') &&
           (line[1] == '<' || is_upper((uint8_t)line[1])) && is_upper((uint8_t)line[2]) &&
           (is_upper((uint8_t)line[4]) || line[4] == '<');
}

void recognize_mrz(struct scan *s, size_t start)
{
    char line[MRZ_LONGEST + 1];
    size_t n = 0, fillers = 0;
    while (n <= MRZ_LONGEST && start + n < s->text.len) {
        uint8_t b = s->text.base[start + n];
        if (!is_upper(b) && !is_digit(b) && b != '<') {
            break;
        }
        fillers += b == '<' ? 1 : 0;
        if (n < MRZ_LONGEST) {
            line[n] = (char)b;
        }
        n++;
    }
    s->steps += n;
    if ((n != 44 && n != 36 && n != 30) || fillers < 2 || !scan_left_free(s, start) ||
        scan_byte_before(s, start) == '<') {
        return;
    }
    bool numbers = sotto_validate_mrz(line, 10) || sotto_validate_mrz(line + 5, 10);
    if (numbers || is_name_line(line)) {
        scan_add(
            s, start, start + n,
            (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_MRZ, SOTTO_RULE_MRZ, numbers ? 950 : 850});
    }
}
