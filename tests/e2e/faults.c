/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A disk that fails and a clock that jumps, for test_clock.py and test_disk.py: the program as it
 * is, but that some calls of the system go through here.  What they do stands in the file that
 * SOTTO_TEST_FAULTS names, as numbers that may change at any time.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* The file; native byte order. */
struct faults {
    _Atomic int64_t wall_s;      /* added to the wall clock */
    _Atomic int64_t steady_s;    /* added to the clock that only goes forward */
    _Atomic int64_t write_errno; /* of every write to a file of the state folder; 0: it works */
    _Atomic int64_t sync_errno;  /* of every sync */
};

int __real_clock_gettime(clockid_t clock, struct timespec *out);
int __real_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until);
int __real_open64(const char *path, int flags, ...);
ssize_t __real_pwrite64(int fd, const void *from, size_t len, off_t at);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until);
int __wrap_open64(const char *path, int flags, ...);
ssize_t __wrap_pwrite64(int fd, const void *from, size_t len, off_t at);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);

static struct faults none;
static struct faults *faults = &none;

/* Before main(), so before anything is closed off. */
__attribute__((constructor)) static void open_faults(void)
{
    const char *path = getenv("SOTTO_TEST_FAULTS");
    int fd = path != NULL ? __real_open64(path, O_RDWR | O_CLOEXEC) : -1;
    void *page = fd >= 0 ? mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                         : MAP_FAILED;
    if (page != MAP_FAILED) {
        faults = page;
    }
    if (fd >= 0) {
        close(fd);
    }
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    int rc = __real_clock_gettime(clock, out);
    if (rc == 0 && clock == CLOCK_REALTIME) {
        out->tv_sec += (time_t)atomic_load(&faults->wall_s);
    } else if (rc == 0 && clock == CLOCK_MONOTONIC) {
        out->tv_sec += (time_t)atomic_load(&faults->steady_s);
    }
    return rc;
}

/* All waits of the program are by the clock that only goes forward. */
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until)
{
    struct timespec real = *until;
    real.tv_sec -= (time_t)atomic_load(&faults->steady_s);
    return __real_pthread_cond_timedwait(cond, mutex, &real);
}

static int fails(int64_t number)
{
    errno = (int)number;
    return number != 0;
}

int __wrap_open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list ap;
        va_start(ap, flags);
        mode = va_arg(ap, mode_t);
        va_end(ap);
        if (fails(atomic_load(&faults->write_errno))) {
            return -1;
        }
    }
    return __real_open64(path, flags, mode);
}

ssize_t __wrap_pwrite64(int fd, const void *from, size_t len, off_t at)
{
    return fails(atomic_load(&faults->write_errno)) ? -1 : __real_pwrite64(fd, from, len, at);
}

int __wrap_fsync(int fd)
{
    return fails(atomic_load(&faults->sync_errno)) ? -1 : __real_fsync(fd);
}

int __wrap_fdatasync(int fd)
{
    return fails(atomic_load(&faults->sync_errno)) ? -1 : __real_fdatasync(fd);
}
