/* SPDX-License-Identifier: Apache-2.0 */

#include "net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sys/clock.h"

/* Events taken from the kernel at once. */
#define LOOP_BATCH 128
/* Places that the heap starts with. */
#define LOOP_HEAP_FIRST 64

/*
 * Timers stand in a binary heap by `key_us`.  A timer that is pushed back keeps its place: only
 * `due_us` changes, and it is moved when its key comes up.  So the usual life of a time limit,
 * armed and pushed back again and again, costs a store.
 */
struct sotto_loop {
    int epoll;
    int64_t now_us;
    int64_t skew_us; /* for tests */

    struct epoll_event batch[LOOP_BATCH];
    int batch_at, batch_len;

    struct sotto_timer **heap; /* from 1; heap[0] is not used */
    size_t heap_len, heap_cap;
    size_t timers_open; /* never more than heap_cap - 1, so that inserting cannot fail */

    struct sotto_task *first, *last; /* deferred */
    size_t deferred;

    struct sotto_watch wake;
    atomic_bool stopped;
    pthread_mutex_t lock; /* for `posted` */
    struct sotto_task *posted, *posted_last;

    uint8_t scratch[SOTTO_LOOP_SCRATCH_BYTES];
};

static void refresh(struct sotto_loop *loop)
{
    loop->now_us = sotto_clock_us() + loop->skew_us;
}

int64_t sotto_loop_now_us(const struct sotto_loop *loop)
{
    return loop->now_us;
}

int64_t sotto_loop_now_ms(const struct sotto_loop *loop)
{
    return loop->now_us / 1000;
}

void sotto_loop_skip_ms(struct sotto_loop *loop, int64_t ms)
{
    loop->skew_us += ms * 1000;
    refresh(loop);
}

uint8_t *sotto_loop_scratch(struct sotto_loop *loop)
{
    return loop->scratch;
}

/* --- timers ---------------------------------------------------------------------------------- */

static void place(struct sotto_loop *loop, size_t at, struct sotto_timer *timer)
{
    loop->heap[at] = timer;
    timer->position = at;
}

static void sift_up(struct sotto_loop *loop, size_t at, struct sotto_timer *timer)
{
    while (at > 1 && loop->heap[at / 2]->key_us > timer->key_us) {
        place(loop, at, loop->heap[at / 2]);
        at /= 2;
    }
    place(loop, at, timer);
}

static void sift_down(struct sotto_loop *loop, size_t at, struct sotto_timer *timer)
{
    for (;;) {
        size_t child = at * 2;
        if (child > loop->heap_len) {
            break;
        }
        if (child < loop->heap_len && loop->heap[child + 1]->key_us < loop->heap[child]->key_us) {
            child++;
        }
        if (loop->heap[child]->key_us >= timer->key_us) {
            break;
        }
        place(loop, at, loop->heap[child]);
        at = child;
    }
    place(loop, at, timer);
}

static void heap_remove(struct sotto_loop *loop, struct sotto_timer *timer)
{
    size_t at = timer->position;
    struct sotto_timer *moved = loop->heap[loop->heap_len--];
    timer->position = 0;
    if (moved == timer) {
        return;
    }
    if (at > 1 && loop->heap[at / 2]->key_us > moved->key_us) {
        sift_up(loop, at, moved);
    } else {
        sift_down(loop, at, moved);
    }
}

enum sotto_err sotto_timer_open(struct sotto_loop *loop, struct sotto_timer *timer,
                                sotto_timer_fn *fn)
{
    if (loop->timers_open + 1 >= loop->heap_cap) {
        size_t cap = loop->heap_cap != 0 ? loop->heap_cap * 2 : LOOP_HEAP_FIRST;
        struct sotto_timer **heap = sotto_resize(loop->heap, cap * sizeof(struct sotto_timer *));
        if (heap == NULL) {
            return SOTTO_ENOMEM;
        }
        loop->heap = heap;
        loop->heap_cap = cap;
    }
    loop->timers_open++;
    *timer = (struct sotto_timer){.loop = loop, .fn = fn, .due_us = INT64_MAX};
    return SOTTO_OK;
}

void sotto_timer_close(struct sotto_timer *timer)
{
    if (timer->loop == NULL) {
        return;
    }
    if (timer->position != 0) {
        heap_remove(timer->loop, timer);
    }
    timer->loop->timers_open--;
    timer->loop = NULL;
}

void sotto_timer_arm(struct sotto_timer *timer, int64_t ms)
{
    struct sotto_loop *loop = timer->loop;
    timer->due_us = loop->now_us + ms * 1000;
    if (timer->position == 0) {
        timer->key_us = timer->due_us;
        sift_up(loop, ++loop->heap_len, timer);
    } else if (timer->key_us > timer->due_us) {
        timer->key_us = timer->due_us;
        sift_up(loop, timer->position, timer);
    }
}

void sotto_timer_stop(struct sotto_timer *timer)
{
    timer->due_us = INT64_MAX;
}

/* At most as many as there are now: one that arms itself for "at once" waits for the next round. */
static void fire_timers(struct sotto_loop *loop)
{
    for (size_t left = loop->heap_len; left != 0 && loop->heap_len != 0; left--) {
        struct sotto_timer *timer = loop->heap[1];
        if (timer->key_us > loop->now_us) {
            return;
        }
        if (timer->due_us == INT64_MAX) {
            heap_remove(loop, timer);
        } else if (timer->due_us > loop->now_us) {
            timer->key_us = timer->due_us;
            sift_down(loop, 1, timer);
        } else {
            heap_remove(loop, timer);
            timer->due_us = INT64_MAX;
            timer->fn(timer);
        }
    }
}

/* --- tasks ----------------------------------------------------------------------------------- */

void sotto_loop_defer(struct sotto_loop *loop, struct sotto_task *task, sotto_task_fn *fn)
{
    if (task->queued) {
        return;
    }
    *task = (struct sotto_task){.fn = fn, .queued = true};
    if (loop->last != NULL) {
        loop->last->next = task;
    } else {
        loop->first = task;
    }
    loop->last = task;
    loop->deferred++;
}

void sotto_loop_undefer(struct sotto_loop *loop, struct sotto_task *task)
{
    if (!task->queued) {
        return;
    }
    struct sotto_task **link = &loop->first, *before = NULL;
    while (*link != NULL && *link != task) {
        before = *link;
        link = &(*link)->next;
    }
    if (*link == task) {
        *link = task->next;
        loop->last = loop->last == task ? before : loop->last;
        loop->deferred--;
        task->queued = false;
    }
}

/* Those that are there now; what they defer waits for the next round. */
static void run_deferred(struct sotto_loop *loop)
{
    for (size_t left = loop->deferred; left != 0 && loop->first != NULL; left--) {
        struct sotto_task *task = loop->first;
        loop->first = task->next;
        loop->last = loop->first != NULL ? loop->last : NULL;
        loop->deferred--;
        task->queued = false;
        task->fn(task);
    }
}

/* The counter of an eventfd cannot get full by ones, and a wake that is there already is enough. */
static void wake(struct sotto_loop *loop)
{
    uint64_t one = 1;
    while (write(loop->wake.fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

void sotto_loop_post(struct sotto_loop *loop, struct sotto_task *task, sotto_task_fn *fn)
{
    task->next = NULL;
    task->fn = fn;
    pthread_mutex_lock(&loop->lock);
    bool was_empty = loop->posted == NULL;
    if (was_empty) {
        loop->posted = task;
    } else {
        loop->posted_last->next = task;
    }
    loop->posted_last = task;
    pthread_mutex_unlock(&loop->lock);
    if (was_empty) {
        wake(loop);
    }
}

static void run_posted(struct sotto_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct sotto_task *task = loop->posted;
    loop->posted = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (task != NULL) {
        struct sotto_task *next = task->next; /* the task may be gone afterwards */
        task->fn(task);
        task = next;
    }
}

static void on_wake(struct sotto_watch *watch, uint32_t events)
{
    struct sotto_loop *loop = SOTTO_CONTAINER(watch, struct sotto_loop, wake);
    uint64_t count;
    (void)events;
    while (read(watch->fd, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
    run_posted(loop);
}

/* --- descriptors ----------------------------------------------------------------------------- */

static enum sotto_err watch_for(struct sotto_loop *loop, struct sotto_watch *watch, int fd,
                                sotto_watch_fn *fn, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        return errno == ENOMEM || errno == ENOSPC ? SOTTO_ENOMEM : SOTTO_EIO;
    }
    *watch = (struct sotto_watch){.fn = fn, .fd = fd, .watched = true};
    return SOTTO_OK;
}

enum sotto_err sotto_loop_watch(struct sotto_loop *loop, struct sotto_watch *watch, int fd,
                                sotto_watch_fn *fn)
{
    return watch_for(loop, watch, fd, fn, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

enum sotto_err sotto_loop_watch_level(struct sotto_loop *loop, struct sotto_watch *watch, int fd,
                                      sotto_watch_fn *fn)
{
    return watch_for(loop, watch, fd, fn, EPOLLIN);
}

void sotto_loop_unwatch(struct sotto_loop *loop, struct sotto_watch *watch)
{
    if (!watch->watched) {
        return;
    }
    watch->watched = false;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL); /* fails only if it is gone already */
    for (int i = loop->batch_at; i < loop->batch_len; i++) {
        if (loop->batch[i].data.ptr == watch) {
            loop->batch[i].data.ptr = NULL;
        }
    }
}

static uint32_t translate(uint32_t events)
{
    uint32_t out = 0;
    out |= (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 ? SOTTO_LOOP_READ : 0;
    out |= (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 ? SOTTO_LOOP_WRITE : 0;
    out |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 ? SOTTO_LOOP_GONE : 0;
    return out;
}

static int wait_time(const struct sotto_loop *loop, int wait_ms)
{
    if (loop->first != NULL) {
        return 0;
    }
    if (loop->heap_len == 0) {
        return wait_ms;
    }
    int64_t left_ms = (loop->heap[1]->key_us - loop->now_us + 999) / 1000;
    left_ms = left_ms > 0 ? left_ms : 0;
    left_ms = left_ms < 3600000 ? left_ms : 3600000;
    return wait_ms >= 0 && wait_ms < left_ms ? wait_ms : (int)left_ms;
}

enum sotto_err sotto_loop_step(struct sotto_loop *loop, int wait_ms)
{
    refresh(loop);
    int n = epoll_wait(loop->epoll, loop->batch, LOOP_BATCH, wait_time(loop, wait_ms));
    if (n < 0 && errno != EINTR) {
        return SOTTO_EIO;
    }
    refresh(loop);
    loop->batch_len = n > 0 ? n : 0;
    for (loop->batch_at = 0; loop->batch_at < loop->batch_len;) {
        struct epoll_event event = loop->batch[loop->batch_at++];
        struct sotto_watch *watch = event.data.ptr;
        if (watch != NULL) {
            watch->fn(watch, translate(event.events));
        }
    }
    loop->batch_at = loop->batch_len = 0;
    fire_timers(loop);
    run_deferred(loop);
    return SOTTO_OK;
}

void sotto_loop_settle(struct sotto_loop *loop)
{
    run_posted(loop);
}

enum sotto_err sotto_loop_run(struct sotto_loop *loop)
{
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && !atomic_exchange(&loop->stopped, false)) {
        err = sotto_loop_step(loop, -1);
    }
    return err;
}

void sotto_loop_stop(struct sotto_loop *loop)
{
    atomic_store(&loop->stopped, true);
    wake(loop);
}

enum sotto_err sotto_loop_new(struct sotto_loop **out)
{
    struct sotto_loop *loop = sotto_calloc(1, sizeof(*loop));
    enum sotto_err err = SOTTO_EIO;
    int fd = -1;
    if (loop == NULL) {
        return SOTTO_ENOMEM;
    }
    pthread_mutex_init(&loop->lock, NULL);
    atomic_init(&loop->stopped, false);
    refresh(loop);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->epoll < 0 || fd < 0 ||
        (err = sotto_loop_watch_level(loop, &loop->wake, fd, on_wake)) != SOTTO_OK) {
        goto out;
    }
    *out = loop;
    loop = NULL; /* transferred */

out:
    if (loop != NULL) {
        if (loop->epoll >= 0) {
            close(loop->epoll);
        }
        if (fd >= 0) {
            close(fd);
        }
        sotto_free(loop);
    }
    return err;
}

void sotto_loop_free(struct sotto_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    while (loop->first != NULL || loop->posted != NULL) {
        run_posted(loop);
        run_deferred(loop);
    }
    close(loop->wake.fd);
    close(loop->epoll);
    pthread_mutex_destroy(&loop->lock);
    sotto_free(loop->heap);
    sotto_free(loop);
}
