/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/rule.h"

#include <stddef.h>

const char *sotto_rule_name(unsigned rule)
{
    static const char *const names[SOTTO_RULE_COUNT] = {
#define X(suffix, name) [SOTTO_RULE_##suffix] = name,
        SOTTO_RULE_TABLE(X)
#undef X
    };
    return rule < SOTTO_RULE_COUNT ? names[rule] : NULL;
}
