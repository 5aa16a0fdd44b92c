/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/clock.h"

#include "tap/tap.h"

int main(void)
{
    char text[SOTTO_WALL_TEXT_BYTES];
    int64_t a = sotto_clock_us(), b = sotto_clock_us();
    OK(a > 0 && b >= a, "the clock does not go back");
    OK(sotto_clock_ns() / 1000 >= b, "nanoseconds are of the same clock");
    OK(sotto_clock_ms() >= b / 1000, "milliseconds are of the same clock");
    OK(sotto_wall_s() > 1700000000 && sotto_wall_ms() / 1000 >= sotto_wall_s() - 1, "wall time");
    sotto_wall_text(0, text);
    IS_TEXT(text, strlen(text), "1970-01-01T00:00:00.000Z", "the start of the count");
    sotto_wall_text(1795357620123, text);
    IS_TEXT(text, strlen(text), "2026-11-22T14:27:00.123Z", "a day");
    sotto_wall_text(951782400000, text);
    IS_TEXT(text, strlen(text), "2000-02-29T00:00:00.000Z", "a leap day");
    sotto_wall_text(253402300799999, text);
    IS_TEXT(text, strlen(text), "9999-12-31T23:59:59.999Z", "the last one");
    sotto_wall_text(253402300800000, text);
    IS_TEXT(text, strlen(text), "", "beyond it nothing is written");
    sotto_wall_text(-1, text);
    IS_TEXT(text, strlen(text), "", "nor before 1970");
    return done_testing();
}
