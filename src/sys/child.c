/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_VARIABLES 16

static void keep_environment(const char *const *keep, char *out[CHILD_VARIABLES + 1])
{
    size_t count = 0;
    for (char **at = environ; *at != NULL; at++) {
        for (const char *const *name = keep; *name != NULL; name++) {
            size_t len = strlen(*name);
            if (count < CHILD_VARIABLES && strncmp(*at, *name, len) == 0 && (*at)[len] == '=') {
                out[count++] = *at;
            }
        }
    }
    out[count] = NULL;
}

/* Copies above all numbers that are given out, so that none is written over while needed. */
static size_t lift(const struct sotto_child_options *options, int *high)
{
    size_t count = 0;
    while (count < options->fd_count) {
        high[count] = fcntl(options->fds[count], F_DUPFD_CLOEXEC, SOTTO_CHILD_FD_MAX + 1);
        if (high[count] < 0) {
            break;
        }
        count++;
    }
    return count;
}

static bool describe(posix_spawn_file_actions_t *actions, const struct sotto_child_options *options,
                     const int *high)
{
    bool good =
        posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0 &&
        posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0;
    for (size_t i = 0; i < options->fd_count && good; i++) {
        good = posix_spawn_file_actions_adddup2(actions, high[i], options->first_fd + (int)i) == 0;
    }
    return good;
}

enum sotto_err sotto_child_start(const struct sotto_child_options *options, struct sotto_child *out)
{
    int high[SOTTO_CHILD_FD_MAX];
    char *environment[CHILD_VARIABLES + 1];
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    if (options->fd_count + (size_t)options->first_fd > SOTTO_CHILD_FD_MAX) {
        return SOTTO_ELIMIT;
    }
    keep_environment(options->keep, environment);
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return SOTTO_EIO;
    }
    size_t count = lift(options, high);
    bool good =
        count == options->fd_count && describe(&actions, options, high) &&
        posix_spawn(&pid, "/proc/self/exe", &actions, NULL, options->words, environment) == 0;
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; i < count; i++) {
        close(high[i]);
    }
    if (!good) {
        return SOTTO_EIO;
    }
    out->pid = pid;
    out->fd = (int)syscall(SYS_pidfd_open, pid, 0); /* Linux 5.3; without it nobody is waited for */
    return SOTTO_OK;
}

void sotto_child_wait(struct sotto_child *process, int wait_ms)
{
    if (process->pid == 0) {
        return;
    }
    struct pollfd end = {.fd = process->fd, .events = POLLIN};
    if (process->fd >= 0) {
        poll(&end, 1, wait_ms);
        close(process->fd);
    }
    waitpid(process->pid, NULL, WNOHANG); /* whoever does not end is left to the system */
    *process = (struct sotto_child){.fd = -1};
}
