/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The path of a tile, as the routes below /log/ are asked for it: what is taken is written again as
 * it came, so each tile has one path, and none leads out of the folder.
 */

#include <stdlib.h>

#include "audit/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool true_always)
{
    if (!true_always) {
        abort();
    }
}

static void try_path(sotto_span given)
{
    unsigned level = 99, width = 99;
    uint64_t n = 99;
    char again[SOTTO_AUDIT_TILE_PATH_BYTES];
    if (sotto_audit_tile_parse(given, &level, &n, &width) != SOTTO_OK) {
        require(level == 99 && width == 99 && n == 99);
        return;
    }
    require(level <= SOTTO_AUDIT_ENTRIES && width >= 1 && width <= SOTTO_AUDIT_TILE_WIDTH);
    sotto_audit_tile_path(level, n, width, again);
    require(sotto_span_eq(given, sotto_span_str(again)));
    require(memmem(given.base, given.len, "..", 2) == NULL);
    for (size_t i = 0; i < given.len; i++) {
        require((given.base[i] >= 'a' && given.base[i] <= 'z') ||
                (given.base[i] >= '0' && given.base[i] <= '9') || given.base[i] == '/' ||
                given.base[i] == '.');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[SOTTO_AUDIT_TILE_PATH_BYTES];
    try_path(sotto_span_init(data, size));
    if (size >= 10) { /* and any tile that can be named */
        uint64_t n = 0;
        for (size_t i = 2; i < 10; i++) {
            n = n << 8 | data[i];
        }
        sotto_audit_tile_path(data[0] % (SOTTO_AUDIT_ENTRIES + 1), n >> data[1] % 64, 1U + data[1],
                              path);
        unsigned level, width;
        uint64_t got;
        enum sotto_err err = sotto_audit_tile_parse(sotto_span_str(path), &level, &got, &width);
        require(err == SOTTO_EFORMAT || (got == n >> data[1] % 64 && width == 1U + data[1]));
        require(err == SOTTO_OK || n >> data[1] % 64 >= 1000000000000000000U);
    }
    return 0;
}
