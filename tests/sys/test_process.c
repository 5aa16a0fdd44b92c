/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/process.h"

#include <fcntl.h>
#include <unistd.h>

#include "tap/tap.h"

int main(void)
{
    struct sotto_process before, after;
    sotto_process_read(&before);
    OK(before.cpu_us >= 0, "CPU time is known");
    OK(before.memory_bytes > 100000, "resident memory is known: %lld bytes",
       (long long)before.memory_bytes);
    OK(before.descriptors >= 3, "open descriptors are counted");

    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char *block = malloc(20 << 20);
    if (fd < 0 || block == NULL) {
        abort();
    }
    for (size_t i = 0; i < 20 << 20; i += 1024) {
        ((volatile char *)block)[i] = 1;
    }
    sotto_process_read(&after);
    IS_INT(after.descriptors, before.descriptors + 1, "one more is one more");
    OK(after.memory_bytes > before.memory_bytes + (15 << 20), "20 MiB more show");
    OK(after.cpu_us >= before.cpu_us, "CPU time does not go back");
    free(block);
    close(fd);
    return done_testing();
}
