/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now = {0};
    clock_gettime(id, &now); /* cannot fail for these clocks */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t sotto_clock_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t sotto_clock_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t sotto_wall_s(void)
{
    return read_us(CLOCK_REALTIME) / 1000000;
}

int64_t sotto_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

void sotto_wall_text(int64_t wall_ms, char out[SOTTO_WALL_TEXT_BYTES])
{
    struct tm tm;
    char text[64];
    time_t seconds = (time_t)(wall_ms / 1000);
    memset(out, 0, SOTTO_WALL_TEXT_BYTES);
    if (wall_ms < 0 || gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 9999 - 1900) {
        return;
    }
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(wall_ms % 1000));
    memcpy(out, text, SOTTO_WALL_TEXT_BYTES - 1);
}
