/* SPDX-License-Identifier: Apache-2.0 */

#include "store/mesh.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/files.h"

#define MESH_DAY_S 86400

static enum sotto_err refuse(char *why, enum sotto_err err, const char *path, const char *sentence)
{
    snprintf(why, SOTTO_STORE_WHY_BYTES, "%.400s: %s", path, sentence);
    return err;
}

static enum sotto_err read_file(const char *path, struct sotto_buf *out, char *why)
{
    struct stat info;
    enum sotto_err err = sotto_file_read(path, SOTTO_MESH_PEM_MAX, out);
    if (err != SOTTO_OK) {
        return err == SOTTO_ENOTFOUND
                   ? err
                   : refuse(why, err, path, "cannot be read: see to its permissions and its disk");
    }
    if (stat(path, &info) != 0 || (info.st_mode & 077) != 0) {
        return refuse(why, SOTTO_EDENIED, path, "others may read it: chmod 600 it");
    }
    return SOTTO_OK;
}

/* Puts the file there whole, and never in place of another: of two first starts one wins. */
static enum sotto_err put_file(const char *path, sotto_span text)
{
    char temp[PATH_MAX];
    int n = snprintf(temp, sizeof(temp), "%s.%ld", path, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof(temp)) {
        return SOTTO_EIO;
    }
    enum sotto_err err = sotto_file_write(temp, text);
    if (err == SOTTO_OK && link(temp, path) != 0) {
        err = errno == EEXIST ? SOTTO_EEXISTS : SOTTO_EIO;
    }
    unlink(temp);
    return err;
}

static enum sotto_err read_ca(const char *path, int64_t now_s, struct sotto_buf *ca, char *why)
{
    enum sotto_err err = read_file(path, ca, why);
    if (err != SOTTO_ENOTFOUND) {
        return err;
    }
    err = sotto_mesh_make_ca(now_s, ca);
    if (err == SOTTO_OK) {
        err = put_file(path, sotto_buf_span(ca));
    }
    if (err == SOTTO_EEXISTS) {
        sotto_buf_truncate(ca, 0);
        return read_file(path, ca, why);
    }
    return err == SOTTO_OK ? err : refuse(why, err, path, "cannot be made: see to its folder");
}

static enum sotto_err renew_leaf(const char *path, sotto_span ca, int64_t now_s,
                                 struct sotto_buf *leaf, char *why)
{
    sotto_buf_truncate(leaf, 0);
    enum sotto_err err = sotto_mesh_make_leaf(ca, now_s, leaf);
    if (err == SOTTO_OK) {
        err = sotto_file_write(path, sotto_buf_span(leaf));
    }
    if (err == SOTTO_OK || err == SOTTO_EFORMAT) { /* the latter is about the authority */
        return err;
    }
    return refuse(why, err, path, "cannot be made: see to its folder");
}

static bool is_fresh(const struct sotto_mesh *mesh, int64_t now_s)
{
    return sotto_mesh_leaf_until(mesh) - now_s > (int64_t)SOTTO_MESH_LEAF_DAYS * MESH_DAY_S / 2;
}

/* The leaf of another authority, or an old one, gives way to a new one. */
static enum sotto_err read_leaf(const char *path, sotto_span ca, int64_t now_s,
                                struct sotto_mesh **out, char *why)
{
    struct sotto_buf leaf;
    sotto_buf_init(&leaf, SOTTO_MESH_PEM_MAX);
    struct sotto_mesh *mesh = NULL;
    enum sotto_err err = read_file(path, &leaf, why);
    if (err == SOTTO_OK) {
        err = sotto_mesh_read(ca, sotto_buf_span(&leaf), &mesh);
    }
    if (err == SOTTO_ENOTFOUND || err == SOTTO_EFORMAT || err == SOTTO_EINVAL ||
        (err == SOTTO_OK && !is_fresh(mesh, now_s))) {
        sotto_mesh_free(mesh);
        mesh = NULL;
        err = renew_leaf(path, ca, now_s, &leaf, why);
        if (err == SOTTO_OK) {
            err = sotto_mesh_read(ca, sotto_buf_span(&leaf), &mesh);
        }
    }
    sotto_buf_free(&leaf);
    if (err == SOTTO_OK) {
        *out = mesh;
    }
    return err;
}

enum sotto_err sotto_mesh_open(const char *folder, int64_t now_s, struct sotto_mesh **out,
                               char why[SOTTO_STORE_WHY_BYTES])
{
    char ca_path[PATH_MAX], leaf_path[PATH_MAX];
    struct sotto_buf ca;
    int a = snprintf(ca_path, sizeof(ca_path), "%s/mesh-ca.pem", folder);
    int b = snprintf(leaf_path, sizeof(leaf_path), "%s/mesh.pem", folder);
    why[0] = '\0';
    if (a < 0 || (size_t)a >= sizeof(ca_path) || b < 0 || (size_t)b >= sizeof(leaf_path)) {
        return refuse(why, SOTTO_EIO, folder, "the path is too long");
    }
    sotto_buf_init(&ca, SOTTO_MESH_PEM_MAX);
    enum sotto_err err = read_ca(ca_path, now_s, &ca, why);
    if (err == SOTTO_OK) {
        err = read_leaf(leaf_path, sotto_buf_span(&ca), now_s, out, why);
    }
    if (err != SOTTO_OK && why[0] == '\0') {
        err =
            refuse(why, err, ca_path, "is no certificate authority with its key: put back a copy");
    }
    sotto_buf_free(&ca);
    return err;
}
