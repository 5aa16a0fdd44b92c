/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/base64.h"

#include "base/alloc.h"
#include "tap/tap.h"

/* RFC 4648 section 10, and all the symbols. */
static const struct {
    const char *bytes, *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf\x10\x51\x87", "+/+/EFGH"},
};

static void test_vectors(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(vectors); i++) {
        struct sotto_buf out;
        sotto_buf_init(&out, 64);
        IS_INT(sotto_base64_write(sotto_span_str(vectors[i].bytes), &out), SOTTO_OK, "written");
        IS_TEXT(out.base, out.len, vectors[i].text, "as %s", vectors[i].text);
        sotto_buf_truncate(&out, 0);
        IS_INT(sotto_base64_read(sotto_span_str(vectors[i].text), &out), SOTTO_OK, "read");
        IS_TEXT(out.base, out.len, vectors[i].bytes, "and it is what was written");
        sotto_buf_free(&out);
    }
}

static void test_refused(void)
{
    static const char *const bad[] = {"Z",    "Zg",       "Zg=",  "Zh==",   "Zm9=",    "Z===",
                                      "====", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm9\xc3", "Zm9-"};
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        struct sotto_buf out;
        sotto_buf_init(&out, 64);
        IS_INT(sotto_base64_read(sotto_span_str(bad[i]), &out), SOTTO_EFORMAT, "refused: %s",
               bad[i]);
        IS_SIZE(out.len, 0, "nothing was appended");
        sotto_buf_free(&out);
    }
    uint8_t three[3] = {9, 9, 9};
    IS_INT(sotto_base64_read_exact(SOTTO_LIT("Zm9v"), three, 3), SOTTO_OK, "the length asked for");
    IS_TEXT(three, 3, "foo", "is read");
    IS_INT(sotto_base64_read_exact(SOTTO_LIT("Zm8="), three, 3), SOTTO_EFORMAT, "a shorter one");
    IS_INT(sotto_base64_read_exact(SOTTO_LIT("Zm9vYg=="), three, 3), SOTTO_EFORMAT,
           "and a longer one are refused");
    IS_TEXT(three, 3, "foo", "without a change");
}

static void test_faults(void)
{
    struct sotto_buf out;
    sotto_buf_init(&out, 64);
    sotto_alloc_set_fault(1);
    IS_INT(sotto_base64_write(SOTTO_LIT("foo"), &out), SOTTO_ENOMEM, "no memory to write");
    sotto_alloc_set_fault(1);
    IS_INT(sotto_base64_read(SOTTO_LIT("Zm9v"), &out), SOTTO_ENOMEM, "no memory to read");
    sotto_alloc_set_fault(0);
    IS_SIZE(out.len, 0, "nothing was appended");
    sotto_buf_free(&out);
    sotto_buf_init(&out, 3);
    IS_INT(sotto_base64_write(SOTTO_LIT("foo"), &out), SOTTO_ELIMIT, "no room to write");
    IS_INT(sotto_base64_read(SOTTO_LIT("Zm9vYmFy"), &out), SOTTO_ELIMIT, "no room to read");
    IS_SIZE(out.len, 0, "nothing was appended");
    sotto_buf_free(&out);
}

int main(void)
{
    test_vectors();
    test_refused();
    test_faults();
    return done_testing();
}
