/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_MAP_H
#define SOTTO_APPS_MAP_H

/*
 * The map file of `sotto redact`: what `sotto restore` needs.  JSON, mode 0600:
 *
 *   {"sotto_map":1,"key":"<64 hex digits>","values":[{"token":T,"value":V,"fold":B},...]}
 *
 * `key` derives the tokens, so that a later run with the same file gives a value the same token;
 * `fold` says whether spellings of the value share it.
 */

#include "detect/finding.h"
#include "vault/vault.h"

/** Largest map file that is read. */
#define SOTTO_MAP_MAX_BYTES ((size_t)1 << 30)

struct sotto_map;

/**
 * Opens a map for redacting: takes over what the file has, or makes a new key.  Whether it can be
 * written is tried at once.  What is wrong is said on standard error.
 *
 * @param path      NULL: no file; borrowed as long as the map
 * @param[out] out  set only on SOTTO_CLI_GO; freed with sotto_map_free()
 * @return          SOTTO_CLI_GO, or the exit status with which the command ends
 */
SOTTO_MUST_CHECK int sotto_map_open(const char *path, enum sotto_style style,
                                    struct sotto_map **out);

/** Opens an existing map for restoring; otherwise as sotto_map_open(). */
SOTTO_MUST_CHECK int sotto_map_read(const char *path, struct sotto_map **out);

/** Wipes and frees; NULL is allowed. */
void sotto_map_free(struct sotto_map *map);

/** The tokens; they belong to the map. */
struct sotto_vault *sotto_map_vault(struct sotto_map *map);

/** As sotto_vault_token(), and notes what the file needs. */
SOTTO_MUST_CHECK enum sotto_err sotto_map_token(struct sotto_map *map, enum sotto_label label,
                                                bool foldable, sotto_span value, sotto_span *token);

/** Writes the file, atomically.  @return SOTTO_EXIT_OK, or a status after a line on standard error */
SOTTO_MUST_CHECK int sotto_map_save(const struct sotto_map *map);

#endif
