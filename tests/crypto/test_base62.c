/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/base62.h"

#include "crypto/random.h"
#include "tap/tap.h"

static const char symbols[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool all_symbols(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\0' || strchr(symbols, text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static void test_random(void)
{
    static char text[62000];
    size_t seen[128] = {0}, least = sizeof(text), most = 0;

    IS_INT(sotto_base62_random(text, sizeof(text)), SOTTO_OK, "a long random name");
    OK(all_symbols(text, sizeof(text)), "consists of symbols");
    for (size_t i = 0; i < sizeof(text); i++) {
        seen[(unsigned char)text[i] & 127]++;
    }
    for (size_t i = 0; i < 62; i++) {
        size_t n = seen[(unsigned char)symbols[i]];
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    /* 1000 expected, standard deviation 31: eight of them either way never happen by chance. */
    OK(least > 750 && most < 1250, "each symbol is about as likely: %zu to %zu", least, most);

    char name[40], zero[40] = {0};
    for (size_t n = 1; n <= 2; n++) {
        sotto_crypto_random_set_fault(1);
        IS_INT(sotto_base62_random(name, sizeof(name)), SOTTO_ECRYPTO, "no randomness, no name");
        sotto_crypto_random_set_fault(0);
        IS_MEM(name, sizeof(name), zero, sizeof(zero), "the name is wiped");
    }
}

static void test_digest(void)
{
    char name[4];
    sotto_base62_digest((const uint8_t *)"\x00\x00\x00", 3, name, 4);
    IS_TEXT(name, 4, "0000", "zero");
    sotto_base62_digest((const uint8_t *)"\x00\x00\x3d", 3, name, 4);
    IS_TEXT(name, 4, "000z", "61 is the last symbol");
    sotto_base62_digest((const uint8_t *)"\x00\x0f\x04", 3, name, 4);
    IS_TEXT(name, 4, "0100", "62 squared");
    sotto_base62_digest((const uint8_t *)"\xff\xff\xff\xff", 4, name, 4);
    IS_TEXT(name, 4, "fFC3", "higher digits are dropped");
}

int main(void)
{
    test_random();
    test_digest();
    return done_testing();
}
