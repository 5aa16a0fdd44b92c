/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/table.h"

static const struct sotto_provider *const providers[] = {
    &sotto_provider_openai,
    &sotto_provider_azure,
    &sotto_provider_mistral,
    &sotto_provider_anthropic,
};

const struct sotto_provider *sotto_provider_by_kind(sotto_span kind)
{
    for (size_t i = 0; i < SOTTO_COUNT(providers); i++) {
        if (sotto_span_eq(sotto_span_str(providers[i]->kind), kind)) {
            return providers[i];
        }
    }
    return NULL;
}
