/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/finer.h"

#include <stddef.h>

const char *sotto_finer_name(unsigned finer)
{
    static const char *const names[SOTTO_FINER_COUNT] = {
#define X(suffix, name) [SOTTO_FINER_##suffix] = name,
        SOTTO_FINER_TABLE(X)
#undef X
    };
    return finer < SOTTO_FINER_COUNT ? names[finer] : NULL;
}
