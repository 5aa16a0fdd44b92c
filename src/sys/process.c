/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static int64_t microseconds(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

int64_t sotto_process_cpu_us(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0
               ? microseconds(usage.ru_utime) + microseconds(usage.ru_stime)
               : -1;
}

/* The second number of a line of numbers; -1: there is none. */
static int64_t second_number(const char *text)
{
    int64_t number = 0;
    const char *at = strchr(text, ' ');
    if (at == NULL) {
        return -1;
    }
    for (at++; *at >= '0' && *at <= '9' && number < INT32_MAX; at++) {
        number = number * 10 + (*at - '0');
    }
    return *at == ' ' ? number : -1;
}

/* Pages: size, resident, ...; see proc(5). */
static int64_t memory_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t len = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    int64_t pages = second_number(text);
    return pages >= 0 ? pages * sysconf(_SC_PAGESIZE) : -1;
}

static int64_t descriptors(void)
{
    int64_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL) {
        return -1;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else has this directory */
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        count += entry->d_name[0] != '.';
    }
    closedir(dir);
    return count - 1; /* without the one that looks */
}

void sotto_process_read(struct sotto_process *out)
{
    *out = (struct sotto_process){sotto_process_cpu_us(), memory_bytes(), descriptors()};
}
