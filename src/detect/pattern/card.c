/* SPDX-License-Identifier: Apache-2.0 */

/* Payment cards: 13 to 19 digits that pass Luhn's check and begin as an issuer's do. */

#include "detect/pattern/recognizers.h"
#include "detect/validate/validate.h"

#define CARD_MIN 13
#define CARD_MAX 19

/* Groups of a card: all of four but the last, or 4-6-5, or 4-6-4. */
static bool is_grouped(const struct cluster *c, size_t last)
{
    if (last == 0) {
        return true;
    }
    for (size_t i = 0; i <= last; i++) {
        const struct group *g = &c->groups[i];
        bool six = i == 1 && g->len == 6 && last == 2;
        bool tail = i == last && g->len >= 1 && g->len <= 7;
        if (!(g->len == 4 || six || tail) ||
            (i > 0 && g->gap != ' ' && g->gap != '-' && g->gap != '.')) {
            return false;
        }
    }
    return c->groups[0].len == 4;
}

bool recognize_card(struct scan *s, const struct cluster *c, struct context *ctx)
{
    if (c->joined) {
        return false;
    }
    for (size_t last = 0; last < c->count && c->groups[last].digits == c->groups[last].len;
         last++) {
        size_t len = cluster_len(c, 0, last);
        if (len < CARD_MIN || len > CARD_MAX || !is_grouped(c, last) ||
            !cluster_free_right(s, c, last)) {
            continue;
        }
        context_need(s, c, ctx);
        bool named = context_any(ctx, CTX_CARD);
        bool valid = sotto_validate_card(c->norm, len);
        bool other = context_any(ctx, CTX_IMEI) || context_any(ctx, CTX_GLN) ||
                     (context_any(ctx, CTX_NEGATIVE) && !named);
        int score = valid ? (named ? 990 : last > 0 ? 950 : 880) : named && len >= 14 ? 800 : 0;
        if (score == 0 || (other && !named)) {
            continue;
        }
        scan_add(s, c->start, c->groups[last].end,
                 (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_CREDIT_CARD, SOTTO_RULE_CARD, score});
        return true;
    }
    return false;
}
