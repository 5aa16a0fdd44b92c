/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_STORE_FOLDER_H
#define SOTTO_TESTS_STORE_FOLDER_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A folder for one test: made under $TMPDIR, removed with its files. */
struct folder {
    char path[256];
};

static inline struct folder folder_new(void)
{
    struct folder f;
    const char *base = getenv("TMPDIR"); /* NOLINT(concurrency-mt-unsafe) */
    snprintf(f.path, sizeof(f.path), "%s/sotto-test.XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(f.path) == NULL) {
        abort();
    }
    return f;
}

/* The path of a file in it; a static buffer for each of two calls in a row. */
static inline const char *folder_file(const struct folder *f, const char *name)
{
    static char paths[2][512];
    static int turn;
    turn = 1 - turn;
    snprintf(paths[turn], sizeof(paths[turn]), "%s/%s", f->path, name);
    return paths[turn];
}

static inline void folder_remove(const struct folder *f)
{
    DIR *dir = opendir(f->path);
    struct dirent *entry;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread has this folder */
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            unlink(folder_file(f, entry->d_name));
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(f->path);
}

#endif
