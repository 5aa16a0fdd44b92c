/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/side.h"

#include "base/alloc.h"

struct sotto_side {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t more;
    struct sotto_side_work *first, **last;
    bool ending;
};

static void done_in_loop(struct sotto_task *task)
{
    struct sotto_side_work *work = SOTTO_CONTAINER(task, struct sotto_side_work, task);
    work->done(work);
}

/* The next piece; waits for one; NULL: the end. */
static struct sotto_side_work *take(struct sotto_side *side)
{
    pthread_mutex_lock(&side->mutex);
    while (side->first == NULL && !side->ending) {
        pthread_cond_wait(&side->more, &side->mutex);
    }
    struct sotto_side_work *work = side->first;
    if (work != NULL) {
        side->first = work->next;
        if (side->first == NULL) {
            side->last = &side->first;
        }
    }
    pthread_mutex_unlock(&side->mutex);
    return work;
}

static void *side_main(void *arg)
{
    struct sotto_side *side = arg;
    for (struct sotto_side_work *work = take(side); work != NULL; work = take(side)) {
        struct sotto_loop *loop = work->loop;
        bool back = work->done != NULL && loop != NULL;
        work->run(work);
        if (back) {
            sotto_loop_post(loop, &work->task, done_in_loop);
        }
    }
    return NULL;
}

enum sotto_err sotto_side_new(struct sotto_side **out)
{
    struct sotto_side *side = sotto_calloc(1, sizeof(*side));
    if (side == NULL) {
        return SOTTO_ENOMEM;
    }
    side->last = &side->first;
    pthread_mutex_init(&side->mutex, NULL);
    pthread_cond_init(&side->more, NULL);
    if (pthread_create(&side->thread, NULL, side_main, side) != 0) {
        pthread_cond_destroy(&side->more);
        pthread_mutex_destroy(&side->mutex);
        sotto_free(side);
        return SOTTO_EIO;
    }
    *out = side;
    return SOTTO_OK;
}

void sotto_side_put(struct sotto_side *side, struct sotto_side_work *work)
{
    pthread_mutex_lock(&side->mutex);
    work->next = NULL;
    *side->last = work;
    side->last = &work->next;
    pthread_cond_signal(&side->more);
    pthread_mutex_unlock(&side->mutex);
}

void sotto_side_free(struct sotto_side *side)
{
    if (side == NULL) {
        return;
    }
    pthread_mutex_lock(&side->mutex);
    side->ending = true;
    pthread_cond_signal(&side->more);
    pthread_mutex_unlock(&side->mutex);
    pthread_join(side->thread, NULL);
    pthread_cond_destroy(&side->more);
    pthread_mutex_destroy(&side->mutex);
    sotto_free(side);
}
