/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tap/tap.h"

static char folder[] = "/tmp/sotto-test-XXXXXX";

static const char *in(const char *name)
{
    static char paths[4][256];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static int mode_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int)(info.st_mode & 0777) : -1;
}

static void test_write_and_read(void)
{
    struct sotto_buf out;
    sotto_buf_init(&out, 1 << 20);
    IS_INT(sotto_file_write(in("a"), SOTTO_LIT("first")), SOTTO_OK, "a file is written");
    IS_INT(mode_of(in("a")), 0600, "for its owner only");
    IS_INT(sotto_file_write(in("a"), SOTTO_LIT("second")), SOTTO_OK, "and replaced");
    IS_INT(mode_of(in("a.new")), -1, "nothing lies beside it");
    IS_INT(sotto_buf_append(&out, SOTTO_LIT("before ")), SOTTO_OK, "a buffer with something in it");
    IS_INT(sotto_file_read(in("a"), 6, &out), SOTTO_OK, "read to the last byte of the limit");
    IS_TEXT(out.base, out.len, "before second", "appended");
    IS_INT(sotto_file_read(in("a"), 5, &out), SOTTO_ELIMIT, "one byte over the limit");
    IS_TEXT(out.base, out.len, "before second", "changes nothing");
    IS_INT(sotto_file_read(in("missing"), 9, &out), SOTTO_ENOTFOUND, "a missing file");
    IS_INT(sotto_file_read(folder, 9, &out), SOTTO_EIO, "a folder is no file");
    IS_INT(sotto_file_read(in("a/b"), 9, &out), SOTTO_ENOTFOUND, "a file is no folder");
    IS_INT(sotto_file_write(in("no/a"), SOTTO_LIT("x")), SOTTO_ENOTFOUND, "no folder to write in");

    uint8_t big[50000];
    memset(big, 'x', sizeof(big));
    IS_INT(sotto_file_write(in("big"), sotto_span_init(big, sizeof(big))), SOTTO_OK,
           "a longer one");
    sotto_buf_truncate(&out, 0);
    IS_INT(sotto_file_read(in("big"), 1 << 20, &out), SOTTO_OK, "is read");
    IS_MEM(out.base, out.len, big, sizeof(big), "in full");
    IS_INT(sotto_file_write(in("empty"), SOTTO_LIT("")), SOTTO_OK, "an empty one");
    sotto_buf_free(&out);
    IS_INT(sotto_file_read(in("empty"), 0, &out), SOTTO_OK, "is read");
    IS_SIZE(out.len, 0, "as nothing");
    sotto_alloc_set_fault(1);
    IS_INT(sotto_file_read(in("big"), 1 << 20, &out), SOTTO_ENOMEM, "no memory");
    sotto_alloc_set_fault(0);
    IS_SIZE(out.len, 0, "changes nothing");
    sotto_buf_free(&out);
}

static void test_create(void)
{
    struct sotto_buf out;
    sotto_buf_init(&out, 100);
    IS_INT(sotto_file_create(in("c"), SOTTO_LIT("one")), SOTTO_OK, "made");
    IS_INT(mode_of(in("c")), 0600, "for its owner only");
    IS_INT(sotto_file_create(in("c"), SOTTO_LIT("two")), SOTTO_EEXISTS, "not made twice");
    IS_INT(sotto_file_read(in("c"), 100, &out), SOTTO_OK, "it is");
    IS_TEXT(out.base, out.len, "one", "the first");
    IS_INT(symlink(in("c"), in("link")), 0, "a link");
    IS_INT(sotto_file_create(in("link"), SOTTO_LIT("x")), SOTTO_EEXISTS, "is not followed");
    sotto_buf_free(&out);
}

static void test_folders(void)
{
    IS_INT(sotto_folder_make(in("d/e/f")), SOTTO_OK, "folders");
    OK(mode_of(in("d")) == 0700 && mode_of(in("d/e/f")) == 0700, "for their owner only");
    IS_INT(sotto_folder_make(in("d/e/f/")), SOTTO_OK, "that are there are fine");
    IS_INT(sotto_folder_make(in("c")), SOTTO_EINVAL, "a file in the place is not");
    IS_INT(sotto_folder_make(in("c/g")), SOTTO_ENOTFOUND, "nor on the way");
    IS_INT(sotto_folder_make(""), SOTTO_EINVAL, "nor no name");
}

int main(void)
{
    if (mkdtemp(folder) == NULL) {
        abort();
    }
    test_write_and_read();
    test_create();
    test_folders();
    static const char *const files[] = {"a", "big", "empty", "c", "link"};
    static const char *const folders[] = {"d/e/f", "d/e", "d"};
    for (size_t i = 0; i < SOTTO_COUNT(files); i++) {
        unlink(in(files[i]));
    }
    for (size_t i = 0; i < SOTTO_COUNT(folders); i++) {
        rmdir(in(folders[i]));
    }
    IS_INT(rmdir(folder), 0, "nothing else was left");
    return done_testing();
}
