/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/shared_counter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sys/os_error.h"

struct sotto_shared_counter {
    void *map;
    _Atomic uint64_t *value;
};

_Static_assert(sizeof(_Atomic uint64_t) == 8, "the file holds eight bytes");

/* A new file is made longer by whoever comes first; growing it to the same length twice is fine. */
static enum sotto_err map_file(int fd, void **out)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return SOTTO_EIO;
    }
    if (!S_ISREG(info.st_mode) || (info.st_size != 0 && info.st_size != 8)) {
        return SOTTO_EFORMAT;
    }
    if (info.st_size == 0 && ftruncate(fd, 8) != 0) {
        return SOTTO_EIO;
    }
    void *map = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        return SOTTO_EIO;
    }
    *out = map;
    return SOTTO_OK;
}

enum sotto_err sotto_shared_counter_open(const char *path, struct sotto_shared_counter **out)
{
    void *map = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return sotto_os_error(errno);
    }
    enum sotto_err err = map_file(fd, &map);
    close(fd);
    if (err != SOTTO_OK) {
        return err;
    }
    struct sotto_shared_counter *c = sotto_calloc(1, sizeof(*c));
    if (c == NULL) {
        munmap(map, 8);
        return SOTTO_ENOMEM;
    }
    c->value = c->map = map;
    *out = c;
    return SOTTO_OK;
}

void sotto_shared_counter_close(struct sotto_shared_counter *c)
{
    if (c != NULL) {
        munmap(c->map, 8);
        sotto_free(c);
    }
}

uint64_t sotto_shared_counter_get(const struct sotto_shared_counter *c)
{
    return atomic_load_explicit(c->value, memory_order_acquire);
}

void sotto_shared_counter_bump(struct sotto_shared_counter *c)
{
    atomic_fetch_add_explicit(c->value, 1, memory_order_acq_rel);
}
