/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/code_map.h"

#include "base/alloc.h"
#include "tap/tap.h"

static void test_many(void)
{
    struct code_map map = {.seed = 42};
    uint32_t value = 7;
    OK(!code_map_get(&map, 1, &value) && value == 7, "an empty map has nothing");
    bool reserved = true, found = true, absent = true;
    for (uint64_t key = 1; key <= 5000; key++) {
        reserved = reserved && code_map_reserve(&map, 1) == SOTTO_OK;
        code_map_put(&map, key * 977, (uint32_t)key);
    }
    OK(reserved, "there is room");
    IS_SIZE(map.count, 5000, "all keys are in");
    for (uint64_t key = 1; key <= 5000; key++) {
        found = found && code_map_get(&map, key * 977, &value) && value == key;
        absent = absent && !code_map_get(&map, key * 977 + 1, NULL);
    }
    OK(found, "each has its value");
    OK(absent, "others are not there");
    code_map_put(&map, 977, 99);
    OK(code_map_get(&map, 977, &value) && value == 1 && map.count == 5000,
       "the first value of a key stays");
    code_map_free(&map);
    OK(map.count == 0 && !code_map_get(&map, 977, NULL), "a freed map is empty");
}

static void test_faults(void)
{
    for (size_t n = 1; n <= 2; n++) {
        struct code_map map = {.seed = 1};
        sotto_alloc_set_fault(n);
        IS_INT(code_map_reserve(&map, 1), SOTTO_ENOMEM, "allocation %zu fails", n);
        sotto_alloc_set_fault(0);
        OK(map.keys == NULL && map.cap == 0, "and the map is as it was");
    }
}

int main(void)
{
    test_many();
    test_faults();
    return done_testing();
}
