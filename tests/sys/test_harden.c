/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/harden.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "tap/tap.h"

int main(void)
{
    struct rlimit limit;
    IS_INT(sotto_harden(), SOTTO_OK, "the process is hardened");
    IS_INT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0, "it leaves no dump");
    IS_INT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1, "it gains no rights");
    OK(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0,
       "a core file has no bytes");
    IS_INT(umask(0), 077, "files are private");
    OK(getrlimit(RLIMIT_NOFILE, &limit) == 0, "the limit of open files");
    IS_INT((long long)sotto_raise_file_limit(), (long long)limit.rlim_max,
           "is raised to the hard one");

    /* Without the right to raise it, a limit that could make allocations fail is left alone. */
    enum sotto_err err = sotto_lock_memory();
    OK(err == SOTTO_OK || err == SOTTO_EDENIED, "memory is kept out of swap where that may be");
    void *block = sotto_alloc((size_t)64 << 20);
    OK(block != NULL, "does not stand in the way of allocations");
    sotto_free(block);
    return done_testing();
}
