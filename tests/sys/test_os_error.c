/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/os_error.h"

#include <errno.h>

#include "tap/tap.h"

int main(void)
{
    IS_INT(sotto_os_error(ENOENT), SOTTO_ENOTFOUND, "not there");
    IS_INT(sotto_os_error(EACCES), SOTTO_EDENIED, "not permitted");
    IS_INT(sotto_os_error(EROFS), SOTTO_EDENIED, "not to be written");
    IS_INT(sotto_os_error(EEXIST), SOTTO_EEXISTS, "there already");
    IS_INT(sotto_os_error(ENOMEM), SOTTO_ENOMEM, "no memory");
    IS_INT(sotto_os_error(ENOSPC), SOTTO_EIO, "anything else");
    IS_INT(sotto_os_error(0), SOTTO_EIO, "never success");
    return done_testing();
}
