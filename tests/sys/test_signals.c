/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/signals.h"

#include <signal.h>
#include <unistd.h>

#include "tap/tap.h"

int main(void)
{
    int fd = -1, ends[2];
    IS_INT(sotto_signals_open(&fd), SOTTO_OK, "signals are taken");
    IS_INT(sotto_signals_next(fd), SOTTO_SIGNAL_NONE, "none has come");
    raise(SIGHUP);
    raise(SIGTERM);
    enum sotto_signal first = sotto_signals_next(fd), second = sotto_signals_next(fd);
    OK((first == SOTTO_SIGNAL_RELOAD && second == SOTTO_SIGNAL_STOP) ||
           (first == SOTTO_SIGNAL_STOP && second == SOTTO_SIGNAL_RELOAD),
       "two have come");
    raise(SIGINT);
    IS_INT(sotto_signals_next(fd), SOTTO_SIGNAL_STOP, "a third");
    IS_INT(sotto_signals_next(fd), SOTTO_SIGNAL_NONE, "no more");
    OK(pipe(ends) == 0 && close(ends[0]) == 0, "a pipe without a reader");
    OK(write(ends[1], "x", 1) == -1, "is an error and not the end");
    close(ends[1]);
    close(fd);
    return done_testing();
}
