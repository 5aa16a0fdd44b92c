/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/keys_common.h"

#include <stdio.h>

#include "apps/config_file.h"
#include "apps/state_folder.h"

/* The state folder of the command line, else of the configuration.  With PostgreSQL none is needed:
 * the keys are those of all gateways that share it. */
static int open_configured(const struct sotto_keys_common *common,
                           const struct sotto_config *config, struct sotto_store **store)
{
    char folder[SOTTO_PATH_BYTES], given[SOTTO_PATH_BYTES], why[SOTTO_STORE_WHY_BYTES];
    sotto_span url = config != NULL ? config->stores.postgres : sotto_span_init(NULL, 0);
    snprintf(given, sizeof(given), "%.*s", config != NULL ? (int)config->state.len : 0,
             config != NULL ? (const char *)config->state.base : "");
    if (url.len == 0 &&
        !sotto_state_folder(common->state != NULL ? common->state : given, folder)) {
        return sotto_cli_fail("there is no state folder: give one with --state");
    }
    if (sotto_store_connect(url.len == 0 ? folder : NULL, url, store, why) != SOTTO_OK) {
        return sotto_cli_fail("%s", why);
    }
    return SOTTO_CLI_GO;
}

int sotto_keys_store(const struct sotto_keys_common *common, struct sotto_store **store)
{
    const char *file = common->config != NULL ? common->config : sotto_get_env("SOTTO_CONFIG");
    struct sotto_config *config = NULL;
    if (file != NULL && file[0] != '\0') {
        config = sotto_config_file_read(file);
        if (config == NULL) {
            return SOTTO_EXIT_FAILED;
        }
    }
    int status = open_configured(common, config, store);
    sotto_config_free(config);
    return status;
}
