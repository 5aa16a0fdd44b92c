/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/harden.h"
#include "tap/tap.h"

/* Bits of what a process found out about itself. */
enum sandbox_bit {
    BIT_CLOSED = 1,  /* sotto_sandbox() said so */
    BIT_READS = 2,   /* a file it may read */
    BIT_WRITES = 4,  /* a file it may write */
    BIT_ELSE = 8,    /* another file */
    BIT_SOCKET = 16, /* a new socket */
    BIT_EXEC = 32,   /* executable memory */
    BIT_FORK = 64,
    BIT_THREAD = 128,
};

static char folder[] = "/tmp/sotto-sandbox-XXXXXX";

static bool opens(const char *name, int flags)
{
    char path[100];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static void *nothing(void *arg)
{
    return arg;
}

static int try_all(enum sotto_sandbox_room room)
{
    char own[100];
    const char *const none[] = {NULL};
    snprintf(own, sizeof(own), "%s/own", folder);
    const char *const list[] = {own, "/no/such/folder", NULL};
    const struct sotto_sandbox_paths paths = {
        .read = room == SOTTO_SANDBOX_VAULT ? none : list,
        .write = room == SOTTO_SANDBOX_VAULT ? list : none,
    };
    struct sotto_sandbox_report report;
    int found = sotto_sandbox(room, &paths, &report) == SOTTO_OK ? BIT_CLOSED : 0;
    found |= opens("own/file", O_RDONLY) ? BIT_READS : 0;
    found |= opens("own/new", O_WRONLY | O_CREAT) ? BIT_WRITES : 0;
    found |= opens("other", O_RDONLY) ? BIT_ELSE : 0;
    found |= socket(AF_INET, SOCK_STREAM, 0) >= 0 ? BIT_SOCKET : 0;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    found |= page != MAP_FAILED ? BIT_EXEC : 0;
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    found |= child > 0 ? BIT_FORK : 0;
    pthread_t thread;
    found |= pthread_create(&thread, NULL, nothing, NULL) == 0 ? BIT_THREAD : 0;
    return found;
}

/* In a process of its own; its findings are its exit status. */
static int run(enum sotto_sandbox_room room)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(sotto_harden() == SOTTO_OK ? try_all(room) : 0);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void)
{
#if defined(__SANITIZE_ADDRESS__)
    SKIP_ALL("sanitizers need calls that no room has");
#endif
    char path[100];
    if (mkdtemp(folder) == NULL) {
        SKIP_ALL("no folder");
    }
    snprintf(path, sizeof(path), "%s/own", folder);
    OK(mkdir(path, 0700) == 0 && opens("own/file", O_WRONLY | O_CREAT) &&
           opens("other", O_WRONLY | O_CREAT),
       "two files");
    int front = run(SOTTO_SANDBOX_FRONT);
    if (front < 0 || (front & BIT_CLOSED) == 0) {
        SKIP(3, "the kernel has no Landlock or no seccomp");
    } else {
        IS_INT(front, BIT_CLOSED | BIT_READS | BIT_THREAD,
               "the front reads what it is given, and starts threads: nothing else");
        IS_INT(run(SOTTO_SANDBOX_BACK), BIT_CLOSED | BIT_READS | BIT_SOCKET | BIT_THREAD,
               "the back has sockets beside it");
        IS_INT(run(SOTTO_SANDBOX_VAULT),
               BIT_CLOSED | BIT_READS | BIT_WRITES | BIT_EXEC | BIT_THREAD,
               "the vault writes its folder and has patterns that are code, but no sockets");
    }
    return done_testing();
}
