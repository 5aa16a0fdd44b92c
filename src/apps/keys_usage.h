/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_KEYS_USAGE_H
#define SOTTO_APPS_KEYS_USAGE_H

/** `sotto keys usage`; as a command of apps/command.h. */
int sotto_keys_usage(int argc, char **argv);

#endif
