/* SPDX-License-Identifier: Apache-2.0 */

#include "text/fold.h"

#include <stddef.h>
#include <utf8proc.h>

#include "base/compiler.h"

/* Letters without a decomposition, and look-alikes; lower case, sorted. */
static const struct {
    uint16_t from;
    char to;
} fold_plain[] = {
    {0x00df, 's'}, {0x00e6, 'a'}, {0x00f0, 'd'}, {0x00f8, 'o'},  {0x00fe, 't'},  {0x0111, 'd'},
    {0x0127, 'h'}, {0x0131, 'i'}, {0x0142, 'l'}, {0x0153, 'o'},  {0x0192, 'f'},  {0x0237, 'j'},
    {0x0251, 'a'}, {0x0261, 'g'}, {0x03b1, 'a'}, {0x03b9, 'i'},  {0x03bd, 'v'},  {0x03bf, 'o'},
    {0x03c1, 'p'}, {0x03c5, 'u'}, {0x0430, 'a'}, {0x0435, 'e'},  {0x043a, 'k'},  {0x043c, 'm'},
    {0x043e, 'o'}, {0x0440, 'p'}, {0x0441, 'c'}, {0x0442, 't'},  {0x0443, 'y'},  {0x0445, 'x'},
    {0x0455, 's'}, {0x0456, 'i'}, {0x0458, 'j'}, {0x04bb, 'h'},  {0x0501, 'd'},  {0x051b, 'q'},
    {0x051d, 'w'}, {0x2010, '-'}, {0x2011, '-'}, {0x2018, '\''}, {0x2019, '\''}, {0x02bc, '\''},
};

static uint32_t plain(uint32_t c)
{
    for (size_t i = 0; i < SOTTO_COUNT(fold_plain); i++) {
        if (fold_plain[i].from == c) {
            return (uint32_t)fold_plain[i].to;
        }
    }
    return c;
}

uint32_t sotto_lower(uint32_t c)
{
    if (c < 128) {
        return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
    }
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
}

uint32_t sotto_fold_wide(uint32_t c)
{
    utf8proc_int32_t parts[32];
    int boundclass = 0;
    c = sotto_lower(c);
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)c, parts, SOTTO_COUNT(parts),
                                                 UTF8PROC_DECOMPOSE, &boundclass);
    if (n > 0 && n <= (utf8proc_ssize_t)SOTTO_COUNT(parts)) {
        c = sotto_lower((uint32_t)parts[0]);
    }
    return plain(c);
}
