/* SPDX-License-Identifier: Apache-2.0 */

/* Asks the families that live on numbers, the exact ones first. */

#include "detect/pattern/recognizers.h"

#define NUMBER_SHORT 3 /* fewer digits than that are no identifier */

static size_t count_digits(const struct cluster *c)
{
    size_t digits = 0;
    for (size_t i = 0; i < c->count; i++) {
        digits += c->groups[i].digits;
    }
    return digits;
}

void recognize_number(struct scan *s, size_t start)
{
    struct cluster c;
    if (!cluster_read(s, start, &c) || !c.free_left) {
        return;
    }
    bool digit_first = c.groups[0].digits > 0;
    if (digit_first) {
        if (recognize_date(s, &c) || recognize_age(s, &c)) {
            return;
        }
        recognize_street_number(s, &c);
        recognize_year(s, &c);
        if (recognize_ipv4(s, &c)) {
            return;
        }
    }
    if (count_digits(&c) < NUMBER_SHORT) {
        return;
    }
    struct context ctx;
    context_read(s, c.start, c.end, &ctx);
    bool found = recognize_iban(s, &c, &ctx) || recognize_card(s, &c, &ctx);
    found = recognize_shapes(s, &c, &ctx) || found;
    found = recognize_phone(s, &c, &ctx) || found;
    if (!found || ctx.label != CTX_NONE) {
        recognize_labelled(s, &c, &ctx);
    }
}
