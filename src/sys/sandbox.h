/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_SANDBOX_H
#define SOTTO_SYS_SANDBOX_H

/*
 * What a room of the gateway may do once it has opened what it needs: no capabilities, no paths but
 * the given ones (Landlock), no system calls but those of a list (seccomp).  What is not allowed
 * fails with EPERM or EACCES.
 *
 *               files               sockets                          memory of others
 *   front       certificate, read   those it has; no new ones        never
 *   vault       state; config read; none                             never
 *               evidence of the machine
 *   vault that  the same; resolver, connect to given ports; no       never
 *   has stores  trust               listening
 *   back        resolver, trust     connect; no listening            never
 *
 * No room starts programs, traces processes, reads their memory, sends them signals or makes memory
 * executable; but a vault may do the last, for its compiled patterns.
 *
 * Sources: Linux Documentation/userspace-api/landlock.rst and seccomp_filter.rst.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum sotto_sandbox_room {
    SOTTO_SANDBOX_FRONT,
    SOTTO_SANDBOX_VAULT,
    SOTTO_SANDBOX_VAULT_STORES, /* it has stores on other machines */
    SOTTO_SANDBOX_BACK,
};

/** Files and folders; what does not exist is left out.  Both lists end with NULL. */
struct sotto_sandbox_paths {
    const char *const *read;  /* and all beneath */
    const char *const *write; /* and all beneath; read, too */
    /* TCP ports to which a vault with stores connects, then 0; NULL: none.  Landlock 4 on. */
    const uint16_t *connect;
};

/** What the system has of it. */
struct sotto_sandbox_report {
    int landlock; /* version of its interface; 0: none */
    bool seccomp;
};

/**
 * For the calling thread and all it starts afterwards: to be called before there are others, after
 * sotto_harden().  There is no way back.
 *
 * @param[out] report  always set
 * @retval SOTTO_EDENIED  Landlock or seccomp is not to be had; what is, is in force.  In a program
 *                        built with a sanitizer nothing is
 */
SOTTO_MUST_CHECK enum sotto_err sotto_sandbox(enum sotto_sandbox_room room,
                                              const struct sotto_sandbox_paths *paths,
                                              struct sotto_sandbox_report *report);

#endif
