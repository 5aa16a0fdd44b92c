/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/signer.h"

#include "base/alloc.h"
#include "crypto/hkdf.h"

enum sotto_err sotto_signer_derive(sotto_span master, struct sotto_signer *out)
{
    enum sotto_err err = sotto_hkdf(master, SOTTO_LIT(""), SOTTO_LIT("sotto-native-1 identity"),
                                    out->seed, sizeof(out->seed));
    if (err == SOTTO_OK) {
        err = sotto_ed25519_public(out->seed, out->public_key);
    }
    if (err != SOTTO_OK) {
        sotto_wipe(out, sizeof(*out));
    }
    return err;
}
