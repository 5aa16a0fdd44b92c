/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CONFIG_READ_H
#define SOTTO_CONFIG_READ_H

#include "config/problems.h"
#include "config/schema.h"
#include "config/tree.h"

/**
 * Fills a draft from a tree by the table of fields: values, ranges and presets.  What is wrong
 * becomes a problem and leaves its field as it was.
 *
 * @param root   NULL: presets only
 * @param draft  zeroed, but for its arena, from which lists are taken
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err config_read_draft(const struct config_node *root,
                                                  struct config_draft *draft,
                                                  struct config_problems *problems);

/**
 * Checks what concerns more than one field, and completes the draft: models get their upstreams,
 * modes of one's own are made, routes are sorted.
 *
 * @param root  for places; NULL: there is no file
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err config_check_draft(const struct config_node *root,
                                                   struct config_draft *draft,
                                                   struct config_problems *problems);

/**
 * Adds the providers that the environment names, or the mirror.
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err config_add_providers(const struct sotto_config_env *env,
                                                     struct config_draft *draft,
                                                     struct config_problems *problems);

#endif
