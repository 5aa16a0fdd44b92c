/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_STATE_FOLDER_H
#define SOTTO_APPS_STATE_FOLDER_H

#include <stdbool.h>

/** Room for a path. */
#define SOTTO_PATH_BYTES 4096

/**
 * The state folder: `given` (an option's or the configuration's; NULL or "": none), else
 * $SOTTO_STATE, else $XDG_STATE_HOME/sotto, else for root /var/lib/sotto, for others
 * ~/.local/state/sotto.  Nothing is made.
 *
 * @param[out] out  NUL-terminated
 * @return          false: there is no home folder, or the path is too long
 */
bool sotto_state_folder(const char *given, char out[SOTTO_PATH_BYTES]);

#endif
