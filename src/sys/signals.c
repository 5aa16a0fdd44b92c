/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/signals.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

void sotto_signals_ignore_pipe(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &action, NULL); /* cannot fail for a valid signal */
}

enum sotto_err sotto_signals_open(int *fd)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0) {
        return SOTTO_EIO;
    }
    int opened = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (opened < 0) {
        pthread_sigmask(SIG_UNBLOCK, &set, NULL);
        return SOTTO_EIO;
    }
    sotto_signals_ignore_pipe();
    *fd = opened;
    return SOTTO_OK;
}

enum sotto_signal sotto_signals_next(int fd)
{
    struct signalfd_siginfo info;
    ssize_t n = read(fd, &info, sizeof(info));
    if (n != (ssize_t)sizeof(info)) {
        return SOTTO_SIGNAL_NONE;
    }
    return info.ssi_signo == SIGHUP ? SOTTO_SIGNAL_RELOAD : SOTTO_SIGNAL_STOP;
}
