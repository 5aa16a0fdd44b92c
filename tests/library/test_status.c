/* SPDX-License-Identifier: Apache-2.0 */

#include "library/status.h"

#include "words.h"

static void test_each_status_has_a_text(void)
{
    for (int i = SOTTO_STATUS_OK; i <= SOTTO_STATUS_REFUSED; i++) {
        OK(strcmp(sotto_status_text((enum sotto_status)i), "unknown status") != 0, "status %d", i);
    }
    IS_STR(sotto_library_version(), SOTTO_VERSION, "the version is the project's");
}

static void test_errors_of_the_inside(void)
{
    IS_INT(sotto_status_of(SOTTO_OK), SOTTO_STATUS_OK, "success");
    IS_INT(sotto_status_of(SOTTO_ENOMEM), SOTTO_STATUS_MEMORY, "no memory");
    IS_INT(sotto_status_of(SOTTO_ELIMIT), SOTTO_STATUS_LIMIT, "a limit");
    IS_INT(sotto_status_of(SOTTO_ENOTFOUND), SOTTO_STATUS_OPTION, "no such mode");
    IS_INT(sotto_status_of(SOTTO_ESTATE), SOTTO_STATUS_ENDED, "out of order");
    IS_INT(sotto_status_of(SOTTO_EFORMAT), SOTTO_STATUS_FORMAT, "a form");
    IS_INT(sotto_status_of(SOTTO_EAUTH), SOTTO_STATUS_REFUSED, "not authentic");
    IS_INT(sotto_status_of(SOTTO_EIO), SOTTO_STATUS_CRYPTO, "what cannot happen is no success");
}

static void test_a_text_on_its_way_out(void)
{
    struct sotto_buf buf;
    char *out = NULL;
    size_t len = 0;
    sotto_buf_init(&buf, 16);
    IS_INT(sotto_buf_append(&buf, SOTTO_LIT("a\0b")), SOTTO_OK, "a text with a NUL");
    IS_INT(sotto_status_put(SOTTO_OK, &buf, &out, &len), SOTTO_STATUS_OK, "goes out");
    OK(len == 3 && memcmp(out, "a\0b", 4) == 0, "whole, with a NUL behind it");
    sotto_text_free(out);
    out = NULL;
    sotto_buf_init(&buf, 16);
    IS_INT(sotto_buf_append(&buf, SOTTO_LIT("secret")), SOTTO_OK, "a text");
    IS_INT(sotto_status_put(SOTTO_ELIMIT, &buf, &out, &len), SOTTO_STATUS_LIMIT, "of a failure");
    OK(out == NULL && len == 3, "stays inside");
}

int main(void)
{
    test_each_status_has_a_text();
    test_errors_of_the_inside();
    test_a_text_on_its_way_out();
    return done_testing();
}
