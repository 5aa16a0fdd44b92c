/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/audit_config.h"

#include "apps/cli.h"
#include "apps/config_file.h"
#include "base/alloc.h"

int sotto_audit_config_read(struct sotto_audit_config *c)
{
    const char *file = c->file != NULL ? c->file : sotto_get_env("SOTTO_CONFIG");
    if (file == NULL || file[0] == '\0') {
        return SOTTO_CLI_GO;
    }
    c->config = sotto_config_file_read(file);
    if (c->config == NULL) {
        return SOTTO_EXIT_FAILED;
    }
    if (!c->config->audit.fleet) {
        return SOTTO_CLI_GO;
    }
    if (sotto_secrets_from_text(c->config->secrets.master, c->master) != SOTTO_OK) {
        return sotto_cli_fail("secrets.master: must have at least %d characters",
                              SOTTO_MASTER_TEXT_MIN);
    }
    c->of_fleet = (struct sotto_audit_fleet){c->config->stores.postgres, c->master};
    c->fleet = &c->of_fleet;
    return SOTTO_CLI_GO;
}

void sotto_audit_config_free(struct sotto_audit_config *c)
{
    sotto_config_free(c->config);
    sotto_wipe(c, sizeof(*c));
}
