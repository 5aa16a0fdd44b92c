/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/tsm.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tap/tap.h"

/* A folder that looks like the kernel's.  What is written to it stays, nothing answers. */

static char root[] = "/tmp/sotto-tsm-XXXXXX";

static void put(const char *name, const char *text, size_t len)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/one/%s", root, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    OK(fd >= 0 && write(fd, text, len) == (ssize_t)len, "%s is there", name);
    close(fd);
}

static void drop(const char *name)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", root, name);
    OK(remove(path) == 0, "%s is gone", name);
}

struct answer {
    char provider[SOTTO_TSM_PROVIDER_BYTES];
    struct sotto_buf report, table;
};

static void expect(const char *path, const char *name, sotto_span data, enum sotto_err want,
                   const char *what)
{
    struct answer a = {.provider = "nobody"};
    sotto_buf_init(&a.report, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&a.table, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_tsm_report(path, name, data, a.provider, &a.report, &a.table), want, "%s", what);
    if (want != SOTTO_OK) {
        OK(a.report.len == 0 && a.table.len == 0 && strcmp(a.provider, "nobody") == 0,
           "%s: nothing is given out", what);
    }
    sotto_buf_free(&a.report);
    sotto_buf_free(&a.table);
}

static void test_report(void)
{
    struct answer a = {.provider = ""};
    char path[256], asked[65] = "";
    sotto_buf_init(&a.report, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&a.table, SOTTO_BUF_UNBOUNDED);
    OK(sotto_buf_append(&a.report, SOTTO_LIT("before ")) == SOTTO_OK, "something is there");
    IS_INT(sotto_tsm_report(root, "one", SOTTO_LIT("nonce"), a.provider, &a.report, &a.table),
           SOTTO_OK, "a report");
    IS_TEXT(a.provider, strlen(a.provider), "sev_guest", "its provider, without the line end");
    IS_MEM(a.report.base, a.report.len, "before a\0report", 15, "it is appended, NUL and all");
    IS_TEXT(a.table.base, a.table.len, "certificates", "and the table");
    snprintf(path, sizeof(path), "%s/one/inblob", root);
    int fd = open(path, O_RDONLY);
    OK(fd >= 0 && read(fd, asked, 64) == 5 && strcmp(asked, "nonce") == 0, "the nonce was asked");
    close(fd);
    sotto_buf_free(&a.report);
    sotto_buf_free(&a.table);
}

static void test_faults(void)
{
    for (size_t n = 1;; n++) {
        sotto_alloc_set_fault(n);
        struct answer a = {.provider = "nobody"};
        sotto_buf_init(&a.report, SOTTO_BUF_UNBOUNDED);
        sotto_buf_init(&a.table, SOTTO_BUF_UNBOUNDED);
        enum sotto_err err =
            sotto_tsm_report(root, "one", SOTTO_LIT("n"), a.provider, &a.report, &a.table);
        bool done = sotto_alloc_set_fault(0) < n;
        IS_INT(err, done ? SOTTO_OK : SOTTO_ENOMEM, "allocation %zu", n);
        OK(done || (a.report.len == 0 && a.table.len == 0), "nothing is given out");
        sotto_buf_free(&a.report);
        sotto_buf_free(&a.table);
        if (done) {
            break;
        }
    }
}

int main(void)
{
    char one[256], big[SOTTO_TSM_BYTES_MAX + 1] = "";
    uint8_t long_data[SOTTO_TSM_DATA_MAX + 1] = {0};
    OK(mkdtemp(root) != NULL, "a folder");
    snprintf(one, sizeof(one), "%s/one", root);
    OK(mkdir(one, 0700) == 0, "a folder in it");
    put("inblob", "", 0);
    put("generation", "1\n", 2);
    put("outblob", "a\0report", 8);
    put("auxblob", "certificates", 12);
    put("provider", "sev_guest\n", 10);
    test_report();
    test_faults();
    expect(root, "one", SOTTO_LIT(""), SOTTO_EINVAL, "nothing to vouch for");
    expect(root, "one", sotto_span_init(long_data, sizeof(long_data)), SOTTO_EINVAL, "too much");
    expect("/nonexistent", "one", SOTTO_LIT("n"), SOTTO_ENOTFOUND, "no such module");
    expect(root, "two", SOTTO_LIT("n"), SOTTO_ENOTFOUND, "a folder in which nothing appears");
    OK(access(strcat(strcpy(one, root), "/two"), F_OK) != 0, "it is taken away again");
    put("outblob", big, sizeof(big));
    expect(root, "one", SOTTO_LIT("n"), SOTTO_ELIMIT, "a report without end");
    drop("one/outblob");
    expect(root, "one", SOTTO_LIT("n"), SOTTO_ENOTFOUND, "no report");
    put("outblob", "r", 1);
    drop("one/auxblob");
    expect(root, "one", SOTTO_LIT("n"), SOTTO_OK, "no table is fine");
    const char *left[] = {"one/inblob", "one/generation", "one/outblob", "one/provider", "one", ""};
    for (size_t i = 0; i < SOTTO_COUNT(left); i++) {
        drop(left[i]);
    }
    return done_testing();
}
