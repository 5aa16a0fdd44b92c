/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/child.h"

#include <fcntl.h>
#include <unistd.h>

#include "sys/channel.h"
#include "tap/tap.h"

#define FIRST_FD 3

/* In the child: says through its first descriptor what it found. */
static int say_what_is_here(void)
{
    char text[100];
    const char *kept = getenv("SOTTO_TEST_KEPT"), *lost = getenv("SOTTO_TEST_LOST");
    int open_fds = 0;
    for (int fd = 0; fd < 1024; fd++) {
        open_fds += fcntl(fd, F_GETFD) >= 0;
    }
    int len = snprintf(text, sizeof(text), "%s %s %d", kept != NULL ? kept : "-",
                       lost != NULL ? lost : "-", open_fds);
    return write(FIRST_FD, text, (size_t)len) == len && write(FIRST_FD + 1, "!", 1) == 1 ? 0 : 1;
}

static size_t read_text(int fd, char *to, size_t cap)
{
    size_t len = 0, n = 0;
    while (sotto_channel_read(fd, to + len, cap - len, &n) == SOTTO_OK && len < cap) {
        len += n;
    }
    return len;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "child") == 0) {
        return say_what_is_here();
    }
    int ours[2] = {-1, -1}, theirs[2] = {-1, -1};
    struct sotto_child child = {.fd = -1};
    char name[] = "test", word[] = "child", text[100];
    char *words[] = {name, word, NULL};
    const char *const keep[] = {"SOTTO_TEST_KEPT", NULL};
    const struct sotto_child_options options = {
        .words = words, .keep = keep, .first_fd = FIRST_FD, .fds = theirs, .fd_count = 2};
    setenv("SOTTO_TEST_KEPT", "kept", 1);
    setenv("SOTTO_TEST_LOST", "lost", 1);
    OK(sotto_channel_open(&ours[0], &theirs[0]) == SOTTO_OK &&
           sotto_channel_open(&ours[1], &theirs[1]) == SOTTO_OK,
       "two channels");
    IS_INT(sotto_child_start(&options, &child), SOTTO_OK, "a process is started");
    OK(child.pid > 0, "it has a number");
    sotto_channel_close(theirs[0]);
    sotto_channel_close(theirs[1]);
    sotto_child_wait(&child, 20000);
    size_t len = read_text(ours[0], text, sizeof(text));
    IS_TEXT(text, len, "kept - 5",
            "it has the variable that is kept, not the other one, and five descriptors");
    len = read_text(ours[1], text, sizeof(text));
    IS_TEXT(text, len, "!", "each where it belongs");
    IS_INT(child.pid, 0, "it has ended");
    sotto_channel_close(ours[0]);
    sotto_channel_close(ours[1]);

    struct sotto_child_options many = options;
    many.fd_count = SOTTO_CHILD_FD_MAX;
    IS_INT(sotto_child_start(&many, &child), SOTTO_ELIMIT, "too many descriptors are refused");
    return done_testing();
}
