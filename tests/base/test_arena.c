/* SPDX-License-Identifier: Apache-2.0 */

#include "base/arena.h"

#include <stdalign.h>

#include "base/alloc.h"
#include "tap/tap.h"

static void test_pieces_stay_where_they_are(void)
{
    struct sotto_arena arena = {0};
    sotto_span piece[200];
    bool aligned = true, intact = true;

    for (size_t i = 0; i < SOTTO_COUNT(piece); i++) {
        char text[100];
        int n = snprintf(text, sizeof(text), "piece number %zu of this arena", i);
        if (sotto_arena_copy(&arena, sotto_span_init(text, (size_t)n), &piece[i]) != SOTTO_OK) {
            break;
        }
        aligned = aligned && (uintptr_t)piece[i].base % alignof(max_align_t) == 0;
    }
    for (size_t i = 0; i < SOTTO_COUNT(piece); i++) {
        char text[100];
        int n = snprintf(text, sizeof(text), "piece number %zu of this arena", i);
        intact = intact && sotto_span_eq(piece[i], sotto_span_init(text, (size_t)n));
    }
    OK(aligned, "every piece is aligned");
    OK(intact, "no piece has moved");
    sotto_arena_free(&arena);
    OK(arena.newest == NULL && arena.total_bytes == 0, "empty after free");
    sotto_arena_free(&arena);
}

static void test_large_and_empty_pieces(void)
{
    struct sotto_arena arena = {0};
    uint8_t *large = sotto_arena_alloc(&arena, 100000);
    OK(large != NULL, "a piece larger than a block");
    memset(large, 1, 100000);
    OK(sotto_arena_alloc(&arena, 0) != NULL, "an empty piece");
    OK(sotto_arena_alloc(&arena, SIZE_MAX) == NULL, "a size that overflows is refused");
    OK(sotto_arena_calloc(&arena, SIZE_MAX / 2, 3) == NULL, "a product that overflows is refused");
    uint8_t *zero = sotto_arena_calloc(&arena, 10, 10);
    OK(zero != NULL && zero[0] == 0 && zero[99] == 0, "calloc zeroes");
    sotto_arena_free(&arena);
}

static void test_no_memory(void)
{
    struct sotto_arena arena = {0};
    sotto_span out = SOTTO_LIT("unchanged");
    sotto_alloc_set_fault(1);
    IS_INT(sotto_arena_copy(&arena, SOTTO_LIT("x"), &out), SOTTO_ENOMEM, "no memory");
    sotto_alloc_set_fault(0);
    IS_TEXT(out.base, out.len, "unchanged", "the result is unchanged");
    sotto_arena_free(&arena);
}

int main(void)
{
    test_pieces_stay_where_they_are();
    test_large_and_empty_pieces();
    test_no_memory();
    return done_testing();
}
