/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/state_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* "" counts as not set, as the XDG Base Directory Specification wants it. */
static const char *variable(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    return value != NULL && value[0] != '\0' ? value : NULL;
}

bool sotto_state_folder(const char *given, char out[SOTTO_PATH_BYTES])
{
    const char *base = given, *below = "";
    if (base == NULL || base[0] == '\0') {
        base = variable("SOTTO_STATE");
    }
    if (base == NULL) {
        base = variable("XDG_STATE_HOME");
        below = "/sotto";
        base = base != NULL && base[0] == '/' ? base : NULL; /* relative ones are to be ignored */
    }
    if (base == NULL && geteuid() == 0) {
        base = "/var/lib/sotto";
        below = "";
    }
    if (base == NULL) {
        base = variable("HOME");
        below = "/.local/state/sotto";
    }
    int n = base != NULL ? snprintf(out, SOTTO_PATH_BYTES, "%s%s", base, below) : -1;
    return n > 0 && n < SOTTO_PATH_BYTES;
}
