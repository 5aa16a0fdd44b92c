/* SPDX-License-Identifier: Apache-2.0 */

#include "base/buf.h"

#include "base/alloc.h"
#include "tap/tap.h"

static void test_append_and_take_away(void)
{
    struct sotto_buf b;
    sotto_buf_init(&b, 100);
    IS_INT(sotto_buf_append(&b, SOTTO_LIT("hello ")), SOTTO_OK, "append");
    IS_INT(sotto_buf_printf(&b, "%s %d", "world", 42), SOTTO_OK, "printf");
    IS_INT(sotto_buf_push(&b, '!'), SOTTO_OK, "push");
    IS_TEXT(b.base, b.len, "hello world 42!", "all of it");
    sotto_buf_consume(&b, 6);
    IS_TEXT(b.base, b.len, "world 42!", "the front is gone");
    uint8_t *tail = b.base + 5;
    sotto_buf_truncate(&b, 5);
    IS_TEXT(b.base, b.len, "world", "the end is gone");
    OK(tail[0] == 0 && tail[3] == 0, "and wiped");
    sotto_buf_free(&b);
    OK(b.base == NULL && b.len == 0 && b.max == 100, "free leaves an empty buffer");
}

static void test_limit(void)
{
    struct sotto_buf b;
    uint8_t *dst = NULL;
    sotto_buf_init(&b, 8);
    IS_INT(sotto_buf_append(&b, SOTTO_LIT("12345678")), SOTTO_OK, "exactly the limit");
    IS_INT(sotto_buf_append(&b, SOTTO_LIT("9")), SOTTO_ELIMIT, "one more");
    IS_INT(sotto_buf_extend(&b, SIZE_MAX, &dst), SOTTO_ELIMIT, "a length that overflows");
    IS_INT(sotto_buf_append(&b, SOTTO_LIT("")), SOTTO_OK, "nothing more");
    IS_TEXT(b.base, b.len, "12345678", "unchanged");
    sotto_buf_free(&b);
}

static void test_no_memory(void)
{
    struct sotto_buf b;
    sotto_buf_init(&b, 100000);
    IS_INT(sotto_buf_append(&b, SOTTO_LIT("kept")), SOTTO_OK, "append");
    sotto_alloc_set_fault(1);
    IS_INT(sotto_buf_reserve(&b, 50000), SOTTO_ENOMEM, "no memory to grow");
    sotto_alloc_set_fault(0);
    IS_TEXT(b.base, b.len, "kept", "unchanged");
    sotto_buf_free(&b);
}

int main(void)
{
    test_append_and_take_away();
    test_limit();
    test_no_memory();
    return done_testing();
}
