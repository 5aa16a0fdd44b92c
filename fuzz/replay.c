/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Runs the files of a corpus through a fuzz target as an ordinary TAP test, with any compiler:
 * what a fuzzer once found stays found.  Usage: replay_NAME FOLDER-OR-FILE...
 * The empty input and a few hostile ones are always run, so a target without a corpus is tested too.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tap/tap.h"

#define REPLAY_MAX_INPUT ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_bytes(const char *name, const void *data, size_t len)
{
    /* An exact copy on the heap, so that a sanitizer sees a read beyond the end. */
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (copy == NULL) {
        abort();
    }
    if (len > 0) {
        memcpy(copy, data, len);
    }
    OK(LLVMFuzzerTestOneInput(copy, len) == 0, "%s", name);
    fflush(stdout);
    free(copy);
}

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rbe");
    char *data = malloc(REPLAY_MAX_INPUT);
    if (file == NULL || data == NULL) {
        OK(false, "%s can be read", path);
    } else {
        size_t len = fread(data, 1, REPLAY_MAX_INPUT, file);
        replay_bytes(path, data, len);
    }
    free(data);
    if (file != NULL) {
        fclose(file);
    }
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay_folder(const char *path)
{
    struct dirent **entry = NULL;
    int n = scandir(path, &entry, visible, alphasort);
    for (int i = 0; i < n; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entry[i]->d_name);
        replay_file(name);
        free(entry[i]);
    }
    free(entry);
}

int main(int argc, char **argv)
{
    static const uint8_t zeros[64];
    static const uint8_t ones[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    replay_bytes("the empty input", "", 0);
    replay_bytes("one zero byte", zeros, 1);
    replay_bytes("64 zero bytes", zeros, sizeof zeros);
    replay_bytes("bytes that are never UTF-8", ones, sizeof ones);
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) != 0) {
            continue; /* no corpus yet */
        }
        if (S_ISDIR(info.st_mode)) {
            replay_folder(argv[i]);
        } else {
            replay_file(argv[i]);
        }
    }
    return done_testing();
}
