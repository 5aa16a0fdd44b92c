/* SPDX-License-Identifier: Apache-2.0 */

/* Asks the families that live on numbers, the exact ones first. */

#include "detect/pattern/recognizers.h"

#define NUMBER_CODE     24
#define NUMBER_CAPITALS 8
#define NUMBER_SHORT    3 /* fewer digits than that are no identifier */

static size_t count_digits(const struct cluster *c)
{
    size_t digits = 0;
    for (size_t i = 0; i < c->count; i++) {
        digits += c->groups[i].digits;
    }
    return digits;
}

/* A cluster that is no date, age or network address. */
static void ask_families(struct scan *s, const struct cluster *c)
{
    struct context ctx = {.read = false};
    bool found = recognize_iban(s, c, &ctx) || recognize_card(s, c, &ctx);
    found = recognize_shapes(s, c, &ctx) || found;
    found = recognize_phone(s, c, &ctx) || found;
    if (context_may_label(s, c->start)) {
        context_need(s, c, &ctx);
        if (!found || ctx.label != CTX_NONE) {
            recognize_labelled(s, c, &ctx);
        }
    }
}

static void ask_cluster(struct scan *s, const struct cluster *c)
{
    if (c->groups[0].digits > 0) {
        if (recognize_date(s, c) || recognize_age(s, c)) {
            return;
        }
        recognize_street_number(s, c);
        recognize_year(s, c);
        if (recognize_ipv4(s, c)) {
            return;
        }
    }
    if (count_digits(c) >= NUMBER_SHORT) {
        ask_families(s, c);
    }
}

/* Start of the letters that a code has before its number: "MX-456789", "AB-CD-12"; or `start`. */
static size_t code_start(const struct scan *s, size_t start)
{
    size_t at = start;
    while (at > 0 && start - at < NUMBER_CODE) {
        uint8_t b = s->text.base[at - 1];
        if (is_digit(b)) {
            return start; /* an earlier number of the same piece has looked */
        }
        if (!is_alpha(b) && !is_one_of(b, "-./_")) {
            break;
        }
        at--;
    }
    while (at < start && !is_alpha(s->text.base[at])) {
        at++;
    }
    return at;
}

/* Start of a word in capitals before the number: "HRB 12345", "GB 82"; or `start`. */
static size_t capitals_start(const struct scan *s, size_t start)
{
    size_t at = start - 1;
    while (at > 0 && start - at < NUMBER_CAPITALS && is_upper(s->text.base[at - 1])) {
        at--;
    }
    return at < start - 1 && scan_left_free(s, at) ? at : start;
}

/* Whether the number hangs on something before it: "-12" of "2021-12", "x.5". */
static bool hangs(const struct scan *s, size_t start, uint8_t before)
{
    uint8_t before2 = start >= 2 ? s->text.base[start - 2] : 0;
    return (is_alnum(before2) && is_one_of(before, "-/_,'@")) ||
           (is_digit(before2) && is_one_of(before, ".:="));
}

void recognize_number(struct scan *s, size_t start)
{
    struct cluster c;
    uint8_t before = scan_byte_before(s, start);
    if (before == '(' && s->text.base[start] == '0' && recognize_gs1(s, start)) {
        return;
    }
    if (before == '-' || before == '/' || before == '.' || before == '_') {
        size_t code = code_start(s, start);
        if (code != start && cluster_read(s, code, &c) && c.free_left && !c.joined) {
            ask_cluster(s, &c);
        }
    } else if (before == ' ' && start >= 3 && is_upper(s->text.base[start - 2])) {
        size_t code = capitals_start(s, start);
        if (code != start && cluster_read(s, code, &c) && c.free_left && !c.joined) {
            ask_cluster(s, &c);
        }
    }
    if (hangs(s, start, before) || !cluster_read(s, start, &c) || !c.free_left || c.joined) {
        return;
    }
    /* The second group of "4111 1111 1111 1111" begins nothing that the first did not. */
    bool inside = before == ' ' && start >= 2 && is_digit(s->text.base[start - 2]);
    if (!inside || c.count == 1 || c.groups[1].gap != ' ') {
        ask_cluster(s, &c);
    }
}
