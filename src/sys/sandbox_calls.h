/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_SANDBOX_CALLS_H
#define SOTTO_SYS_SANDBOX_CALLS_H

/* The system calls of a room; for sys/sandbox.c alone. */

#include "sys/sandbox.h"

/** Lets the thread, and what it starts, make the calls of this room only; false: no seccomp. */
SOTTO_MUST_CHECK bool sotto_sandbox_calls(enum sotto_sandbox_room room);

#endif
