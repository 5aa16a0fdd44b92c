/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_CHILD_H
#define SOTTO_SYS_CHILD_H

/*
 * This program once more, as another process: a new image, with nothing of this one's memory, no
 * environment but the named variables, and no descriptors but those it is given.  Standard input
 * and output are /dev/null, standard error is shared.
 */

#include <stddef.h>

#include "base/err.h"

/** Highest number that a descriptor may get. */
#define SOTTO_CHILD_FD_MAX 300

struct sotto_child_options {
    char *const *words;      /* argv, ends with NULL */
    const char *const *keep; /* names of variables, ends with NULL */
    int first_fd;            /* the number that fds[0] gets there, fds[1] the next, and so on */
    const int *fds;          /* stay the caller's */
    size_t fd_count;
};

/** A process that was started; zero-initialised is none. */
struct sotto_child {
    int pid;
    int fd; /* tells of its end; -1: none */
};

/** @param[out] out  set only on SOTTO_OK  @retval SOTTO_EIO  @retval SOTTO_ELIMIT  too many fds */
SOTTO_MUST_CHECK enum sotto_err sotto_child_start(const struct sotto_child_options *options,
                                                  struct sotto_child *out);

/** Waits for its end, at most so long, and lets go of it. */
void sotto_child_wait(struct sotto_child *process, int wait_ms);

#endif
