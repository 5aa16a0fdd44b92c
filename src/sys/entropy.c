/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/entropy.h"

#include <errno.h>
#include <sys/random.h>

#include "base/alloc.h"

enum sotto_err sotto_random(void *out, size_t n)
{
    uint8_t *at = out;
    size_t done = 0;
    while (done < n) {
        ssize_t got = getrandom(at + done, n - done, 0);
        if (got < 0 && errno != EINTR) {
            sotto_wipe(out, n);
            return SOTTO_EIO;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_random_base62(char *out, size_t n)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    enum sotto_err err = SOTTO_OK;
    uint8_t pool[64];
    size_t at = sizeof(pool), done = 0;

    while (done < n) {
        if (at == sizeof(pool)) {
            if ((err = sotto_random(pool, sizeof(pool))) != SOTTO_OK) {
                goto out;
            }
            at = 0;
        }
        uint8_t byte = pool[at++];
        if (byte < 248) { /* the largest multiple of 62: no digit is likelier than another */
            out[done++] = digits[byte % 62];
        }
    }
    out[n] = '\0';

out:
    if (err != SOTTO_OK) {
        sotto_wipe(out, n + 1);
    }
    sotto_wipe(pool, sizeof(pool));
    return err;
}
