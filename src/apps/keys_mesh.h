/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_KEYS_MESH_H
#define SOTTO_APPS_KEYS_MESH_H

/** `sotto keys mesh`; as a command of apps/command.h. */
int sotto_keys_mesh(int argc, char **argv);

#endif
