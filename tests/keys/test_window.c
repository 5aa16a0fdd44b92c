/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/window.h"

#include "tap/tap.h"

#define NOON_MS 1790000000000LL
#define DAY_MS  86400000LL

static void test_sliding(void)
{
    struct sotto_window w = {0};
    sotto_window_advance(&w, NOON_MS);
    sotto_window_add(&w, 3);
    sotto_window_advance(&w, NOON_MS + 30000);
    sotto_window_add(&w, 4);
    IS_INT(w.sum, 7, "what was used in a minute is added up");
    IS_INT(sotto_window_wait_ms(&w, 1, NOON_MS + 30000), 31000, "the oldest leaves first");
    sotto_window_advance(&w, NOON_MS + 61000);
    IS_INT(w.sum, 4, "after a minute it has left");
    sotto_window_advance(&w, NOON_MS + DAY_MS);
    IS_INT(w.sum, 0, "after a day all has");
}

static void test_set_back(void)
{
    struct sotto_window w = {0};
    sotto_window_advance(&w, NOON_MS + DAY_MS);
    sotto_window_add(&w, 5);
    sotto_window_advance(&w, NOON_MS + DAY_MS - 2000);
    IS_INT(w.sum, 5, "a clock that was set back by seconds changes nothing");
    IS_INT(w.latest_step, (NOON_MS + DAY_MS) / 1000, "nor the second that counts");
    sotto_window_advance(&w, NOON_MS);
    IS_INT(w.sum, 5, "one that was set back by a day forgives nothing");
    IS_INT(sotto_window_wait_ms(&w, 5, NOON_MS), 61000, "and nobody waits longer than a minute");
    sotto_window_add(&w, 1);
    IS_INT(w.sum, 6, "what comes then is counted");
    sotto_window_advance(&w, NOON_MS + 61000);
    IS_INT(w.sum, 0, "and all of it leaves");
}

int main(void)
{
    test_sliding();
    test_set_back();
    return done_testing();
}
