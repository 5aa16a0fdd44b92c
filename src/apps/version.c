/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/command.h"

#include <stdio.h>

#include "apps/cli.h"
#include "base/compiler.h"

int sotto_cmd_version(int argc, char **argv)
{
    /* What it was built with: the build defines the list from what it found. */
    static const struct {
        const char *name, *version;
    } libraries[] = {SOTTO_LIBRARIES};
    bool json = false;
    const struct sotto_cli_option options[] = {
        {"--json", NULL, "as a JSON object, with the libraries it was built with", NULL, &json},
    };
    const struct sotto_cli cli = {
        .usage = "sotto version [--json]",
        .options = options,
        .option_count = SOTTO_COUNT(options),
    };
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    if (!json) {
        printf("sotto %s\n", SOTTO_VERSION);
        return sotto_cli_finish(SOTTO_EXIT_OK);
    }
    printf("{\"sotto\":\"%s\",\"compiler\":\"%s\",\"libraries\":{", SOTTO_VERSION, __VERSION__);
    for (size_t i = 0; i < SOTTO_COUNT(libraries); i++) {
        printf("%s\"%s\":\"%s\"", i != 0 ? "," : "", libraries[i].name, libraries[i].version);
    }
    printf("}}\n");
    return sotto_cli_finish(SOTTO_EXIT_OK);
}
