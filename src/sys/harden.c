/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/harden.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

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
