/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/table.h"

const struct sotto_dialect *const sotto_dialects[] = {
    &sotto_dialect_phi_header,
    &sotto_dialect_anonymize,
    &sotto_dialect_openai, /* takes what is left */
    NULL,
};

const struct sotto_dialect *sotto_dialect_of(const struct sotto_http_head *head)
{
    size_t i = 0;
    while (sotto_dialects[i + 1] != NULL && !sotto_dialects[i]->accepts(head)) {
        i++;
    }
    return sotto_dialects[i];
}
