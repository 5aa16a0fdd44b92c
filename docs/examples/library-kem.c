/* SPDX-License-Identifier: Apache-2.0 */

/* Agrees on a secret with ML-KEM-512. */

#include <sotto/seal.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    unsigned char ciphertext[SOTTO_MLKEM512_CIPHERTEXT_BYTES];
    unsigned char ours[SOTTO_MLKEM512_SECRET_BYTES], theirs[SOTTO_MLKEM512_SECRET_BYTES];
    struct sotto_mlkem512 *pair = NULL;
    enum sotto_status status = sotto_mlkem512_new(NULL, &pair);
    if (status == SOTTO_STATUS_OK) { /* the other side, which has the public key */
        status = sotto_mlkem512_encapsulate(sotto_mlkem512_public(pair), ciphertext, theirs);
    }
    if (status == SOTTO_STATUS_OK) {
        status = sotto_mlkem512_decapsulate(pair, ciphertext, ours);
    }
    if (status != SOTTO_STATUS_OK) {
        fprintf(stderr, "kem: %s\n", sotto_status_text(status));
        return 1;
    }
    puts(memcmp(ours, theirs, sizeof(ours)) == 0 ? "the same secret" : "two secrets");
    sotto_mlkem512_free(pair);
    return 0;
}
