/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_CONFIG_FILE_H
#define SOTTO_APPS_CONFIG_FILE_H

#include "config/config.h"

/** The variable of this process; NULL: not set. */
const char *sotto_get_env(const char *name);

/**
 * Reads a configuration, or without a file that of the environment.  What is wrong with it is said
 * on standard error.
 *
 * @param file  NULL: none
 * @return      freed with sotto_config_free(); NULL: it is not valid
 */
struct sotto_config *sotto_config_file_read(const char *file);

#endif
