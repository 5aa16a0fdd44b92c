/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/decimal.h"

static int64_t read_us(clockid_t id)
{
    struct timespec now = {0};
    clock_gettime(id, &now); /* cannot fail for these clocks */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t sotto_clock_ns(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
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

/* A time without its milliseconds. */
struct wall_second {
    int64_t second;
    char text[SOTTO_WALL_TEXT_BYTES]; /* "2024-05-31T12:34:56.000Z"; empty: no such time */
};

static void write_second(int64_t second, struct wall_second *out)
{
    struct tm tm;
    char text[64];
    time_t seconds = (time_t)second;
    *out = (struct wall_second){.second = second};
    if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 9999 - 1900) {
        return;
    }
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.000Z", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    memcpy(out->text, text, SOTTO_WALL_TEXT_BYTES - 1);
}

void sotto_wall_text(int64_t wall_ms, char out[SOTTO_WALL_TEXT_BYTES])
{
    /* Many lines bear the same second. */
    static _Thread_local struct wall_second last = {.second = -1};
    if (wall_ms < 0) {
        memset(out, 0, SOTTO_WALL_TEXT_BYTES);
        return;
    }
    if (last.second != wall_ms / 1000) {
        write_second(wall_ms / 1000, &last);
    }
    memcpy(out, last.text, SOTTO_WALL_TEXT_BYTES);
    if (out[0] != '\0') {
        char digits[SOTTO_DECIMAL_MAX];
        size_t len = sotto_decimal((uint64_t)(wall_ms % 1000), 3, digits);
        memcpy(out + SOTTO_WALL_TEXT_BYTES - 2 - len, digits, len);
    }
}
