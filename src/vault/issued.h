/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_ISSUED_H
#define SOTTO_VAULT_ISSUED_H

/*
 * What restoring asks of a vault: codes are packed, see vault/code.h.  For the files of this
 * folder.
 */

#include "vault/form.h"
#include "vault/vault.h"

/** Stand-ins that are no tokens; NULL: there are none, or none is restored now. */
const struct form_tree *vault_forms(const struct sotto_vault *vault);

/** What a form of the tree stands for. */
sotto_span vault_form_value(const struct sotto_vault *vault, const struct form *form);

/** A bit for each type word of which a token was issued. */
unsigned vault_issued_types(const struct sotto_vault *vault);

/** Whether a code was issued; `value` may be NULL and is unchanged when it was not. */
bool vault_find(const struct sotto_vault *vault, unsigned type, uint64_t packed, sotto_span *value);

/** Whether an issued code begins with these `count` (1 to 9) symbols. */
bool vault_has_prefix(const struct sotto_vault *vault, unsigned type, size_t count,
                      uint64_t packed);

#endif
