/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/shared_counter.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tap/tap.h"

int main(void)
{
    char folder[] = "/tmp/sotto-test-XXXXXX", path[256];
    struct sotto_shared_counter *a = NULL, *b = NULL;
    struct stat info;
    if (mkdtemp(folder) == NULL) {
        abort();
    }
    snprintf(path, sizeof(path), "%s/counter", folder);
    IS_INT(sotto_shared_counter_open(path, &a), SOTTO_OK, "a counter is made");
    IS_INT(sotto_shared_counter_get(a), 0, "it starts at 0");
    OK(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600 && info.st_size == 8,
       "eight bytes for its owner only");
    IS_INT(sotto_shared_counter_open(path, &b), SOTTO_OK, "and opened again");
    sotto_shared_counter_bump(a);
    IS_INT(sotto_shared_counter_get(b), 1, "others see what one does");
    pid_t child = fork();
    if (child == 0) {
        sotto_shared_counter_bump(b);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    IS_INT(sotto_shared_counter_get(a), 2, "also between processes");
    sotto_shared_counter_close(a);
    sotto_shared_counter_close(b);
    IS_INT(sotto_shared_counter_open(path, &a), SOTTO_OK, "later");
    IS_INT(sotto_shared_counter_get(a), 2, "it is where it was");
    sotto_shared_counter_close(a);
    sotto_shared_counter_close(NULL);

    a = NULL;
    sotto_alloc_set_fault(1);
    IS_INT(sotto_shared_counter_open(path, &a), SOTTO_ENOMEM, "no memory");
    sotto_alloc_set_fault(0);
    IS_INT(truncate(path, 5), 0, "another file");
    IS_INT(sotto_shared_counter_open(path, &a), SOTTO_EFORMAT, "is refused");
    IS_INT(unlink(path), 0, "removed");
    IS_INT(symlink("/dev/null", path), 0, "a link");
    IS_INT(sotto_shared_counter_open(path, &a), SOTTO_EIO, "is not followed");
    unlink(path);
    snprintf(path, sizeof(path), "%s/no/counter", folder);
    IS_INT(sotto_shared_counter_open(path, &a), SOTTO_ENOTFOUND, "no folder");
    OK(a == NULL, "nothing was set");
    rmdir(folder);
    return done_testing();
}
