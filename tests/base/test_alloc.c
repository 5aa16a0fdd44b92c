/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"

#include <stdint.h>

#include "tap/tap.h"

static void test_blocks(void)
{
    uint8_t *block = sotto_alloc(0);
    OK(block != NULL, "nothing is a block too");
    sotto_free(block);
    sotto_free(NULL);

    block = sotto_calloc(3, 7);
    bool zero = block != NULL;
    for (size_t i = 0; zero && i < 21; i++) {
        zero = block[i] == 0;
    }
    OK(zero, "calloc zeroes");
    sotto_free(block);
    OK(sotto_calloc(SIZE_MAX / 2, 3) == NULL, "a product that overflows is refused");
}

static void test_resize_keeps_the_content(void)
{
    char *block = sotto_resize(NULL, 4);
    memcpy(block, "abc", 4);
    block = sotto_resize(block, 100000);
    OK(block != NULL && strcmp(block, "abc") == 0, "growing");
    block = sotto_resize(block, 4);
    OK(block != NULL && strcmp(block, "abc") == 0, "shrinking");
    sotto_free(block);
}

static void test_faults(void)
{
    sotto_alloc_set_fault(2);
    void *first = sotto_alloc(8), *second = sotto_alloc(8), *third = sotto_alloc(8);
    OK(first != NULL && second == NULL && third != NULL, "the second allocation fails, once");
    IS_SIZE(sotto_alloc_set_fault(1), 3, "three were counted");
    OK(sotto_resize(first, 100000) == NULL, "growing fails");
    sotto_alloc_set_fault(0);
    sotto_free(first);
    sotto_free(third);
}

static void test_wipe(void)
{
    char secret[8] = "secret!";
    sotto_wipe(secret, sizeof(secret));
    bool zero = true;
    for (size_t i = 0; i < sizeof(secret); i++) {
        zero = zero && secret[i] == 0;
    }
    OK(zero, "wiped");
    sotto_wipe(NULL, 0);
}

static void test_sizes(void)
{
    volatile size_t most = SIZE_MAX; /* the compiler knows better */
    void *block = sotto_alloc(16);
    OK(sotto_alloc(most) == NULL, "no block is as large as the address space");
    OK(sotto_alloc(most / 2 + 1) == NULL, "nor half as large");
    OK(sotto_calloc(most / 2, 3) == NULL, "a product that overflows is none");
    OK(sotto_resize(block, most) == NULL, "nor can one grow so far");
    sotto_free(block);
}

int main(void)
{
    test_blocks();
    test_sizes();
    test_resize_keeps_the_content();
    test_faults();
    test_wipe();
    return done_testing();
}
