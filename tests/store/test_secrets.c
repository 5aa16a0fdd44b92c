/* SPDX-License-Identifier: Apache-2.0 */

#include "store/secrets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "crypto/random.h"
#include "store/folder.h"
#include "tap/tap.h"

static void put_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        abort();
    }
    fchmod(fd, mode);
    close(fd);
}

static void test_first_start(void)
{
    struct folder f = folder_new();
    uint8_t first[SOTTO_MASTER_BYTES], again[SOTTO_MASTER_BYTES], zeros[SOTTO_MASTER_BYTES] = {0};
    char why[SOTTO_STORE_WHY_BYTES] = "";
    struct stat info;
    IS_INT(sotto_secrets_read(f.path, first, why), SOTTO_OK, "the first start makes a secret");
    OK(memcmp(first, zeros, sizeof(first)) != 0, "that is random");
    OK(stat(folder_file(&f, "secrets"), &info) == 0 && (info.st_mode & 07777) == 0600 &&
           info.st_size == 65,
       "in a private file of 65 bytes");
    IS_INT(sotto_secrets_read(f.path, again, why), SOTTO_OK, "the next start");
    IS_MEM(again, sizeof(again), first, sizeof(first), "reads the same");
    folder_remove(&f);
    OK(access(f.path, F_OK) != 0, "and no other file was left in the folder");
}

static void refused(const struct folder *f, enum sotto_err want, const char *sentence)
{
    uint8_t out[SOTTO_MASTER_BYTES], before[SOTTO_MASTER_BYTES];
    char why[SOTTO_STORE_WHY_BYTES] = "";
    memset(out, 7, sizeof(out));
    memset(before, 7, sizeof(before));
    IS_INT(sotto_secrets_read(f->path, out, why), want, "refused: %s", sentence);
    OK(strstr(why, sentence) != NULL, "it says why: %s", why);
    static const uint8_t zeros[SOTTO_MASTER_BYTES];
    OK(memcmp(out, before, sizeof(out)) == 0 || memcmp(out, zeros, sizeof(out)) == 0,
       "nothing comes out");
    IS_INT(sotto_secrets_read(f->path, out, NULL), want, "it need not be told");
}

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void test_files(void)
{
    static const char *const bad[] = {
        "",
        "\n",
        HEX,
        HEX "\n\n",
        HEX "x\n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F\n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g\n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e\n",
    };
    struct folder f = folder_new();
    uint8_t out[SOTTO_MASTER_BYTES], want[SOTTO_MASTER_BYTES];
    for (size_t i = 0; i < sizeof(want); i++) {
        want[i] = (uint8_t)i;
    }
    put_file(folder_file(&f, "secrets"), HEX "\n", 0600);
    IS_INT(sotto_secrets_read(f.path, out, NULL), SOTTO_OK, "a file is read");
    IS_MEM(out, sizeof(out), want, sizeof(want), "as hexadecimal digits");
    put_file(folder_file(&f, "secrets"), HEX "\n", 0400);
    IS_INT(sotto_secrets_read(f.path, out, NULL), SOTTO_OK, "it may be read-only");
    put_file(folder_file(&f, "secrets"), HEX "\n", 0640);
    refused(&f, SOTTO_EDENIED, "secrets: others may read it: chmod 600 it");
    put_file(folder_file(&f, "secrets"), HEX "\n", 0604);
    refused(&f, SOTTO_EDENIED, "secrets: others may read it: chmod 600 it");
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        put_file(folder_file(&f, "secrets"), bad[i], 0600);
        refused(&f, SOTTO_EFORMAT, "is not a master secret (64 hexadecimal digits and a newline)");
    }
    unlink(folder_file(&f, "secrets"));
    if (symlink("elsewhere", folder_file(&f, "secrets")) == 0) {
        refused(&f, SOTTO_EIO, "cannot be opened: see to its permissions");
    }
    unlink(folder_file(&f, "secrets"));
    mkdir(folder_file(&f, "secrets"), 0700);
    refused(&f, SOTTO_EFORMAT, "is not a file: move it away");
    rmdir(folder_file(&f, "secrets"));
    mkfifo(folder_file(&f, "secrets"), 0600);
    refused(&f, SOTTO_EFORMAT, "is not a file: move it away");
    folder_remove(&f);
    refused(&f, SOTTO_EIO, "cannot be made: see to the folder and its disk");
}

static void test_no_randomness(void)
{
    struct folder f = folder_new();
    uint8_t out[SOTTO_MASTER_BYTES];
    sotto_crypto_random_set_fault(1);
    IS_INT(sotto_secrets_read(f.path, out, NULL), SOTTO_ECRYPTO, "without randomness none is made");
    sotto_crypto_random_set_fault(0);
    OK(access(folder_file(&f, "secrets"), F_OK) != 0, "and there is no file");
    folder_remove(&f);
}

enum {
    PROCESSES = 8
};

/* Eight first starts at once: all have the secret that is in the file. */
static void test_race(void)
{
    struct folder f = folder_new();
    int pipes[2];
    bool same = pipe2(pipes, O_CLOEXEC) == 0;
    fflush(stdout);
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() == 0) {
            uint8_t out[SOTTO_MASTER_BYTES];
            bool done = sotto_secrets_read(f.path, out, NULL) == SOTTO_OK &&
                        write(pipes[1], out, sizeof(out)) == (ssize_t)sizeof(out);
            _exit(done ? 0 : 1);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = 1;
        wait(&status);
        same = same && status == 0;
    }
    uint8_t want[SOTTO_MASTER_BYTES], got[SOTTO_MASTER_BYTES];
    same = same && sotto_secrets_read(f.path, want, NULL) == SOTTO_OK;
    for (int i = 0; same && i < PROCESSES; i++) {
        same = read(pipes[0], got, sizeof(got)) == (ssize_t)sizeof(got) &&
               memcmp(got, want, sizeof(got)) == 0;
    }
    OK(same, "of %d first starts all have one secret", PROCESSES);
    close(pipes[0]);
    close(pipes[1]);
    folder_remove(&f);
    OK(access(f.path, F_OK) != 0, "and nothing else was left");
}

/* Expected values from Python's hmac and hashlib. */
static void test_derivation(void)
{
    static const uint8_t want[3][SOTTO_TENANT_KEY_BYTES] = {
        {0xd6, 0x00, 0x92, 0x36, 0x6f, 0x47, 0x4c, 0x05, 0xd3, 0x21, 0xd7,
         0x21, 0xdd, 0x8a, 0xcd, 0xf7, 0xcc, 0x1e, 0x45, 0x58, 0x7e, 0x5c,
         0x4d, 0x84, 0x18, 0x51, 0x40, 0xdc, 0x31, 0x3a, 0x36, 0xbf},
        {0x27, 0x1d, 0xb4, 0x15, 0x15, 0x67, 0x97, 0x6a, 0xbc, 0xb7, 0x8f,
         0xc8, 0xe3, 0x62, 0xb7, 0x39, 0xd8, 0xe9, 0xb7, 0xaf, 0x0b, 0x2e,
         0x53, 0x7e, 0xb5, 0x91, 0xb2, 0xb9, 0x82, 0x60, 0x4b, 0xd4},
        {0xb2, 0xf6, 0x6d, 0x67, 0x52, 0xb6, 0x3f, 0x7e, 0x3e, 0xe6, 0x7b,
         0x62, 0x13, 0x2d, 0xd0, 0x6e, 0xcb, 0x84, 0x68, 0xd1, 0x15, 0xf4,
         0x66, 0xdf, 0xc7, 0x88, 0x40, 0xc8, 0xb1, 0x1f, 0x98, 0x38},
    };
    static const uint8_t want_text[SOTTO_MASTER_BYTES] = {
        0x1b, 0x16, 0xe0, 0x72, 0x29, 0x40, 0xb8, 0x04, 0x56, 0xde, 0xb3,
        0xc7, 0x53, 0xbe, 0xe8, 0x53, 0x2b, 0x4d, 0xa2, 0x76, 0xb8, 0x41,
        0x2e, 0xd9, 0x28, 0x2e, 0xf1, 0x3e, 0xb5, 0x1e, 0x0b, 0x95};
    static const enum sotto_tenant_use uses[] = {SOTTO_TENANT_TOKENS, SOTTO_TENANT_USERS,
                                                 SOTTO_TENANT_CACHE};
    uint8_t master[SOTTO_MASTER_BYTES], out[SOTTO_TENANT_KEY_BYTES], other[SOTTO_TENANT_KEY_BYTES];
    for (size_t i = 0; i < sizeof(master); i++) {
        master[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < SOTTO_COUNT(uses); i++) {
        IS_INT(sotto_secrets_tenant(master, SOTTO_LIT("ward 4"), uses[i], out), SOTTO_OK,
               "a tenant's key for use %zu", i);
        IS_MEM(out, sizeof(out), want[i], sizeof(want[i]), "is HKDF's");
    }
    IS_INT(sotto_secrets_tenant(master, SOTTO_LIT("ward 5"), SOTTO_TENANT_CACHE, other), SOTTO_OK,
           "another tenant");
    OK(memcmp(out, other, sizeof(out)) != 0, "has another");
    char longest[SOTTO_KEY_NAME_MAX + 1];
    memset(longest, 'x', sizeof(longest));
    IS_INT(sotto_secrets_tenant(master, sotto_span_init(longest, SOTTO_KEY_NAME_MAX),
                                SOTTO_TENANT_TOKENS, out),
           SOTTO_OK, "the longest name of a tenant");
    IS_INT(sotto_secrets_tenant(master, sotto_span_init(longest, sizeof(longest)),
                                SOTTO_TENANT_TOKENS, out),
           SOTTO_EINVAL, "one longer is refused");
    static const uint8_t zeros[SOTTO_TENANT_KEY_BYTES];
    IS_MEM(out, sizeof(out), zeros, sizeof(zeros), "and the output is wiped");

    IS_INT(sotto_secrets_from_text(SOTTO_LIT("0123456789abcdef0123456789abcdef"), out), SOTTO_OK,
           "a secret from the configuration");
    IS_MEM(out, sizeof(out), want_text, sizeof(want_text), "is hashed under a name");
    IS_INT(sotto_secrets_from_text(SOTTO_LIT("0123456789abcdef0123456789abcde"), out), SOTTO_EINVAL,
           "a short one is refused");
}

int main(void)
{
    /* First: forked later, the children would have the same random bytes in stock. */
    test_race();
    test_first_start();
    test_files();
    test_no_randomness();
    test_derivation();
    return done_testing();
}
