/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_HARDEN_H
#define SOTTO_SYS_HARDEN_H

#include <stdbool.h>

#include "base/err.h"

/**
 * Makes the process leave no image of its memory and gain no rights: PR_SET_DUMPABLE 0 (no core
 * dump, no ptrace by the same user), RLIMIT_CORE 0, PR_SET_NO_NEW_PRIVS; files made from now on
 * are private (umask 077).
 *
 * @retval SOTTO_EIO  the kernel refused one of them
 */
SOTTO_MUST_CHECK enum sotto_err sotto_harden(void);

/**
 * Has every function of a shared library looked up when the program starts (LD_BIND_NOW), for which
 * it starts itself again, once.  A look-up at a function's first call saves the vector registers on
 * the stack, with whatever text is in them, where nobody wipes it; libraries that were not linked
 * with `-z now` are looked up so.  Before anything else in main(); returns where that is done
 * already, or is not possible.
 *
 * @param argv  of main(), unchanged
 */
void sotto_bind_now(char **argv);

/**
 * Keeps the memory of the process, now and later, out of swap (mlockall), as far as it is used.
 * Done only where no limit can make a later allocation fail: RLIMIT_MEMLOCK is unlimited, or may be
 * made so.
 *
 * @retval SOTTO_EDENIED  the limit forbids it, and the system has swap
 */
SOTTO_MUST_CHECK enum sotto_err sotto_lock_memory(void);

/** Whether the process may read what belongs to the superuser. */
bool sotto_is_superuser(void);

/** Raises the soft limit of open files to the hard one; returns what it is then. */
unsigned long sotto_raise_file_limit(void);

#endif
