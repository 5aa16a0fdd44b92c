/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_CLOCK_H
#define SOTTO_SYS_CLOCK_H

#include <stdint.h>

/** Nanoseconds since an arbitrary start; never goes back. */
int64_t sotto_clock_ns(void);

/** Microseconds since the same start. */
int64_t sotto_clock_us(void);

/** Milliseconds since the same start. */
int64_t sotto_clock_ms(void);

/** Wall-clock time: seconds and milliseconds since 1970-01-01 UTC. */
int64_t sotto_wall_s(void);
int64_t sotto_wall_ms(void);

/** Length of a time written by sotto_wall_text(), with its NUL. */
#define SOTTO_WALL_TEXT_BYTES 25

/** "2026-11-22T14:27:00.123Z" (RFC 3339, UTC) for milliseconds since 1970; "" outside 1970 to 9999. */
void sotto_wall_text(int64_t wall_ms, char out[SOTTO_WALL_TEXT_BYTES]);

#endif
