/* SPDX-License-Identifier: Apache-2.0 */

#include "net/loop.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include "base/alloc.h"
#include "net/rig.h"

static struct sotto_loop *loop;

struct tick {
    struct sotto_timer timer;
    int fired;
    int order;
    int64_t again_ms;
};

static int order;

static void on_tick(struct sotto_timer *timer)
{
    struct tick *tick = SOTTO_CONTAINER(timer, struct tick, timer);
    tick->fired++;
    tick->order = ++order;
    if (tick->again_ms != 0) {
        sotto_timer_arm(timer, tick->again_ms);
    }
}

static void test_timers(void)
{
    struct tick ticks[100] = {0};
    order = 0;
    for (size_t i = 0; i < 100; i++) {
        IS_INT(sotto_timer_open(loop, &ticks[i].timer, on_tick), SOTTO_OK, "timer %zu", i);
        sotto_timer_arm(&ticks[i].timer, 1000000 + (int64_t)((i * 37) % 100) * 1000);
    }
    sotto_loop_skip_ms(loop, 1049500);
    rig_settle(loop);
    size_t right = 0;
    for (size_t i = 0; i < 100; i++) {
        right += (ticks[i].fired == 1) == ((i * 37) % 100 < 50) ? 1 : 0;
        right += ticks[i].fired == 0 || ticks[i].order == (int)((i * 37) % 100) + 1 ? 1 : 0;
    }
    IS_SIZE(right, 200, "exactly those that are due have fired, in their order");

    /* Those left: push back, pull forward, stop, close. */
    order = 0;
    struct tick *left[50];
    size_t n = 0;
    for (size_t i = 0; i < 100; i++) {
        if (ticks[i].fired == 0) {
            left[n++] = &ticks[i];
        }
    }
    sotto_timer_arm(&left[0]->timer, 9000000);
    sotto_timer_arm(&left[1]->timer, 1);
    sotto_timer_stop(&left[2]->timer);
    sotto_timer_close(&left[3]->timer);
    OK(!sotto_timer_armed(&left[2]->timer) && !sotto_timer_armed(&left[3]->timer) &&
           sotto_timer_armed(&left[0]->timer),
       "armed or not is known");
    sotto_loop_skip_ms(loop, 2);
    rig_settle(loop);
    OK(left[1]->fired == 1, "one that was pulled forward has fired");
    sotto_loop_skip_ms(loop, 100000);
    rig_settle(loop);
    OK(left[0]->fired == 0 && left[2]->fired == 0 && left[3]->fired == 0,
       "those pushed back, stopped and closed have not");
    OK(left[4]->fired == 1, "the others have");
    sotto_loop_skip_ms(loop, 9000000);
    rig_settle(loop);
    OK(left[0]->fired == 1, "the one pushed back has fired at last");
    for (size_t i = 0; i < 100; i++) {
        sotto_timer_close(&ticks[i].timer);
        sotto_timer_close(&ticks[i].timer);
    }
}

static void test_timer_storm(void)
{
    struct tick tick = {.again_ms = -1};
    IS_INT(sotto_timer_open(loop, &tick.timer, on_tick), SOTTO_OK, "a timer that is always due");
    sotto_timer_arm(&tick.timer, 0);
    IS_INT(sotto_loop_step(loop, 0), SOTTO_OK, "does not hang the round");
    OK(tick.fired >= 1 && tick.fired < 3, "it fires once a round");
    sotto_timer_close(&tick.timer);
}

struct job {
    struct sotto_task task;
    int ran;
    struct job *defer, *take_back;
};

static void on_job(struct sotto_task *task)
{
    struct job *job = SOTTO_CONTAINER(task, struct job, task);
    job->ran++;
    if (job->defer != NULL) {
        sotto_loop_defer(loop, &job->defer->task, on_job);
    }
    if (job->take_back != NULL) {
        sotto_loop_undefer(loop, &job->take_back->task);
    }
}

static void test_tasks(void)
{
    struct job a = {0}, b = {0}, c = {0}, d = {0};
    a.defer = &d;
    a.take_back = &b;
    sotto_loop_defer(loop, &a.task, on_job);
    sotto_loop_defer(loop, &b.task, on_job);
    sotto_loop_defer(loop, &c.task, on_job);
    sotto_loop_defer(loop, &a.task, on_job);
    IS_INT(sotto_loop_step(loop, 1000), SOTTO_OK, "a round with tasks does not wait");
    OK(a.ran == 1 && b.ran == 0 && c.ran == 1, "each ran once, but the one taken back");
    IS_INT(sotto_loop_step(loop, 1000), SOTTO_OK, "what they deferred");
    IS_INT(d.ran, 1, "ran, too");
    sotto_loop_undefer(loop, &d.task);
    sotto_loop_defer(loop, &b.task, on_job);
    sotto_loop_undefer(loop, &b.task);
    sotto_loop_defer(loop, &c.task, on_job);
    rig_settle(loop);
    OK(b.ran == 0 && c.ran == 2, "taking back the only one leaves the list whole");
}

struct poster {
    struct job jobs[100];
};

static void *post_all(void *arg)
{
    struct poster *poster = arg;
    for (size_t i = 0; i < 100; i++) {
        sotto_loop_post(loop, &poster->jobs[i].task, on_job);
    }
    return NULL;
}

static size_t ran(const struct poster *posters)
{
    size_t n = 0;
    for (size_t i = 0; i < 400; i++) {
        n += (size_t)posters[i / 100].jobs[i % 100].ran;
    }
    return n;
}

static void test_post(void)
{
    static struct poster posters[4];
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, post_all, &posters[i]);
    }
    UNTIL(loop, ran(posters) == 400);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    rig_settle(loop);
    IS_SIZE(ran(posters), 400, "what other threads posted ran once each");
}

struct pair {
    struct sotto_watch watch;
    struct pair *other;
    uint32_t events;
    int calls;
};

static void on_pair(struct sotto_watch *watch, uint32_t events)
{
    struct pair *pair = SOTTO_CONTAINER(watch, struct pair, watch);
    pair->events |= events;
    pair->calls++;
    if (pair->other != NULL) {
        sotto_loop_unwatch(loop, &pair->other->watch);
        pair->other->other = NULL;
    }
}

static void test_watches(void)
{
    int fds[2];
    struct pair a = {0}, b = {0};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0) {
        abort();
    }
    IS_INT(sotto_loop_watch(loop, &a.watch, fds[0], on_pair), SOTTO_OK, "watched");
    rig_settle(loop);
    OK(a.events == SOTTO_LOOP_WRITE && a.calls == 1, "writable is told once");
    a.events = 0;
    OK(send(fds[1], "x", 1, 0) == 1, "something comes");
    rig_settle(loop);
    OK((a.events & SOTTO_LOOP_READ) != 0 && (a.events & SOTTO_LOOP_GONE) == 0 && a.calls == 2,
       "readable is told once");
    shutdown(fds[1], SHUT_WR);
    rig_settle(loop);
    OK((a.events & SOTTO_LOOP_GONE) != 0, "the end of the other side is told");
    IS_INT(sotto_loop_watch(loop, &b.watch, fds[0], on_pair), SOTTO_EIO, "not watched twice");
    sotto_loop_unwatch(loop, &a.watch);
    sotto_loop_unwatch(loop, &a.watch);

    /* Both have an event in one round; whoever is first ends the other's watch. */
    a = (struct pair){.other = &b};
    b = (struct pair){.other = &a};
    IS_INT(sotto_loop_watch(loop, &a.watch, fds[0], on_pair), SOTTO_OK, "two");
    IS_INT(sotto_loop_watch(loop, &b.watch, fds[1], on_pair), SOTTO_OK, "watches");
    rig_settle(loop);
    IS_INT(a.calls + b.calls, 1, "an ended watch gets no event of the same round");
    sotto_loop_unwatch(loop, &a.watch);
    sotto_loop_unwatch(loop, &b.watch);
    close(fds[0]);
    close(fds[1]);
    IS_INT(sotto_loop_watch(loop, &a.watch, -1, on_pair), SOTTO_EIO, "a bad descriptor is refused");
}

static void on_stop(struct sotto_task *task)
{
    (void)task;
    sotto_loop_stop(loop);
}

static void *stop_it(void *arg)
{
    (void)arg;
    sotto_loop_stop(loop);
    return NULL;
}

static void test_run(void)
{
    struct sotto_task task = {0};
    pthread_t thread;
    sotto_loop_defer(loop, &task, on_stop);
    IS_INT(sotto_loop_run(loop), SOTTO_OK, "stopped from inside");
    pthread_create(&thread, NULL, stop_it, NULL);
    IS_INT(sotto_loop_run(loop), SOTTO_OK, "stopped from another thread");
    pthread_join(thread, NULL);
}

static void test_faults(void)
{
    for (size_t n = 1; n <= 2; n++) {
        struct sotto_loop *made = NULL;
        struct sotto_timer timer = {0};
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_loop_new(&made);
        if (err == SOTTO_OK) {
            err = sotto_timer_open(made, &timer, on_tick);
        }
        sotto_alloc_set_fault(0);
        IS_INT(err, SOTTO_ENOMEM, "allocation %zu fails", n);
        sotto_timer_close(&timer);
        sotto_loop_free(made);
    }
}

int main(void)
{
    struct job last = {0}, posted = {0};
    IS_INT(sotto_loop_new(&loop), SOTTO_OK, "a loop");
    OK(sotto_loop_now_ms(loop) > 0 && sotto_loop_now_us(loop) / 1000 == sotto_loop_now_ms(loop),
       "it knows the time");
    test_timers();
    test_timer_storm();
    test_tasks();
    test_post();
    test_watches();
    test_run();
    test_faults();
    sotto_loop_defer(loop, &last.task, on_job);
    sotto_loop_post(loop, &posted.task, on_job);
    sotto_loop_free(loop);
    sotto_loop_free(NULL);
    OK(last.ran == 1 && posted.ran == 1, "what was left ran before the loop was freed");
    return done_testing();
}
