/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/harden.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum sotto_err sotto_harden(void)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    umask(077);
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return SOTTO_EIO;
    }
    return SOTTO_OK;
}

void sotto_bind_now(char **argv)
{
    char path[4096];
    const char *set = getenv("LD_BIND_NOW");
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if ((set != NULL && set[0] != '\0') || len <= 0) {
        return;
    }
    path[len] = '\0';
    if (setenv("LD_BIND_NOW", "1", 1) == 0) {
        execv(path, argv);
    }
}

/* /proc/swaps has a line for each device behind the one with the names of the columns. */
static bool has_swap(void)
{
    char text[4096];
    int fd = open("/proc/swaps", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return true;
    }
    ssize_t n = read(fd, text, sizeof(text));
    close(fd);
    const char *line = n > 0 ? memchr(text, '\n', (size_t)n) : NULL;
    return line == NULL || line + 1 < text + n;
}

enum sotto_err sotto_lock_memory(void)
{
    const struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    struct rlimit limit = {0};
    bool unlimited = setrlimit(RLIMIT_MEMLOCK, &all) == 0 ||
                     (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY);
    if (unlimited && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) {
        return SOTTO_OK;
    }
    return has_swap() ? SOTTO_EDENIED : SOTTO_OK;
}

bool sotto_is_superuser(void)
{
    return geteuid() == 0;
}

unsigned long sotto_raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return (unsigned long)(setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before);
}
