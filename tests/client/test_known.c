/* SPDX-License-Identifier: Apache-2.0 */

#include "client/known.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "sys/files.h"
#include "tap/tap.h"

#define NOW 1780000000

static char folder[] = "/tmp/sotto-known-XXXXXX";
static char path[64];
static const uint8_t key[2][SOTTO_ED25519_PUBLIC_BYTES] = {{1, 2, 3}, {4, 5, 6}};

static void expect(sotto_span gateway, size_t which, enum sotto_err want, const char *what)
{
    IS_INT(sotto_known_first_use(path, SOTTO_KNOWN_SIGNING_KEY, gateway, key[which], NOW), want,
           "%s", what);
}

static void is_file(const char *want, const char *what)
{
    struct sotto_buf file;
    sotto_buf_init(&file, SOTTO_BUF_UNBOUNDED);
    OK(sotto_file_read(path, SOTTO_KNOWN_BYTES_MAX, &file) == SOTTO_OK, "the file can be read");
    IS_TEXT(file.base, file.len, want, "%s", what);
    sotto_buf_free(&file);
}

#define ROW_ONE                                                                                    \
    "{\"gateway\": \"one:443\", \"signing_key\": "                                                 \
    "\"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\", \"seen\": 1780000000}\n"
#define ROW_TWO                                                                                    \
    "{\"gateway\": \"two:443\", \"signing_key\": "                                                 \
    "\"BAUGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\", \"seen\": 1780000000}\n"

static void test_first_use(void)
{
    struct stat st;
    expect(SOTTO_LIT("one:443"), 0, SOTTO_OK, "the first key is believed");
    is_file(ROW_ONE, "and noted");
    OK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "for its owner only");
    expect(SOTTO_LIT("one:443"), 0, SOTTO_OK, "the same one again");
    is_file(ROW_ONE, "is not noted twice");
    expect(SOTTO_LIT("one:443"), 1, SOTTO_EDENIED, "another one is not believed");
    is_file(ROW_ONE, "and changes nothing");
    expect(SOTTO_LIT("two:443"), 1, SOTTO_OK, "another gateway has another key");
    is_file(ROW_ONE ROW_TWO, "which is noted behind the first");
    expect(SOTTO_LIT("two:443"), 0, SOTTO_EDENIED, "its own one counts");
}

static void test_mesh(void)
{
    static const char row[] = "{\"gateway\": \"one:443\", \"mesh_ca_sha256\": "
                              "\"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\", \"seen\": "
                              "1780000000}\n";
    OK(unlink(path) == 0, "a file of its own");
    IS_INT(sotto_known_first_use(path, SOTTO_KNOWN_MESH_CA, SOTTO_LIT("one:443"), key[0], NOW),
           SOTTO_OK, "a mesh's first authority");
    is_file(row, "is noted as one");
    IS_INT(sotto_known_first_use(path, SOTTO_KNOWN_MESH_CA, SOTTO_LIT("one:443"), key[1], NOW),
           SOTTO_EDENIED, "another one is not believed");
    expect(SOTTO_LIT("one:443"), 0, SOTTO_EFORMAT, "it is no signing key");
    is_file(row, "and the file stays");
    OK(unlink(path) == 0, "it goes");
}

static void test_lines(void)
{
    static const struct {
        const char *text;
        enum sotto_err first, pinned;
        const char *what;
    } rows[] = {
        {"", SOTTO_OK, SOTTO_EDENIED, "an empty file"},
        {"# comment\n\n \t\n", SOTTO_OK, SOTTO_EDENIED, "comments and empty lines"},
        {ROW_ONE, SOTTO_OK, SOTTO_OK, "the gateway's row"},
        {"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n", SOTTO_EFORMAT, SOTTO_OK,
         "a bare key is a pin only"},
        {"BAUGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", SOTTO_EFORMAT, SOTTO_EDENIED,
         "another bare key"},
        {"garbage\n", SOTTO_EFORMAT, SOTTO_EFORMAT, "garbage"},
        {"{\"gateway\": 1}\n", SOTTO_EFORMAT, SOTTO_EFORMAT, "a row without its members"},
        {ROW_ONE "{\n", SOTTO_OK, SOTTO_EFORMAT, "half a row behind the one that counts"},
        {"{\n" ROW_ONE, SOTTO_EFORMAT, SOTTO_EFORMAT, "half a row before it"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        OK(sotto_file_write(path, sotto_span_str(rows[i].text)) == SOTTO_OK, "a file is there");
        IS_INT(sotto_known_pinned(path, key[0]), rows[i].pinned, "pinned: %s", rows[i].what);
        expect(SOTTO_LIT("one:443"), 0, rows[i].first, rows[i].what);
        if (rows[i].first != SOTTO_OK) {
            is_file(rows[i].text, "the file stays as it was");
        }
    }
}

static void test_faults(void)
{
    for (size_t n = 1;; n++) {
        OK(sotto_file_write(path, SOTTO_LIT(ROW_TWO)) == SOTTO_OK, "a file is there");
        sotto_alloc_set_fault(n);
        enum sotto_err err =
            sotto_known_first_use(path, SOTTO_KNOWN_SIGNING_KEY, SOTTO_LIT("one:443"), key[0], NOW);
        if (sotto_alloc_set_fault(0) < n) {
            IS_INT(err, SOTTO_OK, "without a failure it is noted");
            break;
        }
        IS_INT(err, SOTTO_ENOMEM, "allocation %zu", n);
        is_file(ROW_TWO, "the file stays as it was");
    }
}

int main(void)
{
    OK(mkdtemp(folder) != NULL, "a folder");
    snprintf(path, sizeof(path), "%s/deep/known", folder);
    IS_INT(sotto_known_pinned(path, key[0]), SOTTO_ENOTFOUND, "no file of pins");
    test_first_use();
    test_mesh();
    test_lines();
    test_faults();
    OK(unlink(path) == 0, "the file is gone");
    snprintf(path, sizeof(path), "%s/deep", folder);
    OK(rmdir(path) == 0 && rmdir(folder) == 0, "and its folders");
    return done_testing();
}
