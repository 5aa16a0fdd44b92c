/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_RESTORE_TEXT_H
#define SOTTO_VAULT_RESTORE_TEXT_H

#include "vault/restore.h"

/**
 * Restores a whole text: what a restorer gives that is fed `text` and ended.
 *
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_restore_text(const struct sotto_vault *vault, sotto_span text,
                                                   struct sotto_buf *out);

#endif
