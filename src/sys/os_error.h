/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_OS_ERROR_H
#define SOTTO_SYS_OS_ERROR_H

#include "base/err.h"

/** What a failed system call on a file means: `number` is its errno.  Never SOTTO_OK. */
enum sotto_err sotto_os_error(int number);

#endif
