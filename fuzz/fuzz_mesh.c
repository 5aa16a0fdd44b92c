/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A file with a key and a certificate in the place of the leaf's.  What is taken was issued by the
 * authority, can sign, and is the same when it is read again.
 */

#include <stdlib.h>

#include "crypto/mesh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_always)
{
    if (!true_always) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sotto_buf ca;
    static const uint8_t digest[SOTTO_SHA256_BYTES];
    if (ca.len == 0) {
        sotto_buf_init(&ca, SOTTO_MESH_PEM_MAX);
        require(sotto_mesh_make_ca(1700000000, &ca) == SOTTO_OK);
    }
    sotto_span given = sotto_span_init(data, size);
    struct sotto_mesh *mesh = NULL;
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_MESH_PEM_MAX);
    /* As the leaf, where nothing but the authority's own makes passes, and as the authority. */
    enum sotto_err err = sotto_mesh_read(sotto_buf_span(&ca), given, &mesh);
    require(err == SOTTO_OK || err == SOTTO_EFORMAT || err == SOTTO_EINVAL);
    if (err == SOTTO_OK) {
        require(sotto_mesh_sign(mesh, digest, &out) == SOTTO_OK);
    }
    sotto_mesh_free(mesh);
    sotto_buf_truncate(&out, 0);
    err = sotto_mesh_make_leaf(given, 1700000000, &out);
    require(err == SOTTO_OK || err == SOTTO_EFORMAT || err == SOTTO_ECRYPTO || err == SOTTO_ELIMIT);
    require(err == SOTTO_OK || out.len == 0);
    sotto_buf_free(&out);
    return 0;
}
