/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_KEYS_COMMON_H
#define SOTTO_APPS_KEYS_COMMON_H

/* What the subcommands of `sotto keys` share: options, and the way to the store. */

#include "apps/cli.h"
#include "store/store.h"

/** The options that each knows. */
struct sotto_keys_common {
    const char *state;
    const char *config;
    bool json;
};

/** Their rows of struct sotto_cli_option. */
#define SOTTO_KEYS_COMMON(common)                                                                  \
    {"--state", "DIR", "the state folder", &(common).state, NULL},                                 \
        {"--config", "FILE", "the gateway's configuration, where it names stores",                 \
         &(common).config, NULL},                                                                  \
    {                                                                                              \
        "--json", NULL, "print JSON", NULL, &(common).json                                         \
    }

/**
 * Opens the store that the options, the configuration or the environment name.
 *
 * @param[out] store  set only on SOTTO_CLI_GO; closed with sotto_store_close()
 * @return  SOTTO_CLI_GO, or the exit status behind a line on standard error
 */
SOTTO_MUST_CHECK int sotto_keys_store(const struct sotto_keys_common *common,
                                      struct sotto_store **store);

#endif
