/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_AUDIT_CONFIG_H
#define SOTTO_APPS_AUDIT_CONFIG_H

#include "config/config.h"
#include "store/audit_log.h"
#include "store/secrets.h"

/** What a command about a fleet's log needs of the gateway's configuration. */
struct sotto_audit_config {
    const char *file;            /* as given with --config; NULL: SOTTO_CONFIG, where that is set */
    struct sotto_config *config; /* NULL: none */
    uint8_t master[SOTTO_MASTER_BYTES];
    struct sotto_audit_fleet of_fleet;
    const struct sotto_audit_fleet *fleet; /* NULL: the log is no fleet's */
};

/** Says on standard error what is wrong.  @return SOTTO_CLI_GO, or the exit status */
int sotto_audit_config_read(struct sotto_audit_config *c);

/** Wipes and frees what is in it. */
void sotto_audit_config_free(struct sotto_audit_config *c);

#endif
