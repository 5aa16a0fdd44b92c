/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CLIENT_KNOWN_H
#define SOTTO_CLIENT_KNOWN_H

/*
 * Which gateway is believed: the file of what was seen.  One JSON object a line,
 *
 *   {"gateway": "host:port", "signing_key": "base64 of 32 bytes", "seen": seconds since 1970}
 *
 * shared with the Python SDK; or, in a file of its own, with `mesh_ca_sha256`, the hash of the mesh
 * CA's certificate, in place of `signing_key`.  A file of pinned keys may have such lines, or one
 * key in base64 a line.  Lines that begin with "#" are comments.
 */

#include "base/span.h"
#include "crypto/ed25519.h"

/** Longest file that is read. */
#define SOTTO_KNOWN_BYTES_MAX ((size_t)1 << 20)

/** What gateways are known by: the names of members. */
#define SOTTO_KNOWN_SIGNING_KEY "signing_key"
#define SOTTO_KNOWN_MESH_CA     "mesh_ca_sha256"

/** Length of both. */
#define SOTTO_KNOWN_BYTES SOTTO_ED25519_PUBLIC_BYTES

/**
 * The first key of an address is remembered, and never another one believed afterwards.
 *
 * @param path     made where it is missing, with the folders above it, readable by its owner only
 * @param member   SOTTO_KNOWN_...: what `key` is
 * @param gateway  "host:port"
 *
 * @retval SOTTO_OK       it is the known one, or the first one and now known
 * @retval SOTTO_EDENIED  another key is known for this gateway
 * @retval SOTTO_EFORMAT  the file has a line that is none
 * @retval SOTTO_EIO, SOTTO_ELIMIT, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_known_first_use(const char *path, const char *member,
                                                      sotto_span gateway,
                                                      const uint8_t key[SOTTO_KNOWN_BYTES],
                                                      int64_t now_s);

/**
 * Only keys of the file are believed, whatever gateway they were noted for.
 *
 * @retval SOTTO_EDENIED    the key is not in it
 * @retval SOTTO_ENOTFOUND  there is no such file
 * @retval SOTTO_EFORMAT, SOTTO_EIO, SOTTO_ELIMIT, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_known_pinned(const char *path,
                                                   const uint8_t key[SOTTO_ED25519_PUBLIC_BYTES]);

#endif
