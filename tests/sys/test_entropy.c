/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/entropy.h"

#include "tap/tap.h"

int main(void)
{
    uint8_t a[4096] = {0}, b[4096] = {0};
    IS_INT(sotto_random(a, sizeof(a)), SOTTO_OK, "bytes");
    IS_INT(sotto_random(b, sizeof(b)), SOTTO_OK, "more bytes");
    OK(memcmp(a, b, sizeof(a)) != 0, "others");
    IS_INT(sotto_random(a, 0), SOTTO_OK, "none at all");

    char text[1001];
    size_t seen[128] = {0}, kinds = 0;
    for (int i = 0; i < 20; i++) {
        if (sotto_random_base62(text, 1000) != SOTTO_OK || strlen(text) != 1000) {
            OK(false, "1,000 digits");
        }
        for (size_t j = 0; j < 1000; j++) {
            seen[(unsigned char)text[j] % 128]++;
        }
    }
    size_t least = SIZE_MAX, most = 0;
    for (size_t i = 0; i < 128; i++) {
        kinds += seen[i] != 0 ? 1 : 0;
        least = seen[i] != 0 && seen[i] < least ? seen[i] : least;
        most = seen[i] > most ? seen[i] : most;
    }
    IS_SIZE(kinds, 62, "62 digits occur");
    OK(least > 200 && most < 450, "about equally often (%zu to %zu of 20,000)", least, most);
    IS_INT(sotto_random_base62(text, 0), SOTTO_OK, "no digits");
    IS_SIZE(strlen(text), 0, "are an empty string");
    return done_testing();
}
