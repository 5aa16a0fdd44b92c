/* SPDX-License-Identifier: Apache-2.0 */

/* International bank account numbers (ISO 13616), in any grouping. */

#include "detect/pattern/recognizers.h"
#include "detect/validate/validate.h"

#define IBAN_MIN 15
#define IBAN_MAX 34

bool recognize_iban(struct scan *s, const struct cluster *c, struct context *ctx)
{
    if (!is_alpha((uint8_t)c->norm[0]) || !is_alpha((uint8_t)c->norm[1]) || c->joined) {
        return false;
    }
    size_t best = 0;
    for (size_t last = 0; last < c->count; last++) {
        const struct group *g = &c->groups[last];
        size_t len = cluster_len(c, 0, last);
        if (len > IBAN_MAX || (last > 0 && g->gap != ' ' && g->gap != '-' && g->gap != '.')) {
            break;
        }
        if (len < IBAN_MIN || !cluster_free_right(s, c, last)) {
            continue;
        }
        best = last + 1;
        if (sotto_validate_iban(c->norm, len)) {
            scan_add(s, c->start, g->end,
                     (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_IBAN, SOTTO_RULE_IBAN, 990});
            return true;
        }
    }
    if (best != 0) {
        context_need(s, c, ctx);
    }
    if (best != 0 && context_in(&ctx->behind, CTX_IBAN)) { /* mistyped */
        scan_add(
            s, c->start, c->groups[best - 1].end,
            (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_IBAN, SOTTO_RULE_NUMBER_MISTYPED, 850});
        return true;
    }
    return false;
}
