/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/base62.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/random.h"

/* Bytes from 4 * 62 on are left out: they would make the first symbols likelier. */
#define BASE62_BYTE_END (4 * 62)

/* Enough at once that a key rarely needs a second draw. */
#define BASE62_DRAW_BYTES 48

static const char base62_symbols[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
_Static_assert(sizeof(base62_symbols) - 1 == 62, "62 symbols");

enum sotto_err sotto_base62_random(char *out, size_t n)
{
    uint8_t draw[BASE62_DRAW_BYTES];
    enum sotto_err err = SOTTO_OK;
    for (size_t len = 0; len < n && err == SOTTO_OK;) {
        err = sotto_crypto_random(draw, sizeof(draw));
        for (size_t i = 0; i < sizeof(draw) && len < n; i++) {
            if (draw[i] < BASE62_BYTE_END) {
                out[len++] = base62_symbols[draw[i] % 62];
            }
        }
    }
    sotto_wipe(draw, sizeof(draw));
    if (err != SOTTO_OK) {
        sotto_wipe(out, n);
    }
    return err;
}

void sotto_base62_digest(const uint8_t *digest, size_t digest_len, char *out, size_t n)
{
    uint8_t number[SOTTO_BASE62_DIGEST_MAX];
    assert(digest_len <= sizeof(number));
    memcpy(number, digest, digest_len);
    for (size_t at = n; at != 0; at--) {
        unsigned rest = 0;
        for (size_t i = 0; i < digest_len; i++) {
            rest = rest << 8 | number[i];
            number[i] = (uint8_t)(rest / 62);
            rest %= 62;
        }
        out[at - 1] = base62_symbols[rest];
    }
    sotto_wipe(number, sizeof(number));
}
