/* SPDX-License-Identifier: Apache-2.0 */

#include "store/mesh.h"

#include <sys/stat.h>

#include "folder.h"
#include "tap/tap.h"

#define NOW 1700000000LL
#define DAY 86400LL

static char why[SOTTO_STORE_WHY_BYTES];

static struct sotto_mesh *must_open(const struct folder *f, int64_t now_s, const char *what)
{
    struct sotto_mesh *mesh = NULL;
    IS_INT(sotto_mesh_open(f->path, now_s, &mesh, why), SOTTO_OK, "%s", what);
    return mesh;
}

static int mode_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int)(info.st_mode & 07777) : -1;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    fputs(text, file);
    fclose(file);
}

int main(void)
{
    struct folder f = folder_new();
    struct sotto_mesh *first = must_open(&f, NOW, "the first start makes a mesh");
    IS_INT(mode_of(folder_file(&f, "mesh-ca.pem")), 0600, "the authority's file is ours alone");
    IS_INT(mode_of(folder_file(&f, "mesh.pem")), 0600, "as is the leaf's");
    struct sotto_mesh *second = must_open(&f, NOW + DAY, "the next one finds it");
    OK(sotto_span_eq(sotto_mesh_ca(first), sotto_mesh_ca(second)), "the same authority");
    OK(sotto_span_eq(sotto_mesh_leaf(first), sotto_mesh_leaf(second)), "and leaf");
    sotto_mesh_free(second);

    second = must_open(&f, NOW + (SOTTO_MESH_LEAF_DAYS / 2 + 1) * DAY, "years later");
    OK(sotto_span_eq(sotto_mesh_ca(first), sotto_mesh_ca(second)), "the authority stays");
    OK(!sotto_span_eq(sotto_mesh_leaf(first), sotto_mesh_leaf(second)), "the leaf is renewed");
    sotto_mesh_free(second);

    write_file(folder_file(&f, "mesh.pem"), "not a leaf\n");
    second = must_open(&f, NOW, "a leaf that is none");
    OK(sotto_span_eq(sotto_mesh_ca(first), sotto_mesh_ca(second)), "is replaced");
    sotto_mesh_free(second);

    IS_INT(chmod(folder_file(&f, "mesh-ca.pem"), 0640), 0, "a file that others may read");
    IS_INT(sotto_mesh_open(f.path, NOW, &second, why), SOTTO_EDENIED, "is refused");
    OK(strstr(why, "mesh-ca.pem") != NULL && strstr(why, "chmod 600") != NULL, "and it says so");
    IS_INT(chmod(folder_file(&f, "mesh-ca.pem"), 0600), 0, "put right");
    write_file(folder_file(&f, "mesh-ca.pem"), "not an authority\n");
    IS_INT(sotto_mesh_open(f.path, NOW, &second, why), SOTTO_EFORMAT, "what is no authority");
    OK(strstr(why, "mesh-ca.pem") != NULL, "is named, and not replaced");
    sotto_mesh_free(first);
    folder_remove(&f);
    return done_testing();
}
