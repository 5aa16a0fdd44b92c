/* SPDX-License-Identifier: Apache-2.0 */

#include <sotto/seal.h>

#include "base/alloc.h"
#include "crypto/kem.h"
#include "library/status.h"

struct sotto_mlkem512 {
    struct sotto_kem_pair *inner;
};

_Static_assert(SOTTO_MLKEM512_SECRET_BYTES == SOTTO_KEM_SECRET_BYTES, "one length");
_Static_assert(SOTTO_MLKEM512_SEED_BYTES <= SOTTO_KEM_SEED_MAX, "a seed of ours");

enum sotto_status sotto_mlkem512_new(const unsigned char *seed, struct sotto_mlkem512 **out)
{
    struct sotto_mlkem512 *pair = sotto_calloc(1, sizeof(*pair));
    enum sotto_err err = SOTTO_ENOMEM;
    if (pair != NULL && seed == NULL) {
        err = sotto_kem_pair_new(&sotto_kem_mlkem512, NULL, &pair->inner);
    } else if (pair != NULL) {
        err = sotto_kem_pair_from_seed(
            &sotto_kem_mlkem512, sotto_span_init(seed, SOTTO_MLKEM512_SEED_BYTES), &pair->inner);
    }
    if (err != SOTTO_OK) {
        sotto_mlkem512_free(pair);
        return sotto_status_of(err);
    }
    *out = pair;
    return SOTTO_STATUS_OK;
}

void sotto_mlkem512_free(struct sotto_mlkem512 *pair)
{
    if (pair != NULL) {
        sotto_kem_pair_free(pair->inner);
        sotto_free(pair);
    }
}

const unsigned char *sotto_mlkem512_public(const struct sotto_mlkem512 *pair)
{
    return sotto_kem_public(pair->inner).base;
}

enum sotto_status sotto_mlkem512_encapsulate(const unsigned char *public_key,
                                             unsigned char *ciphertext, unsigned char *secret)
{
    return sotto_status_of(sotto_kem_encapsulate(
        &sotto_kem_mlkem512, sotto_span_init(public_key, SOTTO_MLKEM512_PUBLIC_BYTES), ciphertext,
        secret));
}

enum sotto_status sotto_mlkem512_decapsulate(const struct sotto_mlkem512 *pair,
                                             const unsigned char *ciphertext, unsigned char *secret)
{
    return sotto_status_of(sotto_kem_decapsulate(
        pair->inner, sotto_span_init(ciphertext, SOTTO_MLKEM512_CIPHERTEXT_BYTES), secret));
}
