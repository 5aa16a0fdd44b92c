/* SPDX-License-Identifier: Apache-2.0 */

#include "store/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/random.h"

/* The file: 64 hexadecimal digits and a newline. */
#define SECRETS_DIGITS     ((size_t)2 * SOTTO_MASTER_BYTES)
#define SECRETS_FILE_BYTES (SECRETS_DIGITS + 1)
#define SECRETS_PATH_BYTES 4200

static enum sotto_err refuse(char *why, enum sotto_err err, const char *path, const char *sentence)
{
    if (why != NULL) {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "%.400s: %s", path, sentence);
    }
    return err;
}

/* --- the file -------------------------------------------------------------------------------- */

static void write_hex(const uint8_t master[SOTTO_MASTER_BYTES], char out[SECRETS_FILE_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SOTTO_MASTER_BYTES; i++) {
        out[2 * i] = digits[master[i] >> 4];
        out[2 * i + 1] = digits[master[i] & 15];
    }
    out[SECRETS_DIGITS] = '\n';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum sotto_err read_hex(const char *text, size_t len, uint8_t out[SOTTO_MASTER_BYTES])
{
    if (len != SECRETS_FILE_BYTES || text[SECRETS_DIGITS] != '\n') {
        return SOTTO_EFORMAT;
    }
    for (size_t i = 0; i < SOTTO_MASTER_BYTES; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            sotto_wipe(out, SOTTO_MASTER_BYTES);
            return SOTTO_EFORMAT;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return SOTTO_OK;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0;
}

static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return done;
}

/*
 * Makes the file whole or not at all, and never in place of another: written under another name
 * and then linked, so that of two first starts one wins and both use its secret.
 */
static enum sotto_err make_file(const char *folder, const char *path)
{
    char temp[SECRETS_PATH_BYTES + 16], text[SECRETS_FILE_BYTES];
    uint8_t master[SOTTO_MASTER_BYTES];
    enum sotto_err err = sotto_crypto_random(master, sizeof(master));
    if (err != SOTTO_OK) {
        return err;
    }
    write_hex(master, text);
    snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
    int fd = mkostemp(temp, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) {
        err = SOTTO_EIO;
    } else {
        bool written = write_all(fd, text, sizeof(text));
        bool closed = close(fd) == 0;
        bool linked = written && closed && (link(temp, path) == 0 || errno == EEXIST);
        err = linked && sync_folder(folder) ? SOTTO_OK : SOTTO_EIO;
        unlink(temp);
    }
    sotto_wipe(master, sizeof(master));
    sotto_wipe(text, sizeof(text));
    return err;
}

static enum sotto_err read_open(int fd, const char *path, uint8_t out[SOTTO_MASTER_BYTES],
                                char *why)
{
    struct stat info;
    char text[SECRETS_FILE_BYTES + 1];
    if (fstat(fd, &info) != 0) {
        return refuse(why, SOTTO_EIO, path, "cannot be read: see to its disk");
    }
    if (!S_ISREG(info.st_mode)) {
        return refuse(why, SOTTO_EFORMAT, path, "is not a file: move it away");
    }
    if ((info.st_mode & 077) != 0) {
        return refuse(why, SOTTO_EDENIED, path, "others may read it: chmod 600 it");
    }
    ssize_t n = pread(fd, text, sizeof(text), 0);
    enum sotto_err err = SOTTO_OK;
    if (n < 0) {
        err = refuse(why, SOTTO_EIO, path, "cannot be read: see to its disk");
    } else if (read_hex(text, (size_t)n, out) != SOTTO_OK) {
        err = refuse(why, SOTTO_EFORMAT, path,
                     "is not a master secret (64 hexadecimal digits and a newline): put back a "
                     "copy of it");
    }
    sotto_wipe(text, sizeof(text));
    return err;
}

enum sotto_err sotto_secrets_read(const char *folder, uint8_t out[SOTTO_MASTER_BYTES],
                                  char why[SOTTO_STORE_WHY_BYTES])
{
    char path[SECRETS_PATH_BYTES];
    int len = snprintf(path, sizeof(path), "%s/secrets", folder);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return refuse(why, SOTTO_EIO, folder, "the path is too long");
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        enum sotto_err err = make_file(folder, path);
        if (err != SOTTO_OK) {
            return refuse(why, err, path, "cannot be made: see to the folder and its disk");
        }
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    }
    if (fd < 0) {
        return refuse(why, SOTTO_EIO, path, "cannot be opened: see to its permissions");
    }
    enum sotto_err err = read_open(fd, path, out, why);
    close(fd);
    return err;
}

/* --- deriving -------------------------------------------------------------------------------- */

enum sotto_err sotto_secrets_from_text(sotto_span text, uint8_t out[SOTTO_MASTER_BYTES])
{
    static const char label[] = "sotto master v1"; /* its NUL is part of it */
    _Static_assert(SOTTO_MASTER_BYTES == SOTTO_SHA256_BYTES, "a master secret is a SHA-256");
    const sotto_span parts[] = {sotto_span_init(label, sizeof(label)), text};
    if (text.len < SOTTO_MASTER_TEXT_MIN) {
        return SOTTO_EINVAL;
    }
    return sotto_sha256_parts(parts, SOTTO_COUNT(parts), out);
}

/* HKDF's info: what the key is for, a NUL, the tenant.  No use is the start of another. */
enum sotto_err sotto_secrets_tenant(const uint8_t master[SOTTO_MASTER_BYTES], sotto_span tenant,
                                    enum sotto_tenant_use use, uint8_t out[SOTTO_TENANT_KEY_BYTES])
{
    static const char *const uses[] = {
        [SOTTO_TENANT_TOKENS] = "sotto tenant tokens v1",
        [SOTTO_TENANT_USERS] = "sotto tenant users v1",
        [SOTTO_TENANT_CACHE] = "sotto tenant cache v1",
    };
    char info[64 + SOTTO_KEY_NAME_MAX];
    size_t use_len = strlen(uses[use]) + 1;
    if (tenant.len > SOTTO_KEY_NAME_MAX) {
        sotto_wipe(out, SOTTO_TENANT_KEY_BYTES);
        return SOTTO_EINVAL;
    }
    memcpy(info, uses[use], use_len);
    if (tenant.len != 0) {
        memcpy(info + use_len, tenant.base, tenant.len);
    }
    return sotto_hkdf(sotto_span_init(master, SOTTO_MASTER_BYTES), sotto_span_init(NULL, 0),
                      sotto_span_init(info, use_len + tenant.len), out, SOTTO_TENANT_KEY_BYTES);
}
