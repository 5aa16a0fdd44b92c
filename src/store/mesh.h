/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_MESH_H
#define SOTTO_STORE_MESH_H

/*
 * The mesh of a state folder (crypto/mesh.h): `mesh-ca.pem` with the certificate authority and
 * `mesh.pem` with its leaf, both with their private keys and mode 0600.  Both are made at the first
 * start.  The authority stays; the leaf is issued anew when half of its life is over.  Gateways
 * that share clients share `mesh-ca.pem`.
 */

#include "crypto/mesh.h"
#include "store/store.h"

/**
 * Reads the mesh, or makes what is not there.  Several processes may do so at once.
 *
 * @param folder    NUL-terminated path of a folder that is there
 * @param now_s     seconds since 1970
 * @param[out] out  set only on SOTTO_OK; freed with sotto_mesh_free()
 * @param[out] why  on failure a sentence
 *
 * @retval SOTTO_EDENIED  one of the files may be read by others
 * @retval SOTTO_EFORMAT, SOTTO_EINVAL  one of them is not what it should be
 * @retval SOTTO_EIO, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mesh_open(const char *folder, int64_t now_s,
                                                struct sotto_mesh **out,
                                                char why[SOTTO_STORE_WHY_BYTES]);

#endif
