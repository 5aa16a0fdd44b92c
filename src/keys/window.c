/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/window.h"

#define WINDOW_STEP_MS 1000

static uint64_t *step_at(struct sotto_window *w, int64_t step)
{
    return &w->steps[(uint64_t)step % SOTTO_WINDOW_STEPS];
}

/* Seconds that are still to come would keep what was counted in them until then. */
static void set_back(struct sotto_window *w, int64_t step)
{
    memset(w->steps, 0, sizeof(w->steps));
    w->latest_step = step;
    *step_at(w, step) = w->sum;
}

void sotto_window_advance(struct sotto_window *w, int64_t now_ms)
{
    int64_t step = now_ms / WINDOW_STEP_MS;
    if (w->latest_step - step >= SOTTO_WINDOW_STEPS) {
        set_back(w, step);
    }
    if (step - w->latest_step >= SOTTO_WINDOW_STEPS) {
        memset(w->steps, 0, sizeof(w->steps));
        w->sum = 0;
        w->latest_step = step;
    }
    while (w->latest_step < step) {
        uint64_t *oldest = step_at(w, ++w->latest_step);
        w->sum -= *oldest;
        *oldest = 0;
    }
}

static bool is_inside(const struct sotto_window *w, int64_t step)
{
    return step <= w->latest_step && w->latest_step - step < SOTTO_WINDOW_STEPS;
}

void sotto_window_put(struct sotto_window *w, int64_t step, uint64_t amount)
{
    if (is_inside(w, step)) {
        *step_at(w, step) += amount;
        w->sum += amount;
    }
}

void sotto_window_add(struct sotto_window *w, uint64_t amount)
{
    *step_at(w, w->latest_step) += amount;
    w->sum += amount;
}

void sotto_window_take(struct sotto_window *w, int64_t step, uint64_t amount)
{
    if (!is_inside(w, step)) {
        return;
    }
    uint64_t *there = step_at(w, step);
    uint64_t taken = amount < *there ? amount : *there;
    *there -= taken;
    w->sum -= taken;
}

uint32_t sotto_window_wait_ms(const struct sotto_window *w, uint64_t amount, int64_t now_ms)
{
    uint64_t freed = 0;
    for (int64_t i = SOTTO_WINDOW_STEPS - 1; i >= 0 && amount != 0; i--) {
        int64_t step = w->latest_step - i;
        freed += step >= 0 ? w->steps[(uint64_t)step % SOTTO_WINDOW_STEPS] : 0;
        if (freed >= amount) {
            int64_t wait = (step + SOTTO_WINDOW_STEPS) * WINDOW_STEP_MS - now_ms;
            return wait > 0 ? (uint32_t)wait : 0;
        }
    }
    return 0;
}
