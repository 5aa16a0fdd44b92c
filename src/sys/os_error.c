/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/os_error.h"

#include <errno.h>

enum sotto_err sotto_os_error(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return SOTTO_ENOTFOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return SOTTO_EDENIED;
    case EEXIST:
        return SOTTO_EEXISTS;
    case ENOMEM:
        return SOTTO_ENOMEM;
    default:
        return SOTTO_EIO;
    }
}
